"""Usage between registers: segments tile time, a multiplier keeps sums exact, an exchange counts both meters."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.metering.registers import RegisterBook
from cloud.metering.usage import (
    MissingKind,
    MissingUsage,
    RegisterRef,
    SegmentKind,
    Span,
    UsageSegment,
    register_at,
    usage_between,
)
from common.civil import Period
from common.reading.reading import Quality, Quantity
from tests.cloud.metering.building import ZONE, at, meter

MONDAY = date(2026, 1, 5)
ENERGY = Quantity.ENERGY_FORWARD


def ref(day: date, value_milli: int, *, minutes: int = 0, quality: Quality = Quality.GOOD) -> RegisterRef:
    return RegisterRef(
        meter_id=meter(1),
        quantity=ENERGY,
        read_at=at(day) + timedelta(minutes=minutes),
        value_milli=value_milli,
        quality=quality,
    )


def span(
    start: date, end: date, *, multiplier_milli: int = 1000, installed: bool = False, removed: bool = False
) -> Span:
    return Span(
        meter_id=meter(1),
        quantity=ENERGY,
        period=Period(start, end),
        multiplier_milli=multiplier_milli,
        digits=6,
        starts_installed=installed,
        ends_removed=removed,
    )


def book(*refs: RegisterRef) -> RegisterBook:
    return RegisterBook({(meter(1), ENERGY): refs}, {}, ZONE)


@given(
    st.lists(st.integers(0, 10**9), min_size=3, max_size=9).map(sorted),
    st.integers(1, 10_000_000),
)
def test_segments_of_a_meter_tile_time_and_sum_to_the_whole(values: list[int], multiplier_milli: int) -> None:
    days = [MONDAY + timedelta(days=n) for n in range(len(values))]
    registers = book(*(ref(day, value) for day, value in zip(days, values, strict=True)))

    def usage(start: date, end: date) -> int:
        segment = registers.usage(span(start, end, multiplier_milli=multiplier_milli))
        assert isinstance(segment, UsageSegment)
        return segment.quantity_milli

    assert sum(usage(start, end) for start, end in pairwise(days)) == usage(days[0], days[-1])


@pytest.mark.parametrize(
    ("minutes", "stands"),
    [(0, True), (59, True), (60, True), (61, False), (-60, True), (-61, False)],
)
def test_a_reading_stands_for_a_midnight_within_an_hour_of_it(minutes: int, *, stands: bool) -> None:
    assert (register_at(at(MONDAY), [ref(MONDAY, 5, minutes=minutes)]) is not None) is stands


def test_of_two_equally_near_readings_the_later_stands_for_midnight() -> None:
    chosen = register_at(at(MONDAY), [ref(MONDAY, 5, minutes=-10), ref(MONDAY, 6, minutes=10)])
    assert chosen is not None
    assert chosen.value_milli == 6


@pytest.mark.parametrize(
    ("start", "end", "kind", "day"),
    [
        (None, ref(MONDAY, 9), MissingKind.NO_READING, MONDAY),
        (ref(MONDAY, 9), None, MissingKind.NO_READING, MONDAY + timedelta(days=7)),
        (ref(MONDAY, 9, quality=Quality.SUSPECT), ref(MONDAY, 9), MissingKind.HELD_READING, MONDAY),
        (ref(MONDAY, 9), ref(MONDAY, 99, quality=Quality.JUMP), MissingKind.HELD_READING, MONDAY + timedelta(days=7)),
        (ref(MONDAY, 9), ref(MONDAY, 8), MissingKind.BACKWARDS, MONDAY + timedelta(days=7)),
    ],
    ids=["no first", "no last", "first suspect", "last jumped", "backwards"],
)
def test_what_is_not_known_is_missing_with_its_reason_and_never_zero(
    start: RegisterRef | None, end: RegisterRef | None, kind: MissingKind, day: date
) -> None:
    usage = usage_between(span(MONDAY, MONDAY + timedelta(days=7)), start, end)
    assert isinstance(usage, MissingUsage)
    assert (usage.kind, usage.day) == (kind, day)


def test_an_estimated_register_makes_an_estimated_usage() -> None:
    usage = usage_between(
        span(MONDAY, MONDAY + timedelta(days=7)), ref(MONDAY, 1), ref(MONDAY, 4, quality=Quality.ESTIMATED)
    )
    assert isinstance(usage, UsageSegment)
    assert usage.kind is SegmentKind.ESTIMATED


def test_a_replaced_meter_counts_to_its_last_dial_and_the_new_one_from_its_first() -> None:
    swap = MONDAY + timedelta(days=3)
    old = book(ref(MONDAY, 1_000), ref(swap, 1_300), ref(swap, 1_350, minutes=600))
    counted = old.usage(span(MONDAY, swap, removed=True))
    assert isinstance(counted, UsageSegment)
    assert counted.quantity_milli == 350
    new = book(ref(swap, 7, minutes=610), ref(swap + timedelta(days=1), 40))
    begun = new.usage(span(swap, swap + timedelta(days=1), installed=True))
    assert isinstance(begun, UsageSegment)
    assert begun.quantity_milli == 33


def test_without_the_exchange_a_late_first_reading_does_not_stand_for_midnight() -> None:
    usage = book(ref(MONDAY, 7, minutes=610), ref(MONDAY + timedelta(days=1), 40)).usage(
        span(MONDAY, MONDAY + timedelta(days=1))
    )
    assert isinstance(usage, MissingUsage)
