"""The sums of a guarded account move as a bank's book would, whatever the order of reservations."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.ledger.accounts import Guard, Side
from cloud.ledger.balances import Balance, moved
from cloud.ledger.journals import TransferKind
from common.errors import InvariantError
from common.money.amount import INT64_MAX

EMPTY = Balance(ledger_account_id=UUID(int=1), guard=Guard.CREDIT)
FEN = st.integers(min_value=1, max_value=10**12)


@given(paid=FEN, reserved=FEN, used=FEN)
def test_a_reservation_takes_from_what_is_available_until_it_is_resolved(paid: int, reserved: int, used: int) -> None:
    used = min(used, reserved)
    after = moved(EMPTY, Side.CREDIT, TransferKind.POSTED, paid)
    held = moved(after, Side.DEBIT, TransferKind.PENDING, reserved)
    assert held.available_fen == paid - reserved
    assert moved(held, Side.DEBIT, TransferKind.POST, used, reserved).available_fen == paid - used
    assert moved(held, Side.DEBIT, TransferKind.VOID, reserved, reserved) == after


def test_a_debit_guard_mirrors_a_credit_guard() -> None:
    box = Balance(ledger_account_id=UUID(int=1), guard=Guard.DEBIT)
    full = moved(box, Side.DEBIT, TransferKind.POSTED, 10)
    assert moved(full, Side.CREDIT, TransferKind.POSTED, 4).available_fen == 6


def test_a_sum_never_goes_below_nothing_nor_past_64_bits() -> None:
    with pytest.raises(InvariantError, match="never negative"):
        moved(EMPTY, Side.DEBIT, TransferKind.VOID, 5, 5)
    with pytest.raises(InvariantError, match="64 bits"):
        moved(moved(EMPTY, Side.CREDIT, TransferKind.POSTED, INT64_MAX), Side.CREDIT, TransferKind.POSTED, 1)
