"""Refunds as other domains and pages see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from cloud.ledger.accounts import AccountType, Book, LedgerAccountRef
from cloud.ledger.journals import LineRef
from cloud.payments.channels.provider import RefundRef
from cloud.refunds.rules import Doubt, Policy, RefundRoute, RefundSource, RefundState, SettledPart
from cloud.refunds.tables import RefundPolicyRow, RefundRow
from common.errors import RefusalError
from common.ids import AccountId, BillId, LegalEntityId, PaymentId

_REASON_LENGTH_MAX = 80
_HELD_IN = {RefundSource.AHEAD: AccountType.PREPAYMENT, RefundSource.DEPOSIT: AccountType.DEPOSIT_HELD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """A payout from our bank account, of the book whose money it holds; to whom is sealed by whoever took it down."""

    bank_account_id: UUID
    book: Book
    payee_sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """What should go back of one payment; `refund_id` is made where the act begins, so asking twice is asking once.

    `deposit_id` names the deposit that holds the money. Cash names the box it is taken from, a payout the bank account.
    """

    refund_id: UUID
    payment_id: PaymentId
    amount_fen: int
    reason: str
    deposit_id: UUID | None = None
    cash_box_id: UUID | None = None
    payout: Payout | None = None

    def __post_init__(self) -> None:
        """Check what no refund may be.

        Raises:
            RefusalError: nothing is asked for, or no reason is given.
        """
        if self.amount_fen <= 0:
            raise RefusalError(f"a refund is at least 1 fen, not {self.amount_fen}; correct the amount")
        if not 0 < len(self.reason.strip()) <= _REASON_LENGTH_MAX:
            raise RefusalError(f"a refund has a reason of at most {_REASON_LENGTH_MAX} characters; write it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A refund as it stands; `persons_needed` counts the approvals it needs, `doubts` say why."""

    refund_id: UUID
    payment_id: PaymentId
    account_id: AccountId
    book: Book
    source: RefundSource
    source_id: UUID
    route: RefundRoute
    amount_fen: int
    currency: str
    reason: str
    state: RefundState
    refund_number: str
    order_number: str | None
    transaction_id: str | None = field(repr=False)
    order_total_fen: int
    merchant_account_id: UUID | None
    cash_box_id: UUID | None
    bank_account_id: UUID | None
    payout_reference: str | None
    persons_needed: int
    doubts: tuple[Doubt, ...]
    reopened: tuple[SettledPart, ...]
    requested_by: UUID
    requested_at: datetime
    submitted_at: datetime | None
    accepted_at: datetime | None
    arrived_at: datetime | None
    ended_at: datetime | None
    asked: int
    detail: str
    signed_as: str | None = field(repr=False)

    @property
    def ref(self) -> RefundRef:
        """Return what the channel is asked about the refund by."""
        return RefundRef(number=self.refund_number, order_number=self.order_number or "", made_at=self.requested_at)

    @property
    def held_in(self) -> LedgerAccountRef:
        """Return the ledger account that the money is taken from."""
        return self.book.account(_HELD_IN[self.source], self.source_id)


def refund_of(row: RefundRow) -> Refund:
    """Return a refund row as a value."""
    return Refund(
        refund_id=row.refund_id,
        payment_id=PaymentId(row.payment_id),
        account_id=AccountId(row.account_id),
        book=Book(
            community_id=row.community_id,
            legal_entity_id=LegalEntityId(row.legal_entity_id),
            fund_class=row.fund_class,
        ),
        source=row.source,
        source_id=row.source_id,
        route=row.route,
        amount_fen=row.amount_fen,
        currency=row.currency,
        reason=row.reason,
        state=row.state,
        refund_number=row.refund_number,
        order_number=row.order_number,
        transaction_id=row.transaction_id,
        order_total_fen=row.order_total_fen,
        merchant_account_id=row.merchant_account_id,
        cash_box_id=row.cash_box_id,
        bank_account_id=row.bank_account_id,
        payout_reference=row.payout_reference,
        persons_needed=row.persons_needed,
        doubts=tuple(Doubt(text) for text in row.doubts),
        reopened=parts_of(row),
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        submitted_at=row.submitted_at,
        accepted_at=row.accepted_at,
        arrived_at=row.arrived_at,
        ended_at=row.ended_at,
        asked=row.asked,
        detail=row.detail,
        signed_as=row.signed_as,
    )


def parts_of(row: RefundRow) -> tuple[SettledPart, ...]:
    """Return the lines that a refund has made open again."""
    return tuple(
        SettledPart(line=LineRef(bill_id=BillId(UUID(bill_id)), n=n), fen=fen) for bill_id, n, fen in row.reopened
    )


def policy_of(row: RefundPolicyRow) -> Policy:
    """Return a policy row as a value."""
    return Policy(
        automatic_fen=row.automatic_fen,
        automatic_day_fen=row.automatic_day_fen,
        automatic_age_days=row.automatic_age_days,
        two_persons_fen=row.two_persons_fen,
        deposit_automatic_fen=row.deposit_automatic_fen,
    )
