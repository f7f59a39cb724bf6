"""A chart is plain data that a browser draws; its figures are those given."""

from __future__ import annotations

import json

from cloud.web.charts import bars, counts, curve, uses


def test_bars_carry_each_series_in_yuan() -> None:
    option = bars(["1", "2"], [("billed", "#111", [12_345, 0]), ("received", "#222", [-100, 7])])
    assert [(one["name"], one["data"]) for one in option["series"]] == [
        ("billed", [123.45, 0]),
        ("received", [-1, 0.07]),
    ]
    assert json.loads(json.dumps(option)) == option


def test_a_tooltip_is_drawn_and_never_markup_of_its_own() -> None:
    assert bars([], [])["tooltip"]["renderMode"] == "richText"
    assert curve([], "x", [])["tooltip"]["renderMode"] == "richText"


def test_a_curve_has_a_point_for_each_day() -> None:
    option = curve(["01", "02"], "receipts", [100, 250])
    assert option["xAxis"]["data"] == ["01", "02"]
    assert option["series"][0]["data"] == [1, 2.5]


def test_counts_are_whole_numbers_as_they_are() -> None:
    option = counts(["a", "b"], "homes", [3, 0])
    assert option["series"][0]["data"] == [3, 0]
    assert option["yAxis"]["minInterval"] == 1


def test_an_hour_that_is_not_known_has_no_bar() -> None:
    option = uses(["00:00", "01:00", "02:00"], "MASTER", [1_500, None, 0])
    assert option["series"][0]["data"] == [1.5, None, 0.0]
