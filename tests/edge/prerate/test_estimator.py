"""The gateway's estimates: months by their midnights, tiers by the year's marks, stays by the lot's tariff."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from common.civil import midnight
from common.errors import FaultsError
from common.rating.request import Visit
from common.reading.reading import Quality, Quantity, Reading, Resource
from common.tariff.document import parse_tariff
from common.wire.records import ProvisionalLine
from edge.driver.outcome import DeviceConfig
from edge.prerate.estimator import Estimator
from edge.prerate.months import Months
from edge.prerate.prices import parse_prices
from tests.edge.builders import meter

ZONE = ZoneInfo("Asia/Shanghai")
TARIFFS = Path(__file__).parents[3] / "firmware-config" / "sites" / "demo" / "tariffs"


def revision(name: str, *, since: str = "2025-01-01", rev: int = 1, **changes: Any) -> dict[str, Any]:
    document = yaml.safe_load((TARIFFS / f"{name}.yaml").read_text(encoding="utf-8"))
    tariff = parse_tariff(document | changes)
    return {
        "tariff_code": name,
        "effective_from": since,
        "rev": rev,
        "body_sha": tariff.body_sha,
        "body": tariff.body,
    }


STRANGER: dict[str, Any] = {"paid_at": None, "granted_minutes": 0, "traits": {"vehicle_class": "temporary"}}


def bundle(*revisions: dict[str, Any]) -> dict[str, Any]:
    names = {item["tariff_code"] for item in revisions}
    assignments: list[dict[str, Any]] = []
    if "electricity" in names:
        assignments.append({"meter_id": str(meter(1)), "charge_code": "electricity", "tariff_code": "electricity"})
    if "parking" in names:
        assignments.append({"lot": "north", "charge_code": "parking-temporary", "tariff_code": "parking"})
    return {"revisions": list(revisions), "assignments": assignments}


def device(multiplier_milli: int = 1000) -> DeviceConfig:
    return DeviceConfig(
        meter_id=meter(1),
        serial="E1",
        wire="bus",
        profile="meter",
        address="1",
        resource=Resource.ELECTRICITY,
        points=(Quantity.ENERGY_FORWARD,),
        multiplier_milli=multiplier_milli,
    )


class Year:
    """An estimator that is shown a register at midnights."""

    def __init__(self, body: Mapping[str, Any] | None = None, stored: Mapping[str, bytes] | None = None) -> None:
        self.estimator = Estimator(stored or {}, ZONE)
        self.stored: dict[str, bytes] = dict(stored or {})
        if body is not None:
            self.estimator.use(parse_prices(body))
        self.device = device()

    def show(
        self,
        day: date,
        kwh: int,
        registers: Mapping[Quantity, int] | None = None,
        *,
        late: timedelta = timedelta(0),
        quality: Quality = Quality.GOOD,
    ) -> list[ProvisionalLine]:
        slot = midnight(day, ZONE)
        reading = Reading(
            meter_id=meter(1),
            quantity=Quantity.ENERGY_FORWARD,
            read_at=slot + late,
            value_milli=kwh * 1000,
            quality=quality,
        )
        rates = [
            Reading(meter_id=meter(1), quantity=quantity, read_at=slot + late, value_milli=1000 * value)
            for quantity, value in (registers or {}).items()
        ]
        derived = self.estimator.observe(self.device, slot, [*rates, reading])
        self.stored.update({state.name: state.body for state in derived.states if state.body is not None})
        return [record for record in derived.records if isinstance(record, ProvisionalLine)]


def test_a_month_is_priced_when_its_closing_midnight_was_read() -> None:
    year = Year(bundle(revision("electricity")))
    assert year.show(date(2026, 1, 1), 1_000) == []
    assert year.show(date(2026, 1, 15), 1_050) == []
    (line,) = year.show(date(2026, 2, 1), 1_150)
    assert (line.period_start, line.period_end, line.usage_milli) == ("2026-01-01", "2026-02-01", 150_000)
    assert line.amount_fen == 7_625  # 150 x 0.5083 = 76.245
    assert (line.tariff_code, line.tariff_rev, line.charge_code) == ("electricity", 1, "electricity")


def test_tiers_count_from_the_first_mark_of_the_year() -> None:
    year = Year(bundle(revision("electricity")))
    year.show(date(2026, 1, 1), 0)
    year.show(date(2026, 2, 1), 2_100)
    (line,) = year.show(date(2026, 3, 1), 2_250)
    assert line.amount_fen == 8_075  # 60 x 0.5083 + 90 x 0.5583 = 80.745


def test_the_marks_survive_a_restart() -> None:
    body = bundle(revision("electricity"))
    before = Year(body)
    before.show(date(2026, 1, 1), 0)
    before.show(date(2026, 2, 1), 2_100)
    (line,) = Year(body, before.stored).show(date(2026, 3, 1), 2_250)
    assert line.amount_fen == 8_075


def test_a_month_without_its_opening_midnight_is_not_priced() -> None:
    year = Year(bundle(revision("electricity")))
    year.show(date(2026, 1, 10), 1_000)
    assert year.show(date(2026, 2, 1), 1_150) == []
    (line,) = year.show(date(2026, 3, 1), 1_250)
    assert line.usage_milli == 100_000


@pytest.mark.parametrize(
    ("late", "quality"),
    [(timedelta(hours=3), Quality.GOOD), (timedelta(0), Quality.JUMP), (timedelta(0), Quality.BACKWARDS)],
)
def test_a_late_or_doubtful_register_closes_no_month(late: timedelta, quality: Quality) -> None:
    year = Year(bundle(revision("electricity")))
    year.show(date(2026, 1, 1), 1_000)
    assert year.show(date(2026, 2, 1), 1_150, late=late, quality=quality) == []


def test_a_register_that_went_backwards_is_not_priced() -> None:
    year = Year(bundle(revision("electricity")))
    year.show(date(2026, 1, 1), 1_000)
    assert year.show(date(2026, 2, 1), 900) == []


def test_the_multiplier_is_applied_before_the_price() -> None:
    year = Year(bundle(revision("electricity")))
    year.device = device(multiplier_milli=40_000)
    year.show(date(2026, 1, 1), 100)
    (line,) = year.show(date(2026, 2, 1), 110)
    assert line.usage_milli == 400_000


def test_a_price_change_inside_the_month_splits_by_days() -> None:
    dearer = revision(
        "electricity",
        since="2026-01-16",
        charges=[{"key": "energy", "tiers": {"bounds": ["2160", "4200"]}, "prices": ["1", "2", "3"]}],
    )
    year = Year(bundle(revision("electricity"), dearer))
    year.show(date(2026, 1, 1), 0)
    (line,) = year.show(date(2026, 2, 1), 310)
    assert line.amount_fen == 150 * 5083 // 100 + 160 * 100 + 1  # 150 x 0.5083 = 76.245, 160 x 1, rounded once
    assert line.tariff_from == "2026-01-16"


PEAK, VALLEY = Quantity.ENERGY_T2, Quantity.ENERGY_T4
WINDOWS = [{"name": "peak", "times": ["08:00-22:00"]}, {"name": "valley", "times": ["22:00-08:00"]}]
BY_WINDOW: dict[str, Any] = {
    "windows": WINDOWS,
    "charges": [{"key": "energy", "by_window": {"peak": "0.60", "valley": "0.30"}}],
}


def test_a_meter_by_time_of_use_is_priced_by_its_rate_registers() -> None:
    year = Year(bundle(revision("electricity", **BY_WINDOW)))
    year.show(date(2026, 1, 1), 1_000, {PEAK: 700, VALLEY: 300})
    (line,) = Year(bundle(revision("electricity", **BY_WINDOW)), year.stored).show(
        date(2026, 2, 1), 1_150, {PEAK: 790, VALLEY: 360}
    )
    assert (line.usage_milli, line.amount_fen) == (150_000, 90 * 60 + 60 * 30)


def test_the_rate_registers_are_spread_by_days_where_the_price_changes() -> None:
    dearer: dict[str, Any] = {**BY_WINDOW, "charges": [{"key": "energy", "by_window": {"peak": "1", "valley": "0.50"}}]}
    prices = bundle(revision("electricity", **BY_WINDOW), revision("electricity", since="2026-01-11", **dearer))
    year = Year(prices)
    year.show(date(2026, 1, 1), 0, {PEAK: 0, VALLEY: 0})
    (line,) = year.show(date(2026, 2, 1), 93, {PEAK: 62, VALLEY: 31})
    assert line.amount_fen == 20 * 60 + 10 * 30 + 42 * 100 + 21 * 50


def test_a_meter_without_rate_registers_gives_no_line_for_a_tariff_by_window() -> None:
    year = Year(bundle(revision("electricity", **BY_WINDOW)))
    year.show(date(2026, 1, 1), 1_000, {PEAK: 700})
    assert year.show(date(2026, 2, 1), 1_150, {PEAK: 790}) == []
    assert year.estimator.refusals == 1


APART: dict[str, Any] = {
    "windows": WINDOWS,
    "charges": [
        {
            "key": "energy",
            "tiers": {"bounds": ["100"], "windows": "separate"},
            "by_window": {"peak": ["0.60", "0.70"], "valley": ["0.30", "0.40"]},
        }
    ],
}


def test_tiers_that_count_each_window_apart_go_on_from_the_registers_of_new_year() -> None:
    year = Year(bundle(revision("electricity", **APART)))
    year.show(date(2026, 1, 1), 0, {PEAK: 0, VALLEY: 0})
    (line,) = year.show(date(2026, 2, 1), 160, {PEAK: 110, VALLEY: 50})
    assert line.amount_fen == 100 * 60 + 10 * 70 + 50 * 30
    (line,) = Year(bundle(revision("electricity", **APART)), year.stored).show(
        date(2026, 3, 1), 250, {PEAK: 140, VALLEY: 110}
    )
    assert line.amount_fen == 30 * 70 + 50 * 30 + 10 * 40


def test_tiers_of_each_window_go_on_over_a_price_change_inside_the_month() -> None:
    dearer = {**APART, "charges": [{**APART["charges"][0], "by_window": {"peak": ["1", "2"], "valley": ["3", "4"]}}]}
    year = Year(bundle(revision("electricity", **APART), revision("electricity", since="2026-01-11", **dearer)))
    year.show(date(2026, 1, 1), 0, {PEAK: 0, VALLEY: 0})
    (line,) = year.show(date(2026, 2, 1), 372, {PEAK: 310, VALLEY: 62})
    assert line.amount_fen == 100 * 60 + 20 * 30 + 210 * 200 + 42 * 300


def test_a_window_whose_register_of_new_year_is_not_known_gives_no_line() -> None:
    year = Year(bundle(revision("electricity", **APART)))
    year.show(date(2026, 1, 1), 0, {PEAK: 0})
    year.show(date(2026, 2, 1), 160, {PEAK: 110})
    assert year.show(date(2026, 3, 1), 250, {PEAK: 140, VALLEY: 110}) == []
    assert year.estimator.refusals == 2


def test_a_meter_without_a_tariff_gives_no_line() -> None:
    year = Year()
    year.show(date(2026, 1, 1), 0)
    assert year.show(date(2026, 2, 1), 100) == []


def test_a_tariff_that_had_not_begun_gives_no_line_and_a_count() -> None:
    year = Year(bundle(revision("electricity", since="2026-06-01")))
    year.show(date(2026, 1, 1), 0)
    assert year.show(date(2026, 2, 1), 100) == []
    assert year.estimator.refusals == 1


@pytest.mark.parametrize(
    ("stay", "fen"),
    [(timedelta(minutes=30), 0), (timedelta(minutes=31), 500), (timedelta(hours=25, minutes=10), 3_700)],
)
def test_a_stay_is_quoted_by_the_tariff_of_its_lot(stay: timedelta, fen: int) -> None:
    estimator = Year(bundle(revision("parking"))).estimator
    entered = datetime.fromisoformat("2026-01-05T01:00:00+00:00")
    quoted = estimator.quote_stay("north", [Visit(entry=entered, exit=entered + stay)], **STRANGER)
    assert quoted is not None
    assert quoted[0] == fen
    assert quoted[1].rev == 1


NOTICE = {
    "year": 2026,
    "source": "notice",
    "days_off": [{"from": "2026-01-01", "to": "2026-01-03"}],
    "workdays": ["2026-01-04"],
    "statutory": ["2026-01-01"],
}
WORKING_DAYS: dict[str, Any] = {
    "session": {
        "windows": [
            {"name": "work", "days": ["workday"], "times": ["00:00-24:00"], "blocks": [{"every": 60, "price": "5"}]},
            {
                "name": "free",
                "days": ["day_off", "statutory"],
                "times": ["00:00-24:00"],
                "blocks": [{"every": 60, "price": "2"}],
            },
        ]
    }
}


@pytest.mark.parametrize(("day", "fen"), [("2026-01-02", 200), ("2026-01-04", 500), ("2026-01-10", 200)])
def test_a_stay_is_quoted_by_the_official_calendar_that_came_with_the_prices(day: str, fen: int) -> None:
    prices = bundle(revision("parking", **WORKING_DAYS)) | {"calendars": [NOTICE]}
    entered = datetime.fromisoformat(f"{day}T02:00:00+00:00")
    quoted = Year(prices).estimator.quote_stay(
        "north", [Visit(entry=entered, exit=entered + timedelta(minutes=50))], **STRANGER
    )
    assert quoted is not None
    assert quoted[0] == fen


def test_a_stay_by_working_days_is_not_quoted_without_a_calendar() -> None:
    estimator = Year(bundle(revision("parking", **WORKING_DAYS))).estimator
    entered = datetime.fromisoformat("2026-01-02T02:00:00+00:00")
    stay = Visit(entry=entered, exit=entered + timedelta(hours=1))
    assert estimator.quote_stay("north", [stay], **STRANGER) is None
    assert estimator.refusals == 1


def test_a_calendar_with_faults_refuses_the_bundle() -> None:
    with pytest.raises(FaultsError, match="2026 stands twice"):
        parse_prices(bundle(revision("parking")) | {"calendars": [NOTICE, NOTICE]})


def test_a_lot_without_a_tariff_is_not_quoted() -> None:
    entered = datetime.fromisoformat("2026-01-05T01:00:00+00:00")
    assert Year().estimator.quote_stay("north", [Visit(entry=entered, exit=entered)], **STRANGER) is None


def test_a_body_that_is_not_the_one_it_names_is_refused() -> None:
    altered = revision("electricity")
    altered["body"] = altered["body"] | {"charges": [{"key": "energy", "price": "0.01"}]}
    with pytest.raises(FaultsError, match="not the one it names"):
        parse_prices(bundle(altered))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"assignments": [{"charge_code": "x", "tariff_code": "electricity"}]}, "exactly one"),
        ({"assignments": [{"lot": "n", "charge_code": "x", "tariff_code": "gold"}]}, "gold has no revision"),
        ({"revisions": [{"tariff_code": "x"}]}, "effective_from"),
        ({"revisions": [revision("electricity") | {"body": {"format": "other"}}]}, "electricity 2025-01-01 rev 1"),
        ({"revisions": [revision("electricity") | {"body": None}]}, "has no body"),
    ],
)
def test_a_faulty_bundle_is_refused_whole(change: dict[str, Any], message: str) -> None:
    with pytest.raises(FaultsError, match=message):
        parse_prices(bundle(revision("electricity")) | change)


def test_damaged_marks_begin_anew() -> None:
    assert Months.unpack(b"\xff\x00") == Months()
    marks = Months().with_mark(date(2026, 1, 1), 5)
    assert Months.unpack(marks.pack()) == marks
