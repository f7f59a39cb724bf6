"""What the refund endpoints take and answer; amounts in fen."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.payments.rules import PAYMENT_FEN_MAX
from cloud.refunds.rules import (
    REASON_LENGTH_MAX,
    SIGNATURE_LENGTH_MAX,
    Doubt,
    Policy,
    RefundRoute,
    RefundSource,
    RefundState,
)
from cloud.refunds.values import Refund
from cloud.tariffs.charge import FundClass

AmountFen = Annotated[int, Field(gt=0, le=PAYMENT_FEN_MAX)]
LimitFen = Annotated[int, Field(ge=0, le=PAYMENT_FEN_MAX)]
_DAYS_MAX = 3_660


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PolicyIn(_In):
    """The limits of a community; see `Policy`."""

    automatic_fen: LimitFen
    automatic_day_fen: LimitFen
    automatic_age_days: Annotated[int, Field(ge=0, le=_DAYS_MAX)]
    two_persons_fen: LimitFen
    deposit_automatic_fen: LimitFen

    def policy(self) -> Policy:
        """Return the limits as a value."""
        return Policy(
            automatic_fen=self.automatic_fen,
            automatic_day_fen=self.automatic_day_fen,
            automatic_age_days=self.automatic_age_days,
            two_persons_fen=self.two_persons_fen,
            deposit_automatic_fen=self.deposit_automatic_fen,
        )


class PayoutIn(_In):
    """From which bank account, and to whom."""

    bank_account_id: UUID
    name: Annotated[str, Field(min_length=1, max_length=100)]
    number: Annotated[str, Field(min_length=8, max_length=40)]


class PayeeOut(BaseModel):
    """Who is paid, in clear, for the person who transfers."""

    name: str
    number: str


class SentIn(_In):
    """The bank's reference of a transfer."""

    reference: Annotated[str, Field(min_length=1, max_length=64)]


class RefundIn(_In):
    """A wish for a refund; `refund_id` is made by the asker, so that asking twice is asking once."""

    refund_id: UUID
    amount_fen: AmountFen
    reason: Annotated[str, Field(min_length=1, max_length=REASON_LENGTH_MAX)]
    cash_box_id: UUID | None = None
    payout: PayoutIn | None = None


class VerdictIn(_In):
    """One person's verdict."""

    approves: bool
    note: Annotated[str, Field(max_length=500)] = ""


class HandOutIn(_In):
    """Cash handed out in a shift, and who signed for it."""

    cash_shift_id: UUID
    signed_as: Annotated[str, Field(min_length=1, max_length=SIGNATURE_LENGTH_MAX)]


class ReasonIn(_In):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class RefundOut(BaseModel):
    """Where a refund stands; accepted is the channel's word that it will pay, arrived that it has."""

    refund_id: UUID
    payment_id: UUID
    account_id: UUID
    legal_entity_id: UUID
    fund_class: FundClass
    source: RefundSource
    route: RefundRoute
    amount_fen: int
    reason: str
    state: RefundState
    refund_number: str
    persons_needed: int
    doubts: list[Doubt]
    reopened_fen: int
    requested_at: datetime
    submitted_at: datetime | None
    accepted_at: datetime | None
    arrived_at: datetime | None
    detail: str

    @classmethod
    def of(cls, refund: Refund) -> RefundOut:
        """Return what is answered for a refund."""
        return cls(
            refund_id=refund.refund_id,
            payment_id=refund.payment_id,
            account_id=refund.account_id,
            legal_entity_id=refund.book.legal_entity_id,
            fund_class=refund.book.fund_class,
            source=refund.source,
            route=refund.route,
            amount_fen=refund.amount_fen,
            reason=refund.reason,
            state=refund.state,
            refund_number=refund.refund_number,
            persons_needed=refund.persons_needed,
            doubts=list(refund.doubts),
            reopened_fen=sum(part.fen for part in refund.reopened),
            requested_at=refund.requested_at,
            submitted_at=refund.submitted_at,
            accepted_at=refund.accepted_at,
            arrived_at=refund.arrived_at,
            detail=refund.detail,
        )
