"""Time windows: where a stretch of time is cut, and which register of a meter counts which window."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

import pytest

from common.errors import FaultsError
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.windows import WindowFinder, rate_registers, usage_by_window
from common.tariff.document import TariffDocument, parse_tariff
from tests.common.tariff.builders import body
from tests.common.tariff.library import SHANGHAI, in_force

DAY, NIGHT = ["08:00-22:00"], ["22:00-08:00"]


def windowed(*windows: Mapping[str, object]) -> TariffDocument:
    prices = {str(window["name"]): "1" for window in windows}
    return parse_tariff(body(windows=list(windows), charges=[{"key": "e", "by_window": prices}]))


def registers(months: set[int], *windows: Mapping[str, object]) -> dict[str, int]:
    return rate_registers(windowed(*windows).windows, months)


def test_the_rates_of_the_trade_have_their_usual_registers() -> None:
    names = [("sharp", "10:00-11:00"), ("peak", "08:00-22:00"), ("flat", "06:00-08:00"), ("valley", "22:00-06:00")]
    windows = [{"name": name, "times": [times]} for name, times in names]
    assert registers({6}, *windows) == {"sharp": 1, "peak": 2, "flat": 3, "valley": 4}


def test_a_window_may_say_its_register() -> None:
    day, night = {"name": "day", "times": DAY, "register": 1}, {"name": "valley", "times": NIGHT, "register": 2}
    assert registers({6}, day, night) == {"day": 1, "valley": 2}


def test_registers_that_cannot_tell_windows_apart_are_none() -> None:
    day, night = {"name": "day", "times": DAY, "register": 1}, {"name": "night", "times": NIGHT}
    assert registers({6}, day, night) == {}
    assert registers({6}, day, {**night, "register": 1}) == {}


def test_windows_of_other_months_need_no_register() -> None:
    tariff = in_force("electricity/jinan-tou", datetime(2026, 1, 1, tzinfo=UTC).date())
    windows = tariff.document.windows
    assert rate_registers(windows, {6, 7}) == {"peak": 2, "valley": 4}
    assert rate_registers(windows, {1}) == {"peak": 2, "valley_heating": 4}
    assert rate_registers(windows, {3, 4}) == {}


@pytest.mark.parametrize("register", [0, 5, "peak"])
def test_a_register_is_one_of_four(register: object) -> None:
    with pytest.raises(FaultsError, match=r"windows\[0\]\.register"):
        windowed({"name": "day", "times": ["00:00-24:00"], "register": register})


def test_windows_of_one_name_have_one_register() -> None:
    summer = {"name": "day", "times": ["00:00-24:00"], "months": [6], "register": 1}
    with pytest.raises(FaultsError, match=r"windows\[0\]\.register: day has another register elsewhere"):
        windowed(summer, {"name": "day", "times": ["00:00-24:00"]})


def test_a_stretch_is_cut_at_midnights_and_where_windows_turn() -> None:
    windows = windowed({"name": "day", "times": DAY}, {"name": "night", "times": NIGHT}).windows
    finder = WindowFinder(windows, SHANGHAI.zone, None)
    start = datetime(2026, 6, 1, 21, tzinfo=SHANGHAI.zone)
    end = datetime(2026, 6, 2, 8, 30, tzinfo=SHANGHAI.zone)
    pieces = list(finder.pieces(start, end))
    hours = [(first.astimezone(SHANGHAI.zone).hour, last.astimezone(SHANGHAI.zone).hour) for first, last in pieces]
    assert hours == [(21, 22), (22, 0), (0, 8), (8, 8)]
    assert (pieces[0][0], pieces[-1][1]) == (start, end)


def test_no_piece_of_a_stretch_is_without_length() -> None:
    finder = WindowFinder(windowed({"name": "all", "times": ["00:00-24:00"]}).windows, SHANGHAI.zone, None)
    start, end = (datetime(2026, 6, day, tzinfo=SHANGHAI.zone) for day in (1, 3))
    middle = datetime(2026, 6, 2, tzinfo=SHANGHAI.zone)
    assert list(finder.pieces(start, end)) == [(start, middle), (middle, end)]


@pytest.mark.parametrize("hours", [-12, 14])
def test_a_stretch_is_cut_by_the_clock_of_its_place_wherever_the_machine_stands(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    finder = WindowFinder(
        windowed({"name": "day", "times": DAY}, {"name": "night", "times": NIGHT}).windows, zone, None
    )
    start, end = datetime(2026, 6, 1, 7, tzinfo=zone), datetime(2026, 6, 1, 23, tzinfo=zone)
    cuts = [first.astimezone(zone).hour for first, _ in finder.pieces(start.astimezone(UTC), end.astimezone(UTC))]
    assert cuts == [7, 8, 22]


def test_an_instant_that_cannot_be_placed_is_refused_with_its_kind() -> None:
    nothing = WindowFinder(windowed({"name": "day", "times": ["00:00-24:00"]}).windows[:0], SHANGHAI.zone, None)
    with pytest.raises(RatingRefusedError) as hole:
        nothing.at(datetime(2026, 6, 1, tzinfo=UTC))
    assert hole.value.kind is RefusalKind.NO_PRICE
    worked = {"name": "work", "times": ["00:00-24:00"], "days": ["workday"]}
    finder = WindowFinder(windowed(worked, {"name": "rest", "times": ["00:00-24:00"]}).windows, SHANGHAI.zone, None)
    with pytest.raises(RatingRefusedError, match="the windows need the official calendar of 2026") as unknown:
        finder.at(datetime(2026, 6, 1, tzinfo=UTC))
    assert unknown.value.kind is RefusalKind.NO_CALENDAR


def test_windows_of_the_months_of_the_place_have_zero_where_nothing_was_used() -> None:
    june = {"name": "june", "times": DAY, "months": [6]}
    finder = WindowFinder(windowed(june, {"name": "rest", "times": ["00:00-24:00"]}).windows, SHANGHAI.zone, None)
    night = datetime(2026, 6, 1, 1, tzinfo=SHANGHAI.zone).astimezone(UTC)
    assert usage_by_window(finder, [(night, 100)]) == {"rest": 100, "june": 0}


def test_a_window_may_hold_on_some_days_of_the_week() -> None:
    week = {"name": "week", "times": ["00:00-24:00"], "weekdays": ["mon", "tue", "wed", "thu", "fri"]}
    finder = WindowFinder(windowed(week, {"name": "end", "times": ["00:00-24:00"]}).windows, SHANGHAI.zone, None)
    days = [datetime(2026, 6, day, 12, tzinfo=SHANGHAI.zone) for day in (5, 6, 7, 8)]
    assert [finder.at(day).name for day in days] == ["week", "end", "end", "week"]
