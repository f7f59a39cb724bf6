"""Slow rules: a change that stays is found, what was there all along is not, and too little knowledge says nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from cloud.metering.anomalies import (
    HOURS,
    SlowRule,
    abnormal_months,
    building,
    daytime_leak,
    household,
    running_toilet,
    small_leak,
)

Hours = list[int | None]
QUIET_DAYS = 25


def usual(day: int = 0) -> Hours:
    """Return a day of a household: busy mornings and evenings, rests between, a quiet night."""
    hours = [0] * 6 + [40, 60, 20] + [0, 5 * (day % 2), 0] * 3 + [30, 80, 40, 20, 10, 0]
    return list(hours)


def weeks(leak: Callable[[int], int], days: int = 3) -> list[Hours]:
    """Return usual days, then some more with a leak on top."""
    leaking: list[Hours] = [
        [None if hour is None else hour + leak(n) for n, hour in enumerate(usual(day))] for day in range(days)
    ]
    return [*(usual(day) for day in range(QUIET_DAYS)), *leaking]


def rules(days: Sequence[Hours]) -> list[SlowRule]:
    return [finding.rule for finding in household(days)]


def test_a_usual_household_is_no_finding() -> None:
    assert rules(weeks(lambda _: 0, 7)) == []


@pytest.mark.parametrize("litres", [1, 2, 30])
def test_a_leak_that_never_rests_is_found_once_with_its_flow(litres: int) -> None:
    found = list(household(weeks(lambda _: litres)))
    assert [(one.rule, one.value, one.limit) for one in found] == [(SlowRule.SMALL_LEAK, litres, 1)]


def test_a_leak_of_two_days_is_not_told_yet() -> None:
    assert rules(weeks(lambda _: 6, 2)) == []


def test_a_leak_with_one_rest_is_not_steady() -> None:
    days = weeks(lambda _: 6)
    days[-2][3] = 0
    assert small_leak(days) is None


def test_a_household_that_always_flows_a_little_is_measured_against_itself() -> None:
    always: list[Hours] = [[(hour or 0) + 2 for hour in usual()] for _ in range(28)]
    assert rules(always) == []
    more: list[Hours] = always[:-3] + [[(hour or 0) + 1 for hour in day] for day in always[-3:]]
    assert [(one.value, one.limit) for one in household(more)] == [(3, 3)]


def test_a_running_toilet_is_found_by_its_nights() -> None:
    days = weeks(lambda n: 15 if n % 2 else 0, 7)
    found = running_toilet(days)
    assert found is not None
    assert (found.rule, found.value, found.limit) == (SlowRule.RUNNING_TOILET, 40, 25)
    assert SlowRule.RUNNING_TOILET in rules(days)


def test_one_wild_night_is_no_toilet() -> None:
    days = weeks(lambda _: 0, 7)
    days[-1][0:5] = [20, 20, 20, 20, 20]
    assert running_toilet(days) is None


def test_a_night_worker_is_no_toilet() -> None:
    nights: list[Hours] = [[20, 0, 20, 0, 20, *usual()[5:]] for _ in range(28)]
    assert running_toilet(nights) is None


def test_a_leak_by_day_alone_is_found_where_days_used_to_rest() -> None:
    found = list(household(weeks(lambda n: 8 if 6 <= n < 22 else 0)))
    assert [(one.rule, one.value) for one in found] == [(SlowRule.DAYTIME_LEAK, 8)]


def test_a_shop_that_draws_all_day_is_no_daytime_leak() -> None:
    shop: list[Hours] = [[50 if 6 <= n < 22 else 0 for n in range(HOURS)] for _ in range(28)]
    assert daytime_leak(shop) is None


@pytest.mark.parametrize("unknown", [5, 24])
def test_days_with_too_many_unknown_hours_say_nothing(unknown: int) -> None:
    days = weeks(lambda _: 6, 7)
    days[-1][:unknown] = [None] * unknown
    assert rules(days) == []


def test_a_meter_of_a_few_days_says_nothing() -> None:
    assert rules(weeks(lambda _: 6)[-12:]) == []
    assert rules(weeks(lambda _: 6)[-13:]) == [SlowRule.SMALL_LEAK]


def test_some_unknown_hours_neither_rest_nor_flow() -> None:
    days = weeks(lambda _: 6)
    days[-1][2:6] = [None] * 4
    assert rules(days) == [SlowRule.SMALL_LEAK]


MONTH = 10_000


@pytest.mark.parametrize(
    ("recent", "value"),
    [([16_000, 20_000, 15_001], 15_001), ([16_000, 20_000, 15_000], None), ([16_000, None, 16_000], None)],
)
def test_three_months_in_a_row_above_the_usual_one_are_found(recent: list[int | None], value: int | None) -> None:
    found = abnormal_months([MONTH] * 6 + recent)
    assert (None if found is None else found.value) == value


def test_a_young_meter_and_a_tiny_usage_have_no_abnormal_months() -> None:
    assert abnormal_months([MONTH] * 5 + [None] + [20_000] * 3) is None
    assert abnormal_months([100] * 10 + [4_000] * 3) is None
    assert abnormal_months([100] * 10 + [5_001] * 3) is not None


@pytest.mark.parametrize(
    ("days", "rule"),
    [
        ([(10_000, 8_400)] * 3, SlowRule.BUILDING_LOSS),
        ([(10_000, 8_500)] * 3, None),
        ([(10_000, 8_000)] * 2 + [(10_000, 9_900)], None),
        ([(10_000, 8_000)] * 2 + [None], None),
        ([(10_000, 8_000)] * 2, None),
        ([(1_000, 600)] * 3, None),
        ([(10_000, 10_600)] * 3, SlowRule.BUILDING_GAIN),
        ([(10_000, 10_300)] * 3, None),
        ([(0, 600)] * 3, SlowRule.BUILDING_GAIN),
        ([(0, 0)] * 3, None),
    ],
)
def test_a_building_is_held_against_its_sub_meters(days: list[tuple[int, int] | None], rule: SlowRule | None) -> None:
    found = building(days)
    assert (None if found is None else found.rule) is rule
