"""Mandates and announced amounts as other domains and pages see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from cloud.ledger.accounts import Book
from cloud.mandates.rules import DebitState, MandateState, Plan, check_wish, plan_of
from cloud.mandates.tables import DebitRow, MandateRow
from common.ids import AccountId, BillId, LegalEntityId


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateWish:
    """What a payer wants to agree to; `mandate_id` is made where the act begins."""

    mandate_id: UUID
    account_id: AccountId
    merchant_account_id: UUID
    limit_fen: int
    day_of_month: int

    def __post_init__(self) -> None:
        """Check the limit and the day.

        Raises:
            RefusalError: one of them cannot be agreed to.
        """
        check_wish(self.limit_fen, self.day_of_month)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """An agreement to automatic deduction as it stands in our book; `number` is ours, the channel knows it by it."""

    mandate_id: UUID
    account_id: AccountId
    merchant_account_id: UUID
    book: Book
    number: str
    limit_fen: int
    day_of_month: int
    state: MandateState
    asked_at: datetime
    signed_at: datetime | None
    ended_at: datetime | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Debit:
    """An announced amount."""

    debit_id: UUID
    mandate_id: UUID
    account_id: AccountId
    amount_fen: int
    bill_ids: tuple[BillId, ...]
    state: DebitState
    execute_on: date
    announced_at: datetime
    decided_at: datetime | None
    detail: str

    @property
    def plan(self) -> Plan:
        """Return the days of its cycle."""
        return plan_of(self.execute_on)


def mandate_of(row: MandateRow) -> Mandate:
    """Return a mandate row as a value."""
    return Mandate(
        mandate_id=row.mandate_id,
        account_id=AccountId(row.account_id),
        merchant_account_id=row.merchant_account_id,
        book=Book(
            community_id=row.community_id,
            legal_entity_id=LegalEntityId(row.legal_entity_id),
            fund_class=row.fund_class,
        ),
        number=row.number,
        limit_fen=row.limit_fen,
        day_of_month=row.day_of_month,
        state=row.state,
        asked_at=row.asked_at,
        signed_at=row.signed_at,
        ended_at=row.ended_at,
        detail=row.detail,
    )


def debit_of(row: DebitRow) -> Debit:
    """Return an announced amount's row as a value."""
    return Debit(
        debit_id=row.debit_id,
        mandate_id=row.mandate_id,
        account_id=AccountId(row.account_id),
        amount_fen=row.amount_fen,
        bill_ids=tuple(BillId(UUID(one)) for one in row.bill_ids),
        state=row.state,
        execute_on=row.execute_on,
        announced_at=row.announced_at,
        decided_at=row.decided_at,
        detail=row.detail,
    )
