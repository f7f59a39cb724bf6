"""What a meter counted: between readings, spread by days at a cut without one, never beyond the ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from cloud.metering.usage import MissingUsage
from cloud.rating.counted import Counted, CountedDays, counted, counted_total
from common.civil import Period, midnight
from common.rating.request import SplitUsage
from common.reading.reading import Quantity
from tests.cloud.rating.town import MARCH, ZONE, Town, flat, meter

ELEVENTH = date(2026, 3, 11)
KWH = 1000
FIRST, LAST = Period(MARCH.start, ELEVENTH), Period(ELEVENTH, MARCH.end)
CUTS = (MARCH.start, ELEVENTH, MARCH.end)


def part(days: Period) -> CountedDays:
    return CountedDays(meter=meter(1, flat(1)), days=days)


def town(**registers: int) -> Town:
    """Return a meter with registers in kWh by day of March, `d11=10`; the last is that of the first of April."""
    built = Town()
    shown = {date(2026, 3, int(name[1:])) if name != "end" else MARCH.end: kwh * KWH for name, kwh in registers.items()}
    built.read(meter(1, flat(1)), shown)
    return built


def found(built: Town, days: Period, cuts: tuple[date, ...] = CUTS) -> tuple[int, SplitUsage]:
    usage = counted(built.desk(), part(days), cuts)
    assert isinstance(usage, Counted)
    return usage.usage.quantity_milli, usage.by


def test_readings_at_both_ends_are_taken_as_they_are() -> None:
    assert found(town(d1=0, d11=4, end=31), FIRST) == (4 * KWH, SplitUsage.READINGS)


def test_a_cut_without_a_reading_is_bridged_by_days() -> None:
    built = town(d1=0, end=31)
    assert [found(built, days) for days in (FIRST, LAST)] == [(10 * KWH, SplitUsage.DAYS), (21 * KWH, SplitUsage.DAYS)]


def test_without_cuts_nothing_is_bridged() -> None:
    assert isinstance(counted(town(d1=0, end=31).desk(), part(FIRST), ()), MissingUsage)


def test_the_ends_of_the_whole_are_never_bridged() -> None:
    assert isinstance(counted(town(d1=0).desk(), part(LAST), CUTS), MissingUsage)


def test_another_register_is_bridged_by_its_own_readings() -> None:
    built = town(d1=0, d11=4, end=31)
    built.show(
        meter(1, flat(1)),
        Quantity.ENERGY_T2,
        {midnight(day, ZONE): kwh * KWH for day, kwh in ((MARCH.start, 0), (MARCH.end, 62))},
    )
    usage = counted(built.desk(), replace(part(FIRST), quantity=Quantity.ENERGY_T2), CUTS)
    assert isinstance(usage, Counted)
    assert (usage.usage.quantity_milli, usage.by) == (20 * KWH, SplitUsage.DAYS)


def test_meters_are_added_up_or_the_first_that_is_missing_is_told() -> None:
    built = town(d1=0, d11=4, end=31)
    assert counted_total(built.desk(), [part(FIRST), part(LAST)]) == 31 * KWH
    stranger = CountedDays(meter=meter(2, flat(2)), days=FIRST)
    missing = counted_total(built.desk(), [part(FIRST), stranger])
    assert isinstance(missing, MissingUsage)
    assert missing.meter_id == stranger.meter.meter_id
