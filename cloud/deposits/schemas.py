"""What the deposit endpoints take and answer; amounts in fen."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.deposits.deductions import Proposal
from cloud.deposits.rules import (
    INSTALMENTS_MAX,
    OBJECTION_DAYS_MAX,
    TEXT_LENGTH_MAX,
    ConditionKind,
    DeductionState,
    DepositKind,
    DepositState,
    Instalment,
    ReturnState,
)
from cloud.deposits.values import Condition, Deduction, Deposit, NewDeposit
from cloud.ledger.journals import LineRef
from cloud.payments.rules import PAYMENT_FEN_MAX
from common.ids import AccountId, BillId, LegalEntityId

AmountFen = Annotated[int, Field(gt=0, le=PAYMENT_FEN_MAX)]
Words = Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH_MAX)]
_DAYS_MAX = 3_660
_WEIGHT_MAX = 1_000_000
_USUAL_OBJECTION_DAYS = 7


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ConditionIn(_In):
    """A condition for going back."""

    kind: ConditionKind
    on_day: date | None = None


class InstalmentIn(_In):
    """A part of what goes back."""

    days_after: Annotated[int, Field(ge=0, le=_DAYS_MAX)]
    weight: Annotated[int, Field(gt=0, le=_WEIGHT_MAX)]


class DepositIn(_In):
    """A deposit to be brought; `deposit_id` is made by the asker, so that asking twice is asking once."""

    deposit_id: UUID
    legal_entity_id: UUID
    kind: DepositKind
    amount_fen: AmountFen
    purpose: Annotated[str, Field(max_length=TEXT_LENGTH_MAX)] = ""
    contract_id: UUID | None = None
    conditions: list[ConditionIn] = Field(default=[], max_length=len(ConditionKind))
    instalments: list[InstalmentIn] = Field(
        default=[InstalmentIn(days_after=0, weight=1)], min_length=1, max_length=INSTALMENTS_MAX
    )
    objection_days: Annotated[int, Field(ge=0, le=OBJECTION_DAYS_MAX)] = _USUAL_OBJECTION_DAYS

    def deposit(self, account_id: UUID) -> NewDeposit:
        """Return the deposit as a value."""
        return NewDeposit(
            deposit_id=self.deposit_id,
            account_id=AccountId(account_id),
            legal_entity_id=LegalEntityId(self.legal_entity_id),
            kind=self.kind,
            amount_fen=self.amount_fen,
            purpose=self.purpose,
            contract_id=self.contract_id,
            conditions=tuple(Condition(kind=one.kind, on_day=one.on_day) for one in self.conditions),
            instalments=tuple(Instalment(days_after=one.days_after, weight=one.weight) for one in self.instalments),
            objection_days=self.objection_days,
        )


class CashIn(_In):
    """A deposit brought in cash; `payment_id` is made at the desk."""

    cash_shift_id: UUID
    payment_id: UUID
    tendered_fen: AmountFen


class EvidenceIn(_In):
    """What shows that a condition is met."""

    evidence: Words


class ProposalIn(_In):
    """What is to be kept for which line, and what shows why."""

    bill_id: UUID
    line_n: Annotated[int, Field(gt=0)]
    amount_fen: AmountFen
    evidence: Words
    evidence_sha: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None

    def proposal(self) -> Proposal:
        """Return the proposal as a value."""
        return Proposal(
            line=LineRef(bill_id=BillId(self.bill_id), n=self.line_n),
            amount_fen=self.amount_fen,
            evidence=self.evidence,
            evidence_sha=self.evidence_sha,
        )


class AnswerIn(_In):
    """The payer's answer to a deduction."""

    agrees: bool
    words: Annotated[str, Field(max_length=TEXT_LENGTH_MAX)] = ""


class SendAgainIn(_In):
    """How a return that failed is sent again: the way the money came, or in cash from a box."""

    cash_box_id: UUID | None = None


class ConditionOut(BaseModel):
    """A condition as it stands."""

    kind: ConditionKind
    on_day: date | None
    met_at: datetime | None
    evidence: str


class DeductionOut(BaseModel):
    """A deduction as it stands."""

    deduction_id: UUID
    bill_id: UUID
    line_n: int
    amount_fen: int
    evidence: str
    evidence_sha: str | None
    state: DeductionState
    objection_until: datetime
    answer: str

    @classmethod
    def of(cls, deduction: Deduction) -> DeductionOut:
        """Return what is answered for a deduction."""
        return cls(
            deduction_id=deduction.deduction_id,
            bill_id=deduction.line.bill_id,
            line_n=deduction.line.n,
            amount_fen=deduction.amount_fen,
            evidence=deduction.evidence,
            evidence_sha=deduction.evidence_sha,
            state=deduction.state,
            objection_until=deduction.objection_until,
            answer=deduction.answer,
        )


class ReturnOut(BaseModel):
    """An instalment going back; the refund of the same id tells more."""

    return_id: UUID
    n: int
    amount_fen: int
    due_on: date
    state: ReturnState


class DepositOut(BaseModel):
    """A deposit as it stands."""

    deposit_id: UUID
    account_id: UUID
    legal_entity_id: UUID
    kind: DepositKind
    purpose: str
    amount_fen: int
    held_fen: int
    deducted_fen: int
    returned_fen: int
    state: DepositState
    payment_id: UUID | None
    conditions: list[ConditionOut]
    deductions: list[DeductionOut]
    returns: list[ReturnOut]

    @classmethod
    def of(cls, deposit: Deposit) -> DepositOut:
        """Return what is answered for a deposit."""
        return cls(
            deposit_id=deposit.deposit_id,
            account_id=deposit.account_id,
            legal_entity_id=deposit.book.legal_entity_id,
            kind=deposit.kind,
            purpose=deposit.purpose,
            amount_fen=deposit.amount_fen,
            held_fen=deposit.held_fen,
            deducted_fen=deposit.deducted_fen,
            returned_fen=deposit.returned_fen,
            state=deposit.state,
            payment_id=deposit.payment_id,
            conditions=[
                ConditionOut(kind=one.kind, on_day=one.on_day, met_at=one.met_at, evidence=one.evidence)
                for one in deposit.conditions
            ],
            deductions=[DeductionOut.of(one) for one in deposit.deductions],
            returns=[
                ReturnOut(
                    return_id=one.return_id, n=one.n, amount_fen=one.amount_fen, due_on=one.due_on, state=one.state
                )
                for one in deposit.returns
            ],
        )
