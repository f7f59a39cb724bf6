"""Payments as other domains and pages see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from cloud.billing.rules import OpenAmount
from cloud.ledger.accounts import Book
from cloud.payments.channel import Channel, Method
from cloud.payments.channels.provider import OrderRef, PromptKind
from cloud.payments.rules import OPEN_STATES, AttemptState
from cloud.tariffs.charge import FundClass
from common.ids import AccountId, BillId, CommunityId, LegalEntityId, PaymentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What is open on an account in one book: one legal entity, one fund class, so one merchant account."""

    account_id: AccountId
    book: Book
    open_amounts: tuple[OpenAmount, ...]

    @property
    def total_fen(self) -> int:
        """Return the sum of what is open."""
        return sum(amount.open_fen for amount in self.open_amounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRequest:
    """What a payer wants to pay: bills of one account, or all of it, in one book.

    `intent_id` is made where the act begins, so that asking twice is asking once. `amount_fen` None means all that is
    open in the selection; less is a payment in part, more is paid ahead. The bill's own amounts are never taken from
    the request.
    """

    intent_id: UUID
    account_id: AccountId
    legal_entity_id: LegalEntityId
    fund_class: FundClass
    bill_ids: tuple[BillId, ...] = ()
    amount_fen: int | None = None
    collection_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """That somebody wants to pay: the amount is frozen."""

    intent_id: UUID
    account_id: AccountId
    book: Book
    bill_ids: tuple[BillId, ...]
    amount_fen: int
    collection_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One order at one channel, as it stands in our book."""

    attempt_id: UUID
    intent_id: UUID
    merchant_account_id: UUID
    community_id: CommunityId
    order_number: str
    amount_fen: int
    currency: str
    state: AttemptState
    method: Method
    code_url: str | None
    prompt: PromptKind | None
    prompt_fields: Mapping[str, str] = field(hash=False, repr=False)
    created_at: datetime
    expires_at: datetime
    asked: int

    @property
    def ref(self) -> OrderRef:
        """Return what the order is asked about by."""
        return OrderRef(number=self.order_number, made_at=self.created_at)

    @property
    def is_open(self) -> bool:
        """Return whether the payer may still be paying."""
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A receipt: what arrived, when, by which channel, and how much of it was paid ahead."""

    payment_id: PaymentId
    account_id: AccountId
    book: Book
    channel: Channel
    number: str
    amount_fen: int
    ahead_fen: int
    currency: str
    paid_at: datetime
    booked_at: datetime
    journal_id: UUID
    merchant_account_id: UUID | None = None
    attempt_id: UUID | None = None
    order_number: str | None = None
    transaction_id: str | None = field(default=None, repr=False)
    cash_shift_id: UUID | None = None
    tendered_fen: int | None = None
    method: Method = Method.COUNTER
    sub_method: str = ""
    bank_line_id: UUID | None = None
    collection_id: UUID | None = None

    @property
    def change_fen(self) -> int:
        """Return what was handed back of what was tendered in cash."""
        return 0 if self.tendered_fen is None else self.tendered_fen - self.amount_fen
