"""What the reconciliation endpoints take and answer; amounts in fen, shares in hundredths of a percent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.reconciliation.matching import BreakClass, EntryKind, FirstAction
from cloud.reconciliation.service import BreakView, DayReport


class ReasonIn(BaseModel):
    """Why a break is closed."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class BreakOut(BaseModel):
    """A number about which the two books disagree."""

    break_id: UUID
    kind: BreakClass
    entry_kind: EntryKind
    number: str
    book_fen: int | None
    channel_fen: int | None
    first_action: FirstAction
    closes_itself: bool
    case_id: UUID
    opened_at: datetime
    closed_at: datetime | None
    closing: str | None

    @classmethod
    def of(cls, found: BreakView) -> BreakOut:
        """Return what is answered for a break."""
        return cls(
            break_id=found.break_id,
            kind=found.kind,
            entry_kind=found.entry_kind,
            number=found.number,
            book_fen=found.book_fen,
            channel_fen=found.channel_fen,
            first_action=found.first_action,
            closes_itself=found.closes_itself,
            case_id=found.case_id,
            opened_at=found.opened_at,
            closed_at=found.closed_at,
            closing=found.closing,
        )


class DayOut(BaseModel):
    """How a day of a merchant account stands; 10000 basis points are all explained."""

    merchant_account_id: UUID
    day: date
    version: int
    compared_at: datetime
    book_rows: int
    book_fen: int
    channel_rows: int
    channel_fen: int
    matched_rows: int
    matched_fen: int
    waiting_rows: int
    waiting_fen: int
    open_breaks: int
    open_fen: int
    explained_basis_points: int
    breaks: list[BreakOut]

    @classmethod
    def of(cls, report: DayReport) -> DayOut:
        """Return what is answered for a day."""
        found = report.figures
        return cls(
            merchant_account_id=report.merchant_account_id,
            day=report.day,
            version=report.version,
            compared_at=report.compared_at,
            book_rows=report.book_rows,
            book_fen=report.book_fen,
            channel_rows=report.channel_rows,
            channel_fen=report.channel_fen,
            matched_rows=found.matched_rows,
            matched_fen=found.matched_fen,
            waiting_rows=found.waiting_rows,
            waiting_fen=found.waiting_fen,
            open_breaks=found.open_breaks,
            open_fen=found.open_fen,
            explained_basis_points=found.explained_basis_points,
            breaks=[BreakOut.of(broken) for broken in report.breaks],
        )
