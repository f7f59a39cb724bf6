"""Time of use: by the rate registers of a meter, else by its readings where windows turn, never by a guess."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from cloud.rating.drafts import Draft
from cloud.rating.lines import ExceptionKind, RatingException
from cloud.rating.metered import rate_metered, wanted_days
from cloud.rating.scope import PlacedMeter
from cloud.rating.windowed import wanted_intervals, window_quantities
from cloud.tariffs.charge import ChargeBasis
from common.civil import Period, midnight
from common.reading.reading import Quantity, Resource
from common.tariff.compile import compile_tariff
from common.tariff.document import parse_tariff
from tests.cloud.rating.documents import Document, time_of_use
from tests.cloud.rating.town import (
    MARCH,
    ZONE,
    Town,
    flat,
    item,
    meter,
    only_drafts,
    only_exceptions,
    only_segments,
)

POWER = item("power", ChargeBasis.METERED, Resource.ELECTRICITY)
TWO_DAYS = Period(date(2026, 3, 3), date(2026, 3, 5))
TENTH = date(2026, 3, 10)
NEW_YEAR = date(2026, 1, 1)
KWH = 1000
TOTAL, PEAK, VALLEY = Quantity.ENERGY_FORWARD, Quantity.ENERGY_T2, Quantity.ENERGY_T4


def town(document: Document, period: Period = MARCH) -> Town:
    built = Town(period=period)
    built.live(1)
    built.charge(POWER, built.price(document))
    return built


def rated(built: Town) -> list[Draft | RatingException]:
    desk = built.desk()
    return [found for segment in only_segments(built.segments(POWER)) for found in rate_metered(desk, segment)]


def by_rates(built: Town, **days: tuple[int, int]) -> PlacedMeter:
    """Let a meter show peak and valley, in kWh, and their sum at midnights such as `d0301`."""
    shown = {date(2026, int(name[1:3]), int(name[3:])): pair for name, pair in days.items()}
    placed = built.read(meter(1, flat(1)), {day: KWH * (peak + valley) for day, (peak, valley) in shown.items()})
    for quantity, place in ((PEAK, 0), (VALLEY, 1)):
        built.show(placed, quantity, {midnight(day, ZONE): KWH * pair[place] for day, pair in shown.items()})
    return placed


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def quarters(placed: PlacedMeter, built: Town, first: datetime, count: int, each: int = 100) -> None:
    """Let a meter count so many milli-units every quarter of an hour."""
    built.show(placed, TOTAL, {first + timedelta(minutes=15 * n): each * n for n in range(count + 1)})


def test_each_window_is_priced_by_its_rate_register() -> None:
    built = town(time_of_use())
    by_rates(built, d0301=(700, 300), d0401=(790, 360))
    (draft,) = only_drafts(rated(built))
    assert draft.request.windows_milli == {"peak": 90 * KWH, "valley": 60 * KWH}
    assert (draft.line.amount_fen, draft.quantity_milli) == (54_00 + 18_00, 150 * KWH)


def test_the_rate_registers_are_asked_for_with_the_total() -> None:
    built = town(time_of_use())
    by_rates(built, d0301=(0, 0))
    (segment,) = only_segments(built.segments(POWER))
    assert {one.span.quantity for one in wanted_days(built.scope(), segment)} == {TOTAL, PEAK, VALLEY}


def test_a_rate_register_that_is_missing_is_an_exception_and_never_zero() -> None:
    built = town(time_of_use())
    placed = by_rates(built, d0301=(700, 300), d0401=(790, 360))
    del built.registers[placed.meter_id, VALLEY][1]
    (missing,) = only_exceptions(rated(built))
    assert missing.kind is ExceptionKind.NO_READING


def test_a_price_change_spreads_each_window_by_days_where_no_register_stands() -> None:
    built = town(time_of_use())
    built.price(time_of_use(charges=[{"key": "energy", "by_window": {"peak": "1", "valley": "0.50"}}]), TENTH)
    by_rates(built, d0301=(0, 0), d0401=(62, 31))
    old, new = only_drafts(rated(built))
    assert old.request.windows_milli == {"peak": 18 * KWH, "valley": 9 * KWH}
    assert (old.line.amount_fen, new.line.amount_fen) == (18 * 60 + 9 * 30, 44 * 100 + 22 * 50)


def test_windows_of_a_season_are_those_of_its_months() -> None:
    windows = [
        {"name": "heating_valley", "times": ["20:00-08:00"], "months": [11, 12, 1, 2, 3], "register": 4},
        {"name": "valley", "times": ["22:00-08:00"], "months": [4, 5, 6, 7, 8, 9, 10]},
        {"name": "peak", "times": ["00:00-24:00"]},
    ]
    prices = {"peak": "0.60", "valley": "0.30", "heating_valley": "0.20"}
    tariff = compile_tariff(
        parse_tariff(time_of_use(windows=windows, charges=[{"key": "energy", "by_window": prices}]))
    )
    assert window_quantities(tariff, MARCH) == {"heating_valley": VALLEY, "peak": PEAK}
    assert window_quantities(tariff, Period(date(2026, 4, 1), date(2026, 5, 1))) == {"valley": VALLEY, "peak": PEAK}
    assert window_quantities(tariff, Period(date(2026, 3, 15), date(2026, 4, 15))) == {}


def test_tiers_that_count_each_window_apart_go_on_from_the_registers_of_new_year() -> None:
    apart = {"key": "energy", "tiers": {"bounds": ["100"], "windows": "separate"}}
    prices = {"peak": ["0.60", "1"], "valley": ["0.30", "2"]}
    built = town(time_of_use(accumulate={"over": "year"}, charges=[{**apart, "by_window": prices}]))
    by_rates(built, d0101=(0, 0), d0301=(80, 95), d0401=(110, 105))
    (draft,) = only_drafts(rated(built))
    assert draft.request.prior_windows_milli == {"peak": 80 * KWH, "valley": 95 * KWH}
    assert draft.line.amount_fen == 20 * 60 + 10 * 100 + 5 * 30 + 5 * 200


def test_a_meter_with_one_register_is_told_by_its_readings_where_windows_turn() -> None:
    built = town(time_of_use(), TWO_DAYS)
    quarters(built.read(meter(1, flat(1)), {}), built, at(3, 0), 2 * 96)
    (draft,) = only_drafts(rated(built))
    assert draft.request.windows_milli == {"peak": 2 * 56 * 100, "valley": 2 * 40 * 100}


def test_only_meters_without_rate_registers_are_read_inside_the_days() -> None:
    built = town(time_of_use(), TWO_DAYS)
    placed = built.read(meter(1, flat(1)), {})
    segments = only_segments(built.segments(POWER))
    parts, moments = wanted_intervals(built.desk(), segments)
    assert ([one.days for one in parts], sorted(one.hour for one in moments)) == ([TWO_DAYS], [0, 8, 22])
    built.show(placed, PEAK, {at(3, 0): 0})
    assert wanted_intervals(built.desk(), segments) == ([], frozenset())


def test_a_hole_where_a_window_turns_is_an_exception_that_names_the_time() -> None:
    built = town(time_of_use(), TWO_DAYS)
    placed = built.read(meter(1, flat(1)), {})
    quarters(placed, built, at(3, 0), 2 * 96)
    known = built.registers[placed.meter_id, TOTAL]
    known[:] = [ref for ref in known if not at(4, 6, 30) < ref.read_at < at(4, 9, 30)]
    (missing,) = only_exceptions(rated(built))
    assert (missing.kind, "2026-03-04 08:00 没有读数" in missing.detail_zh) == (ExceptionKind.NO_READING, True)
    assert "2026-03-04 08:00" in missing.detail_en


def test_a_register_that_falls_inside_a_day_is_an_exception() -> None:
    built = town(time_of_use(), TWO_DAYS)
    placed = built.read(meter(1, flat(1)), {TWO_DAYS.start: 0, TWO_DAYS.end: 20 * KWH})
    edges = {at(3, 8): 4, at(3, 22): 9, at(4, 0): 8, at(4, 8): 12, at(4, 22): 18}
    built.show(placed, TOTAL, {instant: value * KWH for instant, value in edges.items()})
    (missing,) = only_exceptions(rated(built))
    assert missing.kind is ExceptionKind.BACKWARDS


def test_working_days_without_an_official_calendar_are_an_exception() -> None:
    windows = [
        {"name": "peak", "days": ["workday"], "times": ["08:00-22:00"]},
        {"name": "valley", "times": ["00:00-24:00"]},
    ]
    built = town(time_of_use(windows=windows), TWO_DAYS)
    quarters(built.read(meter(1, flat(1)), {}), built, at(3, 0), 2 * 96)
    (refused,) = only_exceptions(rated(built))
    assert "2026" in refused.detail_en


def test_a_meter_put_in_during_the_day_counts_from_its_first_reading() -> None:
    built = town(time_of_use(), TWO_DAYS)
    placed = built.read(meter(1, flat(1)), {})
    begun = built.replace_meter(placed, TWO_DAYS.start, placed)
    quarters(begun, built, at(3, 10), 4 * 38)
    (draft,) = only_drafts(rated(built))
    assert draft.request.windows_milli == {"peak": 4 * 12 * 100 + 56 * 100, "valley": 40 * 100 + 2 * 4 * 100}


def test_a_tariff_that_also_prices_one_register_takes_a_meter_without_rates_by_its_total() -> None:
    single = {"key": "single", "when": {"metering": "single"}, "charges": [{"key": "energy", "price": "0.50"}]}
    windows = {"key": "windows", "when": {"metering": "windows"}}
    by_window = [{"key": "energy", "by_window": {"peak": "0.60", "valley": "0.30"}}]
    document = dict(time_of_use(cases=[single, {**windows, "charges": by_window}]))
    del document["charges"]
    built = town(document)
    built.read(meter(1, flat(1)), {MARCH.start: 0, MARCH.end: 100 * KWH})
    assert wanted_intervals(built.desk(), only_segments(built.segments(POWER))) == ([], frozenset())
    (draft,) = only_drafts(rated(built))
    assert (draft.line.amount_fen, draft.request.windows_milli) == (50_00, {})


@pytest.mark.parametrize("day", [3, 4])
def test_readings_do_not_tell_the_running_total_of_a_window(day: int) -> None:
    apart = {"key": "energy", "tiers": {"bounds": ["100"], "windows": "separate"}}
    prices = {"peak": ["0.60", "1"], "valley": ["0.30", "2"]}
    document = time_of_use(accumulate={"over": "year"}, charges=[{**apart, "by_window": prices}])
    built = town(document, Period(date(2026, 3, day), date(2026, 3, day + 1)))
    quarters(built.read(meter(1, flat(1)), {NEW_YEAR: 0}), built, at(day, 0), 96)
    (refused,) = only_exceptions(rated(built))
    assert (refused.kind, "rate registers" in refused.detail_en) == (ExceptionKind.NO_READING, True)
