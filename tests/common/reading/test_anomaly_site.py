"""Silent slots are weighed a day at a time; two meters that answer for each other are told once."""

from __future__ import annotations

from common.reading.anomaly import DAY_MS, HOUR_MS, LIMITS, Finding, Moment, Rule, WatchState, observe
from common.reading.anomaly_site import CommsState, Swaps, count_slot
from common.reading.reading import Resource

WATER = LIMITS[Resource.WATER]


def comms(days: list[list[bool]]) -> list[Finding]:
    state: CommsState | None = None
    found = []
    for day, slots in enumerate(days):
        for answered in slots:
            state, finding = count_slot(state, day, answered=answered)
            found += [] if finding is None else [finding]
    return found


def test_a_day_with_a_quarter_of_its_slots_silent_is_told_when_it_is_over() -> None:
    bad, good = [True, True, True, False] * 24, [True] * 96
    assert comms([bad, good]) == [Finding(rule=Rule.COMMS_QUALITY, value=250, limit=200)]
    assert comms([good, good]) == []
    assert comms([[False, True], good]) == [], "two slots are no day"


def series(at_ms: int, milli: int) -> WatchState:
    return observe(None, Moment(at_ms=at_ms, day=0, minute=0), milli, WATER).state


def test_two_meters_that_show_each_others_registers_are_told_once() -> None:
    others = {"a": series(DAY_MS, 1_000_000), "b": series(DAY_MS, 50_000), "c": series(DAY_MS, 9_000_000)}
    swaps, now = Swaps(), DAY_MS + HOUR_MS
    assert swaps.odd("a", now, 50_020, others, WATER) is None
    assert swaps.odd("b", now, 1_000_030, others, WATER) == "a"
    assert swaps.odd("b", now, 1_000_030, others, WATER) is None


def test_a_register_that_fits_nobody_or_several_is_no_swap() -> None:
    others = {"a": series(DAY_MS, 1_000_000), "b": series(DAY_MS, 50_000), "c": series(DAY_MS, 50_010)}
    swaps, now = Swaps(), DAY_MS + HOUR_MS
    assert swaps.odd("a", now, 7, others, WATER) is None
    assert swaps.odd("a", now, 50_020, others, WATER) is None
    assert swaps.odd("b", now, 1_000_030, others, WATER) is None
