"""What the billing endpoints take and answer; amounts in fen, quantities in thousandths, prices in millionths."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.billing.corrections import Cause, CorrectionPreview
from cloud.billing.documents import BillSummary, BillView, LineView, OpenLine
from cloud.billing.lines import BillDraft, LineDraft
from cloud.billing.runs import RunPreview
from cloud.billing.service import PeriodProgress
from cloud.rating.lines import RatingException

Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Reason = Annotated[str, Field(min_length=1, max_length=500)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PeriodIn(_In):
    """A billing period to create; the end is not included."""

    start: date
    end: date
    due_on: date


class PeriodOut(BaseModel):
    """A billing period and how far it is."""

    cycle: str
    start: date
    end: date
    due_on: date
    due: int
    issued: int
    waived: int
    documents: int
    total_fen: int

    @classmethod
    def of(cls, progress: PeriodProgress) -> PeriodOut:
        """Return what is answered for a period."""
        return cls(
            cycle=progress.scope.cycle,
            start=progress.period.start,
            end=progress.period.end,
            due_on=progress.due_on,
            due=progress.due,
            issued=progress.issued,
            waived=progress.waived,
            documents=progress.documents,
            total_fen=progress.total_fen,
        )


class LineOut(BaseModel):
    """A line of a bill."""

    n: int
    charge_code: str
    name_zh: str
    name_en: str
    nature: str
    fund_class: str
    legal_entity_id: UUID
    service_start: date
    service_end: date
    component: str
    quantity_milli: int | None
    price_micro: int | None
    fen: int
    net_fen: int
    tax_fen: int
    tax_code: str
    tariff_code: str
    tariff_from: date
    tariff_rev: int
    estimated: bool
    corrects_bill_id: UUID | None
    corrects_n: int | None
    open_fen: int
    trace: dict[str, Any]

    @classmethod
    def of(cls, n: int, line: LineDraft, open_fen: int) -> LineOut:
        """Return what is answered for a line."""
        return cls(
            n=n,
            charge_code=line.charge.charge_code,
            name_zh=line.charge.name_zh,
            name_en=line.charge.name_en,
            nature=line.charge.nature.value,
            fund_class=line.charge.fund_class.value,
            legal_entity_id=line.charge.legal_entity_id,
            service_start=line.key.service_start,
            service_end=line.key.service_end,
            component=line.key.component,
            quantity_milli=line.quantity_milli,
            price_micro=line.price_micro,
            fen=line.fen,
            net_fen=line.net_fen,
            tax_fen=line.tax_fen,
            tax_code=line.charge.tax_code,
            tariff_code=line.tariff.tariff_code,
            tariff_from=line.tariff.effective_from,
            tariff_rev=line.tariff.rev,
            estimated=line.estimated,
            corrects_bill_id=line.corrects.bill_id if line.corrects else None,
            corrects_n=line.corrects.n if line.corrects else None,
            open_fen=open_fen,
            trace=dict(line.trace),
        )

    @classmethod
    def of_view(cls, view: LineView) -> LineOut:
        """Return what is answered for an issued line."""
        return cls.of(view.n, view.line, view.open_fen)


class BillSummaryOut(BaseModel):
    """A bill in a list."""

    bill_id: UUID
    number: str
    kind: str
    account_id: UUID
    start: date
    end: date
    issued_at: datetime
    issued_on: date
    due_on: date
    total_fen: int
    open_fen: int
    case_id: UUID | None

    @classmethod
    def of(cls, summary: BillSummary) -> BillSummaryOut:
        """Return what is answered for a bill in a list."""
        return cls(
            bill_id=summary.bill_id,
            number=summary.number,
            kind=summary.kind.value,
            account_id=summary.account_id,
            start=summary.period.start,
            end=summary.period.end,
            issued_at=summary.issued_at,
            issued_on=summary.issued_on,
            due_on=summary.due_on,
            total_fen=summary.total_fen,
            open_fen=summary.open_fen,
            case_id=summary.case_id,
        )


class BillOut(BaseModel):
    """A bill with its lines."""

    bill: BillSummaryOut
    premises_id: UUID
    lines: list[LineOut]

    @classmethod
    def of(cls, view: BillView) -> BillOut:
        """Return what is answered for a bill."""
        return cls(
            bill=BillSummaryOut.of(view.summary),
            premises_id=view.account.premises_id,
            lines=[LineOut.of_view(line) for line in view.lines],
        )


class OpenLineOut(BaseModel):
    """A line on which something is open."""

    bill_id: UUID
    number: str
    n: int
    charge_code: str
    name_zh: str
    name_en: str
    due: date
    open_fen: int
    fund_class: str
    legal_entity_id: UUID

    @classmethod
    def of(cls, line: OpenLine) -> OpenLineOut:
        """Return what is answered for an open line."""
        return cls(
            bill_id=line.bill_id,
            number=line.number,
            n=line.n,
            charge_code=line.charge_code,
            name_zh=line.name_zh,
            name_en=line.name_en,
            due=line.due,
            open_fen=line.open_fen,
            fund_class=line.fund_class.value,
            legal_entity_id=line.legal_entity_id,
        )


class ExceptionOut(BaseModel):
    """Something that could not be rated."""

    premises_id: UUID | None
    charge_item_id: UUID
    kind: str
    detail_zh: str
    detail_en: str

    @classmethod
    def of(cls, exception: RatingException) -> ExceptionOut:
        """Return what is answered for an exception."""
        return cls(
            premises_id=exception.premises_id,
            charge_item_id=exception.charge_item_id,
            kind=exception.kind.value,
            detail_zh=exception.detail_zh,
            detail_en=exception.detail_en,
        )


class DraftOut(BaseModel):
    """A document that would be issued."""

    account_id: UUID
    total_fen: int
    lines: list[LineOut]

    @classmethod
    def of(cls, draft: BillDraft) -> DraftOut:
        """Return what is answered for a document that is not issued."""
        return cls(
            account_id=draft.account_id,
            total_fen=draft.total_fen,
            lines=[LineOut.of(n, line, line.fen) for n, line in enumerate(draft.lines, start=1)],
        )


class RunPreviewOut(BaseModel):
    """What a run would issue; exceptions first, then a first part of the documents."""

    exceptions: list[ExceptionOut]
    count: int
    total_fen: int
    waiting: int
    nothing_to_charge: int
    sha: str
    documents: list[DraftOut]

    @classmethod
    def of(cls, preview: RunPreview, documents_max: int) -> RunPreviewOut:
        """Return what is answered for a preview of a run."""
        return cls(
            exceptions=[ExceptionOut.of(exception) for exception in preview.exceptions[:documents_max]],
            count=len(preview.bills),
            total_fen=preview.total_fen,
            waiting=len(preview.waiting),
            nothing_to_charge=len(preview.nothing_to_charge),
            sha=preview.sha.hex(),
            documents=[DraftOut.of(bill) for bill in preview.bills[:documents_max]],
        )


class CorrectionIn(_In):
    """A correction to open: premises, from which day on, and why."""

    premises: Annotated[list[UUID], Field(min_length=1, max_length=1000)]
    first_day: date
    cause: Cause
    reason: Reason


class CaseOut(BaseModel):
    """The correction that was opened."""

    case_id: UUID


class ApprovalIn(_In):
    """Approval of a correction: the hash of the preview that was seen."""

    preview_sha: Sha


class CorrectionPreviewOut(BaseModel):
    """Every document that a correction would issue, and what could not be rated."""

    exceptions: list[ExceptionOut]
    documents: list[DraftOut]
    net_fen: int
    sha: str

    @classmethod
    def of(cls, preview: CorrectionPreview) -> CorrectionPreviewOut:
        """Return what is answered for a preview of a correction."""
        return cls(
            exceptions=[ExceptionOut.of(exception) for exception in preview.exceptions],
            documents=[DraftOut.of(adjustment.draft) for adjustment in preview.adjustments],
            net_fen=preview.net_fen,
            sha=preview.sha.hex(),
        )
