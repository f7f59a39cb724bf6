"""The decisions about deposits: states, instalments that sum, and when a deduction may be made."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.deposits.rules import (
    TRANSITIONS,
    DeductionState,
    DepositState,
    Instalment,
    check_instalments,
    divide,
    may_apply,
    may_move,
)

DAY = date(2026, 1, 31)
NOW = datetime(2026, 1, 31, tzinfo=UTC)
PARTS = st.lists(st.builds(Instalment, days_after=st.integers(0, 400), weight=st.integers(1, 1_000)), min_size=1)


@given(st.integers(1, 10_000_000), PARTS.filter(lambda parts: len(parts) <= 24))
def test_instalments_sum_to_the_whole_and_none_is_nothing(fen: int, parts: list[Instalment]) -> None:
    divided = divide(fen, check_instalments(parts), DAY)
    assert sum(part.amount_fen for part in divided) == fen
    assert all(part.amount_fen > 0 for part in divided)
    assert [part.due_on for part in divided] == sorted(part.due_on for part in divided)


@pytest.mark.parametrize(
    ("state", "waited", "allowed"),
    [
        (DeductionState.PROPOSED, timedelta(days=-1), False),
        (DeductionState.PROPOSED, timedelta(0), True),
        (DeductionState.AGREED, timedelta(days=-1), True),
        (DeductionState.DISPUTED, timedelta(days=99), False),
        (DeductionState.APPLIED, timedelta(days=99), False),
        (DeductionState.WITHDRAWN, timedelta(days=99), False),
    ],
)
def test_a_deduction_needs_the_payers_word_or_his_silence(
    state: DeductionState, waited: timedelta, *, allowed: bool
) -> None:
    assert may_apply(state, NOW - waited, NOW) is allowed


def test_a_deposit_that_is_held_goes_back_or_nowhere() -> None:
    assert TRANSITIONS[DepositState.HELD] == {DepositState.RELEASED}
    assert not may_move(DepositState.CLOSED, DepositState.HELD)
    assert not may_move(DepositState.HELD, DepositState.CANCELLED)
