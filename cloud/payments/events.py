"""What payments say has happened."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cloud.kit.events import Event
from cloud.tariffs.charge import FundClass
from common.ids import AccountId, CommunityId, PaymentId


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentBooked(Event):
    """Money arrived and stands in the book; `merchant_account_id` is None for cash."""

    community_id: CommunityId
    account_id: AccountId
    payment_id: PaymentId
    amount_fen: int
    fund_class: FundClass
    merchant_account_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundNoticed(Event):
    """A channel's signed notification names one of our refunds; it is a hint, the channel is asked."""

    notification_id: UUID
    merchant_account_id: UUID
    refund_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementNoticed(Event):
    """A channel's signed notification names one of our agreements; it is a hint, the channel is asked."""

    notification_id: UUID
    merchant_account_id: UUID
    agreement_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeductionBooked(Event):
    """The money of an order that was taken by an agreement stands in the book, perhaps late."""

    attempt_id: UUID
