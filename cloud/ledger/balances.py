"""The four sums of a guarded account, and how a transfer moves them. Pure; the guard is checked at every step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from cloud.ledger.accounts import Guard, Side
from cloud.ledger.journals import TransferKind
from common.errors import ensure
from common.money.amount import check_int64


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What stands on an account, in fen: reserved and posted, on either side."""

    ledger_account_id: UUID
    guard: Guard
    debit_pending: int = 0
    debit_posted: int = 0
    credit_pending: int = 0
    credit_posted: int = 0

    @property
    def available_fen(self) -> int:
        """Return how much the guarded side may still grow."""
        if self.guard is Guard.CREDIT:
            return self.credit_posted - self.debit_pending - self.debit_posted
        ensure(self.guard is Guard.DEBIT, "only a guarded account has an available amount")
        return self.debit_posted - self.credit_pending - self.credit_posted


def moved(balance: Balance, side: Side, kind: TransferKind, fen: int, reserved_fen: int = 0) -> Balance:
    """Return the balance after a transfer on one of its sides.

    `reserved_fen` is the whole amount of the reservation that a post or void resolves. The guard is not checked
    here: `available_fen` of the result says whether it holds.
    """
    pending, posted = {
        TransferKind.POSTED: (0, fen),
        TransferKind.PENDING: (fen, 0),
        TransferKind.POST: (-reserved_fen, fen),
        TransferKind.VOID: (-reserved_fen, 0),
    }[kind]
    if side is Side.DEBIT:
        after = replace(
            balance, debit_pending=balance.debit_pending + pending, debit_posted=balance.debit_posted + posted
        )
    else:
        after = replace(
            balance, credit_pending=balance.credit_pending + pending, credit_posted=balance.credit_posted + posted
        )
    for amount in (after.debit_pending, after.debit_posted, after.credit_pending, after.credit_posted):
        check_int64(amount, "balance")
        ensure(amount >= 0, "a sum of a balance is never negative")
    return after
