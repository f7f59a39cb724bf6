"""Each rule fires on its case, stays quiet on a sound meter, and a false value is no yardstick."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from common.reading.anomaly import (
    DAY_MS,
    DAYS_KEPT,
    HOUR_MS,
    LIMITS,
    Moment,
    Rule,
    WatchState,
    observe,
)
from common.reading.reading import Quality, Resource

WATER = LIMITS[Resource.WATER]
SOUND_HOURS = [0, 0, 0, 0, 0, 0, 60, 40, 10, 0, 0, 20, 30, 0, 0, 0, 0, 25, 50, 40, 10, 5, 0, 0]


def moment(at_ms: int) -> Moment:
    return Moment(at_ms=at_ms, day=at_ms // DAY_MS, minute=at_ms % DAY_MS // 60_000)


def watch(series: list[tuple[int, int]]) -> tuple[list[tuple[Rule, int]], list[Quality]]:
    state: WatchState | None = None
    found, flags = [], []
    for at_ms, value in series:
        verdict = observe(state, moment(at_ms), value, WATER)
        state = verdict.state
        found += [(finding.rule, at_ms) for finding in verdict.findings]
        flags.append(verdict.quality)
    return found, flags


def hourly(days: int, extra: int = 0, *, start: int = 0) -> list[tuple[int, int]]:
    value, series = start, []
    for hour in range(days * 24):
        series.append((DAY_MS + hour * HOUR_MS, value))
        value += SOUND_HOURS[hour % 24] + extra
    return series


def rules(series: list[tuple[int, int]]) -> list[Rule]:
    return [rule for rule, _ in watch(series)[0]]


def test_a_sound_household_raises_nothing() -> None:
    assert watch(hourly(60))[0] == []


def test_a_steady_leak_is_found_by_its_nights_and_by_never_resting() -> None:
    found = rules(hourly(8, extra=6))
    assert found.count(Rule.NIGHT_FLOW) == 1
    assert found.count(Rule.CONTINUOUS_FLOW) == 1


def test_a_register_that_goes_back_is_flagged_and_the_next_right_one_is_not() -> None:
    found, flags = watch([(HOUR_MS, 1_000), (2 * HOUR_MS, 500), (3 * HOUR_MS, 1_010)])
    assert [rule for rule, _ in found] == [Rule.BACKWARDS]
    assert flags == [Quality.GOOD, Quality.BACKWARDS, Quality.GOOD]


def test_a_strangers_value_is_flagged_and_does_not_make_the_right_one_look_false() -> None:
    found, flags = watch([(HOUR_MS, 1_000), (2 * HOUR_MS, 248_000_000), (3 * HOUR_MS, 1_010)])
    assert [rule for rule, _ in found] == [Rule.JUMP]
    assert flags == [Quality.GOOD, Quality.JUMP, Quality.GOOD]


def test_a_second_reading_confirms_a_new_level_such_as_a_swapped_meter() -> None:
    found, flags = watch([(HOUR_MS, 1_334_000), (2 * HOUR_MS, 11_000), (3 * HOUR_MS, 11_020), (4 * HOUR_MS, 11_030)])
    assert [rule for rule, _ in found] == [Rule.BACKWARDS, Rule.BACKWARDS]
    assert flags == [Quality.GOOD, Quality.BACKWARDS, Quality.GOOD, Quality.GOOD]


def test_a_meter_that_stops_is_told_once() -> None:
    series = hourly(20)
    last_ms, value = series[-1]
    series += [(last_ms + n * HOUR_MS, value) for n in range(1, 24 * 15)]
    assert rules(series) == [Rule.STUCK]


def test_an_empty_flat_is_not_a_stopped_meter() -> None:
    assert rules([(DAY_MS * n, 5_000) for n in range(60)]) == []


def test_a_day_far_above_its_fortnight_is_a_spike() -> None:
    series = [(DAY_MS * n, 300 * n) for n in range(12)]
    series += [(DAY_MS * 12, 300 * 11 + 9_000), (DAY_MS * 13, 300 * 12 + 9_000)]
    assert watch(series)[0] == [(Rule.SPIKE, DAY_MS * 12)]


def test_an_outage_is_a_gap_and_its_catch_up_no_spike() -> None:
    series = [(DAY_MS * n, 300 * n) for n in range(12)]
    series.append((DAY_MS * 22, 300 * 22))
    assert rules(series) == [Rule.GAP]


def test_a_repeated_or_older_instant_changes_nothing() -> None:
    first = observe(None, moment(HOUR_MS), 10, WATER)
    assert observe(first.state, moment(HOUR_MS), 99, WATER).state == first.state


@given(st.lists(st.tuples(st.integers(1, 3 * DAY_MS), st.integers(-(10**6), 10**7)), max_size=200))
def test_the_state_stays_small_and_the_clock_inside_it_moves_forward(steps: list[tuple[int, int]]) -> None:
    at_ms, value = 0, 10**6
    state: WatchState | None = None
    for elapsed, step in steps:
        at_ms, value = at_ms + elapsed, max(0, value + step)
        verdict = observe(state, moment(at_ms), value, WATER)
        assert state is None or verdict.state.at_ms >= state.at_ms
        assert len(verdict.state.days) <= DAYS_KEPT
        state = verdict.state


def test_small_steps_back_again_and_again_are_reverse_flow() -> None:
    series, value = [], 100_000
    for n in range(12):
        value += 40 if n % 2 else -10
        series.append((DAY_MS + n * HOUR_MS, value))
    found = rules(series)
    assert found.count(Rule.REVERSE_FLOW) == 1
    assert found.count(Rule.BACKWARDS) >= 3


def test_one_step_back_a_day_is_no_reverse_flow() -> None:
    series, value = [], 100_000
    for n in range(24 * 6):
        value += -10 if n % 24 == 12 else 5 * (n % 3)
        series.append((DAY_MS + n * HOUR_MS, value))
    assert Rule.REVERSE_FLOW not in rules(series)


def test_the_third_abnormal_day_in_a_row_is_told_once() -> None:
    found = watch(hourly(12, extra=6))[0]
    assert [rule for rule, _ in found].count(Rule.ABNORMAL_DAYS) == 1
    assert Rule.ABNORMAL_DAYS not in rules(hourly(12))
