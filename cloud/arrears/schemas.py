"""What the endpoints of arrears take and answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.arrears.late import LatePreview
from cloud.arrears.values import Relief, ReliefKind, ReliefState, ReliefWish, RelievedLine
from cloud.billing.issuing import IssuedBill
from cloud.ledger.journals import LineRef
from common.ids import AccountId, BillId

Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LateChargeOut(BaseModel):
    """What one overdue line has come to."""

    account_id: UUID
    number: str
    n: int
    due_on: date
    total_fen: int
    charged_fen: int
    change_fen: int


class LatePreviewOut(BaseModel):
    """Every late charge that a run would make, and which bills are disputed and left alone."""

    through: date
    charges: list[LateChargeOut]
    disputed: list[str]
    total_fen: int
    sha: str

    @classmethod
    def of(cls, found: LatePreview) -> LatePreviewOut:
        """Return what is answered for a preview."""
        return cls(
            through=found.through,
            charges=[
                LateChargeOut(
                    account_id=one.account.account_id,
                    number=one.number,
                    n=one.debt.n,
                    due_on=one.due_on,
                    total_fen=one.total_fen,
                    charged_fen=one.charged_fen,
                    change_fen=one.change_fen,
                )
                for one in found.charges
            ],
            disputed=list(found.disputed),
            total_fen=found.total_fen,
            sha=found.sha.hex(),
        )


class LateApprovalIn(_In):
    """Through which day late charges are made, and the hash of the preview that is approved."""

    through: date
    preview_sha: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class IssuedOut(BaseModel):
    """A document that was issued."""

    bill_id: UUID
    number: str
    total_fen: int

    @classmethod
    def of(cls, bill: IssuedBill) -> IssuedOut:
        """Return what is answered for a document."""
        return cls(bill_id=bill.bill_id, number=bill.number, total_fen=bill.total_fen)


class RelievedLineIn(_In):
    """A part of an open line."""

    bill_id: UUID
    n: Annotated[int, Field(gt=0, lt=1 << 31)]
    fen: Annotated[int, Field(gt=0, lt=1 << 50)]


class ReliefIn(_In):
    """A wish to waive or write off parts of open lines."""

    relief_id: UUID
    kind: ReliefKind
    lines: Annotated[list[RelievedLineIn], Field(min_length=1, max_length=200)]
    reason: Reason

    def value(self, account_id: UUID) -> ReliefWish:
        """Return the wish as a value."""
        return ReliefWish(
            relief_id=self.relief_id,
            account_id=AccountId(account_id),
            kind=self.kind,
            lines=tuple(
                RelievedLine(line=LineRef(bill_id=BillId(one.bill_id), n=one.n), fen=one.fen) for one in self.lines
            ),
            reason=self.reason,
        )


class DecisionIn(_In):
    """Whether relief is granted."""

    grants: bool
    note: Annotated[str, Field(max_length=500)] = ""


class ReliefOut(BaseModel):
    """A wish for relief as it stands."""

    relief_id: UUID
    account_id: UUID
    kind: ReliefKind
    total_fen: int
    reason: str
    state: ReliefState
    asked_at: datetime
    asked_by: UUID
    decided_at: datetime | None
    decided_by: UUID | None
    note: str

    @classmethod
    def of(cls, one: Relief) -> ReliefOut:
        """Return what is answered for a wish."""
        return cls(
            relief_id=one.wish.relief_id,
            account_id=one.wish.account_id,
            kind=one.wish.kind,
            total_fen=one.wish.total_fen,
            reason=one.wish.reason,
            state=one.state,
            asked_at=one.asked_at,
            asked_by=one.asked_by,
            decided_at=one.decided_at,
            decided_by=one.decided_by,
            note=one.note,
        )
