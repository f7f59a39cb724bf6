"""The days and hours of automatic deduction, and how much may be taken."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.mandates.rules import (
    DAY_MAX,
    LIMIT_FEN_MAX,
    TOLD_DAYS_BEFORE_MIN,
    TRANSITIONS,
    MandateState,
    amount_to_take,
    check_wish,
    first_execution,
    is_open_hour,
    may_move,
    next_plan,
    plan_of,
    today_at_channel,
    try_instant,
)
from common.errors import RefusalError

DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))


def test_a_cycle_is_tried_three_days_before_the_day_before_and_on_the_day() -> None:
    plan = plan_of(date(2026, 3, 1))
    assert plan.tries == (date(2026, 2, 26), date(2026, 2, 28), date(2026, 3, 1))
    assert plan.first_on == date(2026, 2, 26)


@given(st.integers(1, DAY_MAX), DAYS)
def test_the_next_cycle_leaves_a_full_day_for_the_notice_and_is_the_first_that_does(
    day_of_month: int, today: date
) -> None:
    plan = next_plan(day_of_month, today)
    assert plan.execute_on.day == day_of_month
    assert (plan.first_on - today).days >= TOLD_DAYS_BEFORE_MIN
    assert (plan.execute_on - today).days <= 31 + 3 + TOLD_DAYS_BEFORE_MIN
    before = (plan.execute_on.replace(day=1) - timedelta(days=1)).replace(day=day_of_month)
    assert (plan_of(before).first_on - today).days < TOLD_DAYS_BEFORE_MIN
    assert first_execution(day_of_month, today) == plan.execute_on


@pytest.mark.parametrize(("left", "may"), [(6, False), (5, True), (2, True), (1, False), (0, False), (-1, False)])
def test_the_payer_is_told_neither_too_early_nor_too_late(left: int, may: bool) -> None:  # noqa: FBT001 - a column
    plan = plan_of(date(2026, 2, 25))
    assert plan.may_tell(plan.first_on - timedelta(days=left)) is may


@pytest.mark.parametrize(
    ("hour", "minute", "opens"), [(22, 59, False), (23, 0, True), (13, 59, True), (14, 0, False), (18, 0, False)]
)
def test_nobodys_money_is_taken_at_night_by_the_clock_of_beijing(hour: int, minute: int, opens: bool) -> None:  # noqa: FBT001
    assert is_open_hour(datetime(2026, 2, 21, hour, minute, tzinfo=UTC)) is opens


def test_the_day_is_that_of_beijing_and_a_try_is_made_at_ten() -> None:
    assert today_at_channel(datetime(2026, 2, 21, 16, tzinfo=UTC)) == date(2026, 2, 22)
    assert try_instant(date(2026, 2, 22)) == datetime(2026, 2, 22, 2, tzinfo=UTC)
    assert is_open_hour(try_instant(date(2026, 2, 22)))


@given(st.integers(1, 10**9), st.lists(st.integers(1, 10**9), max_size=5))
def test_defect_10_never_more_is_taken_than_was_announced_nor_than_is_open(
    announced_fen: int, open_fen: list[int]
) -> None:
    taken = amount_to_take(announced_fen, open_fen)
    assert 0 <= taken <= announced_fen
    assert taken <= sum(open_fen)
    assert taken in {announced_fen, sum(open_fen)}


@pytest.mark.parametrize(("limit_fen", "day"), [(99, 1), (LIMIT_FEN_MAX + 1, 1), (100, 0), (100, DAY_MAX + 1)])
def test_a_limit_or_day_that_nobody_can_agree_to_is_refused(limit_fen: int, day: int) -> None:
    with pytest.raises(RefusalError, match=r"deduction is|day of the month"):
        check_wish(limit_fen, day)
    check_wish(100, DAY_MAX)
    check_wish(LIMIT_FEN_MAX, 1)


def test_an_ended_mandate_stays_ended_and_any_other_can_end() -> None:
    assert TRANSITIONS[MandateState.ENDED] == frozenset()
    assert all(may_move(state, MandateState.ENDED) for state in MandateState if state is not MandateState.ENDED)
    assert not may_move(MandateState.ASKED, MandateState.PAUSED)
