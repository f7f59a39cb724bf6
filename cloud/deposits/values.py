"""Deposits as other domains and pages see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from cloud.deposits.rules import (
    AT_ONCE,
    OBJECTION_DAYS_MAX,
    ConditionKind,
    DeductionState,
    DepositKind,
    DepositState,
    Instalment,
    ReturnState,
    check_instalments,
)
from cloud.deposits.tables import DepositConditionRow, DepositDeductionRow, DepositReturnRow, DepositRow
from cloud.ledger.accounts import Book
from cloud.ledger.journals import LineRef
from cloud.payments.rules import check_amount
from cloud.tariffs.charge import FundClass
from common.errors import RefusalError
from common.ids import AccountId, BillId, LegalEntityId, PaymentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What must be so before a deposit goes back; with a day it is met by that day alone."""

    kind: ConditionKind
    on_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeposit:
    """A deposit to be brought; `deposit_id` is made where the act begins. Without conditions the kind's usual holds."""

    deposit_id: UUID
    account_id: AccountId
    legal_entity_id: LegalEntityId
    kind: DepositKind
    amount_fen: int
    purpose: str
    contract_id: UUID | None = None
    conditions: tuple[Condition, ...] = ()
    instalments: tuple[Instalment, ...] = AT_ONCE
    objection_days: int = 7

    def __post_init__(self) -> None:
        """Check the amount, the instalments and the time to object.

        Raises:
            RefusalError: one of them is not possible.
        """
        check_amount(self.amount_fen)
        check_instalments(self.instalments)
        if not 0 <= self.objection_days <= OBJECTION_DAYS_MAX:
            raise RefusalError(f"the payer has 0 to {OBJECTION_DAYS_MAX} days to object, not {self.objection_days}")
        if len({condition.kind for condition in self.conditions}) != len(self.conditions):
            raise RefusalError("a condition is named twice; name each once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """A condition as it stands."""

    kind: ConditionKind
    on_day: date | None
    met_at: datetime | None
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduction:
    """A wish to keep part of a deposit for one open bill line, and what became of it."""

    deduction_id: UUID
    deposit_id: UUID
    line: LineRef
    amount_fen: int
    evidence: str
    evidence_sha: str | None
    state: DeductionState
    proposed_by: UUID
    objection_until: datetime
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """One instalment going back; the refund that carries it has the same id."""

    return_id: UUID
    n: int
    amount_fen: int
    due_on: date
    state: ReturnState
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """A deposit as it stands, with its conditions, deductions and returns."""

    deposit_id: UUID
    account_id: AccountId
    book: Book
    kind: DepositKind
    purpose: str
    amount_fen: int
    deducted_fen: int
    returned_fen: int
    state: DepositState
    objection_days: int
    instalments: tuple[Instalment, ...]
    payment_id: PaymentId | None
    opened_at: datetime
    held_at: datetime | None
    released_at: datetime | None
    closed_at: datetime | None
    conditions: tuple[Met, ...] = ()
    deductions: tuple[Deduction, ...] = ()
    returns: tuple[Return, ...] = ()

    @property
    def held_fen(self) -> int:
        """Return what is held now."""
        return 0 if self.payment_id is None else self.amount_fen - self.deducted_fen - self.returned_fen


def deposit_of(row: DepositRow) -> Deposit:
    """Return a deposit row as a value, without what belongs to it."""
    return Deposit(
        deposit_id=row.deposit_id,
        account_id=AccountId(row.account_id),
        book=Book(
            community_id=row.community_id,
            legal_entity_id=LegalEntityId(row.legal_entity_id),
            fund_class=FundClass.DEPOSIT,
        ),
        kind=row.kind,
        purpose=row.purpose,
        amount_fen=row.amount_fen,
        deducted_fen=row.deducted_fen,
        returned_fen=row.returned_fen,
        state=row.state,
        objection_days=row.objection_days,
        instalments=tuple(Instalment(days_after=days, weight=weight) for days, weight in row.instalments),
        payment_id=None if row.payment_id is None else PaymentId(row.payment_id),
        opened_at=row.opened_at,
        held_at=row.held_at,
        released_at=row.released_at,
        closed_at=row.closed_at,
    )


def condition_of(row: DepositConditionRow) -> Met:
    """Return a condition row as a value."""
    return Met(kind=row.kind, on_day=row.on_day, met_at=row.met_at, evidence=row.evidence)


def deduction_of(row: DepositDeductionRow) -> Deduction:
    """Return a deduction row as a value."""
    return Deduction(
        deduction_id=row.deduction_id,
        deposit_id=row.deposit_id,
        line=LineRef(bill_id=BillId(row.bill_id), n=row.line_n),
        amount_fen=row.amount_fen,
        evidence=row.evidence,
        evidence_sha=row.evidence_sha,
        state=row.state,
        proposed_by=row.proposed_by,
        objection_until=row.objection_until,
        answer=row.answer,
    )


def return_of(row: DepositReturnRow) -> Return:
    """Return a return row as a value."""
    return Return(
        return_id=row.return_id,
        n=row.n,
        amount_fen=row.amount_fen,
        due_on=row.due_on,
        state=row.state,
        detail=row.detail,
    )
