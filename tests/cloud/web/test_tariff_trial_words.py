"""The words of the page of trials: its examples can be priced, and every change has a row and a bar."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from cloud.tariffs.comparison import summarise
from cloud.tariffs.library import library_text
from cloud.tariffs.text import load_text
from cloud.tariffs.trial import Change, compare, price_text, read_requests, read_tariff
from cloud.web.tariff_trial_words import (
    EXAMPLE_REQUESTS,
    EXAMPLE_USAGE,
    changes_cells,
    changes_chart,
    changes_rows,
    spread,
    told,
)
from common.money.amount import CNY
from common.rating.usage_document import Place

PLACE = Place(zone=ZoneInfo("UTC"), zone_name="UTC")
BEIJING = read_tariff(library_text("electricity/beijing-annual"), "tariff")


def test_the_examples_on_the_page_can_be_priced() -> None:
    shown = told(price_text(BEIJING, load_text(EXAMPLE_USAGE, "usage"), PLACE))
    assert shown.amount == "73.25 CNY"
    assert (shown.zh[-1], shown.en[-1]) == ("合计 73.25 元", "Total 73.25 CNY")
    changes = compare(BEIJING, BEIJING, read_requests(EXAMPLE_REQUESTS, "requests"), PLACE)
    assert [change.difference for change in changes] == [0, 0, 0]


def test_every_change_has_a_row_and_is_counted_in_a_bar() -> None:
    changes = [Change(name=str(n), old=1_000, new=1_000 + 10 * n) for n in range(3)]
    changes.append(Change(name="x", old=None, new=1, reason="no reading", reason_zh="缺少读数"))
    found = summarise(changes)
    assert list(changes_rows(found, CNY)) == [
        ("2", "10.00", "10.20", "+0.20", "+2.0%", ""),
        ("1", "10.00", "10.10", "+0.10", "+1.0%", ""),
        ("0", "10.00", "10.00", "0.00", "+0.0%", ""),
        ("x", "", "0.01", "", "", "缺少读数 no reading"),
    ]
    assert next(changes_cells(found, CNY)) == ("2", "10.00", "10.20", "0.20", "2.0", "")
    option = changes_chart(found, CNY)
    assert sum(option["series"][0]["data"]) == 3
    assert option["xAxis"]["data"] == ["0.00", "+0.03", "+0.06", "+0.09", "+0.12", "+0.15", "+0.18"]
    assert [count for _, count in spread(found, CNY)] == option["series"][0]["data"]
    assert spread(found, CNY)[0] == ("0.00 … +0.02", 1)
    assert spread(summarise(changes[:1]), CNY) == [("0.00", 1)]
