"""A meter with one register under prices by window: told apart by its readings where windows turn, or not priced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.civil import Period, midnight
from common.rating.engine import rate
from common.rating.request import RatingRequest
from common.reading.reading import Quality, Quantity, Reading
from common.tariff.compile import compile_tariff
from common.tariff.document import parse_tariff
from common.wire.records import ProvisionalLine
from edge.driver.outcome import DeviceConfig
from edge.prerate.estimator import Estimator
from edge.prerate.prices import parse_prices
from edge.prerate.turns import Share, Turns
from tests.edge.builders import meter
from tests.edge.prerate.test_estimator import BY_WINDOW, NOTICE, ZONE, bundle, device, revision

FEBRUARY = Period(date(2026, 2, 1), date(2026, 3, 1))
TURNS = (0, 8, 22)
TIERED: dict[str, Any] = {
    **BY_WINDOW,
    "charges": [
        {
            "key": "energy",
            "tiers": {"bounds": ["100"], "windows": "proportional"},
            "by_window": {"peak": ["0.60", "0.70"], "valley": ["0.30", "0.40"]},
        }
    ],
}


def turns_of(days: Period, hours: Iterable[int] = TURNS) -> list[datetime]:
    """Return every instant of some days at which a window turns, the closing midnight too."""
    each = [days.start + timedelta(days=n) for n in range(days.days)]
    instants = [
        datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).astimezone(UTC) for day in each for hour in hours
    ]
    return [*instants, midnight(days.end, ZONE)]


class Readings:
    """A gateway that is shown one register at instants."""

    def __init__(self, body: Mapping[str, Any], stored: Mapping[str, bytes] | None = None) -> None:
        self.estimator = Estimator(stored or {}, ZONE)
        self.estimator.use(parse_prices(body))
        self.stored: dict[str, bytes] = dict(stored or {})
        self.device: DeviceConfig = device()

    def show(
        self, slot: datetime, milli: int, *, late: timedelta = timedelta(0), quality: Quality = Quality.GOOD
    ) -> list[ProvisionalLine]:
        reading = Reading(
            meter_id=meter(1),
            quantity=Quantity.ENERGY_FORWARD,
            read_at=slot + late,
            value_milli=milli,
            quality=quality,
        )
        derived = self.estimator.observe(self.device, slot, [reading])
        self.stored.update({state.name: state.body for state in derived.states if state.body is not None})
        return [record for record in derived.records if isinstance(record, ProvisionalLine)]

    def run(self, registers: Mapping[datetime, int]) -> list[ProvisionalLine]:
        return [line for slot, milli in sorted(registers.items()) for line in self.show(slot, milli)]


def counting(days: Period, peak: int, valley: int) -> dict[datetime, int]:
    """Return registers at every turn of a meter that counts so much in each peak stretch and each valley stretch."""
    registers, total = {}, 5_000
    for slot in turns_of(days):
        registers[slot] = total
        total += peak if slot.astimezone(ZONE).hour == 8 else valley
    return registers


def test_each_window_is_what_was_counted_between_its_turns() -> None:
    (line,) = Readings(bundle(revision("electricity", **BY_WINDOW))).run(counting(FEBRUARY, 3_000, 1_000))
    assert line.usage_milli == 28 * 5_000
    assert line.amount_fen == 28 * 3 * 60 + 28 * 2 * 30
    assert (line.period_start, line.period_end) == ("2026-02-01", "2026-03-01")


def test_the_turns_survive_a_restart_and_readings_between_them_change_nothing() -> None:
    body = bundle(revision("electricity", **BY_WINDOW))
    registers = counting(FEBRUARY, 3_000, 1_000)
    early = {slot: milli for slot, milli in registers.items() if slot < midnight(date(2026, 2, 15), ZONE)}
    before = Readings(body)
    before.run(early)
    between = [slot + timedelta(minutes=15) for slot in registers if slot not in early][:-1]
    after = Readings(body, before.stored)
    rest = {slot: milli for slot, milli in registers.items() if slot not in early}
    (line,) = after.run(rest | {slot: registers[slot - timedelta(minutes=15)] for slot in between})
    assert line.amount_fen == 28 * 3 * 60 + 28 * 2 * 30


def test_the_next_month_begins_anew() -> None:
    gateway = Readings(bundle(revision("electricity", **BY_WINDOW)))
    gateway.run(counting(FEBRUARY, 3_000, 1_000))
    march = Period(date(2026, 3, 1), date(2026, 4, 1))
    begun = 5_000 + 28 * 5_000
    registers = {slot: begun + milli - 5_000 for slot, milli in counting(march, 2_000, 500).items()}
    (line,) = gateway.run(registers)
    assert line.amount_fen == 31 * 2 * 60 + 31 * 30


@pytest.mark.parametrize("hour", [0, 8, 22])
def test_a_turn_without_a_reading_gives_no_line(hour: int) -> None:
    registers = counting(FEBRUARY, 3_000, 1_000)
    del registers[datetime(2026, 2, 10, hour, tzinfo=ZONE).astimezone(UTC)]
    gateway = Readings(bundle(revision("electricity", **BY_WINDOW)))
    assert gateway.run(registers) == []
    assert gateway.estimator.refusals == 1


@pytest.mark.parametrize(
    ("late", "quality"), [(timedelta(hours=2), Quality.GOOD), (timedelta(0), Quality.JUMP)], ids=["late", "doubtful"]
)
def test_a_late_or_doubtful_reading_is_no_turn(late: timedelta, quality: Quality) -> None:
    gateway = Readings(bundle(revision("electricity", **BY_WINDOW)))
    odd = datetime(2026, 2, 10, 8, tzinfo=ZONE).astimezone(UTC)
    lines = []
    for slot, milli in sorted(counting(FEBRUARY, 3_000, 1_000).items()):
        lines += gateway.show(slot, milli, late=late, quality=quality) if slot == odd else gateway.show(slot, milli)
    assert lines == []
    assert gateway.estimator.refusals == 1


def test_a_register_that_falls_inside_the_month_gives_no_line() -> None:
    registers = counting(FEBRUARY, 3_000, 1_000)
    registers[datetime(2026, 2, 10, 8, tzinfo=ZONE).astimezone(UTC)] = 1
    gateway = Readings(bundle(revision("electricity", **BY_WINDOW)))
    assert gateway.run(registers) == []
    assert gateway.estimator.refusals == 1


def test_a_price_change_inside_the_month_goes_by_the_readings_of_that_midnight() -> None:
    charge = {"key": "energy", "by_window": {"peak": "1", "valley": "0.50"}}
    dearer = revision("electricity", since="2026-02-11", **{**BY_WINDOW, "charges": [charge]})
    registers = counting(Period(FEBRUARY.start, date(2026, 2, 11)), 3_000, 1_000)
    turned = max(registers.values())
    later = counting(Period(date(2026, 2, 11), FEBRUARY.end), 100, 2_000)
    registers |= {slot: turned + milli - 5_000 for slot, milli in later.items()}
    (line,) = Readings(bundle(revision("electricity", **BY_WINDOW), dearer)).run(registers)
    assert line.amount_fen == 10 * (3 * 60 + 2 * 30) + 18 * (10 + 4 * 50)


def test_the_multiplier_is_applied_before_windows_are_told_apart() -> None:
    gateway = Readings(bundle(revision("electricity", **BY_WINDOW)))
    gateway.device = device(multiplier_milli=40_000)
    (line,) = gateway.run(counting(FEBRUARY, 300, 100))
    assert line.amount_fen == 28 * 12 * 60 + 28 * 8 * 30


def test_a_meter_with_rate_registers_is_not_told_apart_by_readings() -> None:
    gateway = Readings(bundle(revision("electricity", **BY_WINDOW)))
    gateway.device = replace(device(), points=(Quantity.ENERGY_FORWARD, Quantity.ENERGY_T2))
    assert gateway.run(counting(FEBRUARY, 3_000, 1_000)) == []
    assert gateway.estimator.refusals == 1


WORKING: dict[str, Any] = {
    **BY_WINDOW,
    "windows": [
        {"name": "peak", "days": ["workday"], "times": ["08:00-22:00"]},
        {"name": "valley", "times": ["00:00-24:00"]},
    ],
}


def test_working_days_are_those_of_the_official_calendar_and_without_it_there_is_no_line() -> None:
    body, registers = bundle(revision("electricity", **WORKING)), counting(FEBRUARY, 3_000, 1_000)
    (line,) = Readings(body | {"calendars": [NOTICE]}).run(registers)
    assert line.amount_fen == 20 * 3 * 60 + (28 * 2 + 8 * 3) * 30
    gateway = Readings(body)
    assert gateway.run(registers) == []
    assert gateway.estimator.refusals == 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 9_999), min_size=84, max_size=84))
def test_the_estimate_is_what_the_engine_makes_of_the_same_windows(counted: list[int]) -> None:
    instants = turns_of(FEBRUARY)
    registers = {slot: sum(counted[:number]) for number, slot in enumerate(instants)}
    document = revision("electricity", **TIERED)
    (line,) = Readings(bundle(document)).run(registers)
    peak = sum(milli for slot, milli in zip(instants, counted, strict=False) if slot.astimezone(ZONE).hour == 8)
    request = RatingRequest(period=FEBRUARY, windows_milli={"peak": peak, "valley": sum(counted) - peak})
    assert line.amount_fen == rate(compile_tariff(parse_tariff(document["body"])), request).amount_fen


def test_damaged_turns_begin_anew() -> None:
    assert Turns.unpack(b"\xff\x00") == Turns()
    share = Share(since=date(2026, 2, 1), body_sha="a" * 64, window="peak", starts_ms=5, milli=7)
    kept = Turns(last=(9, 8), shares=(share,))
    assert Turns.unpack(kept.pack()) == kept
