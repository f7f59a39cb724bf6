"""What deposits say has happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cloud.kit.events import Event
from common.ids import AccountId, CommunityId, PaymentId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeductionProposed(Event):
    """Somebody wants to keep part of a deposit: the payer must be told, and may object until an instant."""

    community_id: CommunityId
    account_id: AccountId
    deposit_id: UUID
    deduction_id: UUID
    amount_fen: int
    objection_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnDue(Event):
    """A part of a deposit goes back by the payment that brought it; the refund will have the id of the return."""

    return_id: UUID
    deposit_id: UUID
    payment_id: PaymentId
    amount_fen: int
    reason: str
    cash_box_id: UUID | None

    def wish(self) -> dict[str, str | int | None]:
        """Return the wish for the refund that carries this return, in words that a job can hold."""
        return {
            "payment_id": str(self.payment_id),
            "deposit_id": str(self.deposit_id),
            "amount_fen": self.amount_fen,
            "reason": self.reason,
            "cash_box_id": None if self.cash_box_id is None else str(self.cash_box_id),
        }
