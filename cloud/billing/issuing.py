"""Issuing documents: journals, then numbers, then the rows, in one unit; nothing of it stands without the rest.

A document's journal has one transfer per line, under the line's number, and a key made of the account, the period, the
kind and the sequence: the book itself refuses the same obligation twice. Numbers are taken after the journals, in a
block, so a series waits as short as can be and never has a gap. The whole unit commits or nothing does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cloud.billing import repository
from cloud.billing.events import BillsIssued
from cloud.billing.lines import BillDraft, BillKind, LineDraft, book_of
from cloud.billing.rules import bill_number, number_prefix
from cloud.estate.values import Community
from cloud.kit.db import Unit
from cloud.ledger import service as ledger
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, LineRef, TransferDraft
from cloud.ledger.postings import LinePosting, lines_issued, lines_opened
from common.civil import Period, civil_day
from common.errors import ensure
from common.ids import AccountId, BillId, CaseId, CommunityId
from common.money.amount import CNY


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBill:
    """A document to be issued. `releases` are the moves of what its credits leave overpaid."""

    bill_id: BillId
    draft: BillDraft
    cycle: str
    period: Period
    kind: BillKind
    seq: int
    due_on: date
    case_id: CaseId | None = None
    releases: tuple[TransferDraft, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedBill:
    """A document that is issued."""

    bill_id: BillId
    number: str
    account_id: AccountId
    total_fen: int


async def issue(unit: Unit, community: Community, bills: Sequence[NewBill]) -> tuple[IssuedBill, ...]:
    """Issue documents of one kind to accounts of one community, in the order given, which is that of their numbers."""
    if not bills:
        return ()
    kind = bills[0].kind
    ensure(all(bill.kind is kind for bill in bills), "documents of one go are of one kind")
    today = civil_day(unit.now, community.zone)
    journals = [_journal(community.id, today, bill) for bill in bills]
    refs = await ledger.post_many(unit, [journal for journal in journals if journal is not None])
    ensure(not any(ref.replayed for ref in refs), "a document's journal is never in the book before the document")
    prefix = number_prefix(community.code, kind, today.year)
    first = await repository.take_numbers(unit.session, unit.tenant, community.id, prefix, len(bills))
    issued = tuple(
        IssuedBill(
            bill_id=bill.bill_id,
            number=bill_number(prefix, first + offset),
            account_id=bill.draft.account_id,
            total_fen=bill.draft.total_fen,
        )
        for offset, bill in enumerate(bills)
    )
    await repository.add_bills(
        unit.session,
        [_bill_row(unit, community.id, today, bill, done) for bill, done in zip(bills, issued, strict=True)],
        [_line_row(unit, community.id, bill, n, line) for bill in bills for n, line in _numbered(bill.draft)],
    )
    _tell(unit, community.id, bills[0].case_id, issued)
    return issued


def _tell(unit: Unit, community_id: CommunityId, case_id: CaseId | None, issued: Sequence[IssuedBill]) -> None:
    for done in issued:
        unit.record("issued", "bill", done.bill_id, after={"number": done.number, "total_fen": done.total_fen})
    unit.publish(
        BillsIssued(
            community_id=community_id,
            bill_ids=tuple(done.bill_id for done in issued),
            account_ids=tuple(done.account_id for done in issued),
            case_id=case_id,
        )
    )


def moved_line(bill_id: BillId, n: int, line: LineDraft) -> LineRef:
    """Return the line whose open amount a line moves: itself, or for a credit the line that it takes back."""
    if line.fen < 0 and line.corrects is not None:
        return line.corrects
    return LineRef(bill_id=bill_id, n=n)


def _numbered(draft: BillDraft) -> list[tuple[int, LineDraft]]:
    return list(enumerate(draft.lines, start=1))


def _journal(community_id: CommunityId, today: date, bill: NewBill) -> JournalDraft | None:
    """Return the journal of a document, or None when none of its lines moves money."""
    postings = [
        LinePosting(
            n=n,
            account_id=bill.draft.account_id,
            book=book_of(community_id, line.charge),
            charge_item_id=line.key.charge_item_id,
            nature=line.charge.nature,
            fen=line.fen,
            line=moved_line(bill.bill_id, n, line),
        )
        for n, line in _numbered(bill.draft)
    ]
    booked = lines_opened(postings) if bill.kind is BillKind.OPENING else lines_issued(postings)
    transfers = (*booked, *bill.releases)
    if not transfers:
        return None
    return JournalDraft(
        idem_key=f"bill:{bill.draft.account_id}:{bill.cycle}:{bill.period.start.isoformat()}:{bill.kind}:{bill.seq}",
        kind=f"bill_{bill.kind}",
        community_id=community_id,
        business_date=today,
        document=DocumentRef(kind=DocumentKind.BILL, document_id=bill.bill_id),
        transfers=transfers,
    )


def _bill_row(unit: Unit, community_id: CommunityId, today: date, bill: NewBill, issued: IssuedBill) -> dict[str, Any]:
    return {
        "tenant_id": unit.tenant,
        "community_id": community_id,
        "bill_id": bill.bill_id,
        "account_id": bill.draft.account_id,
        "cycle": bill.cycle,
        "period_start": bill.period.start,
        "period_end": bill.period.end,
        "kind": bill.kind.value,
        "seq": bill.seq,
        "number": issued.number,
        "issued_at": unit.now,
        "issued_on": today,
        "due_on": bill.due_on,
        "currency": CNY.code,
        "total_fen": issued.total_fen,
        "line_count": len(bill.draft.lines),
        "document_sha": bill.draft.sha,
        "case_id": bill.case_id,
    }


def _line_row(unit: Unit, community_id: CommunityId, bill: NewBill, n: int, line: LineDraft) -> dict[str, Any]:
    charge, tariff = line.charge, line.tariff
    return {
        "tenant_id": unit.tenant,
        "community_id": community_id,
        "bill_id": bill.bill_id,
        "n": n,
        "charge_item_id": line.key.charge_item_id,
        "subject": line.key.subject,
        "service_start": line.key.service_start,
        "service_end": line.key.service_end,
        "component": line.key.component,
        "charge_code": charge.charge_code,
        "name_zh": charge.name_zh,
        "name_en": charge.name_en,
        "basis": charge.basis,
        "nature": charge.nature.value,
        "fund_class": charge.fund_class.value,
        "legal_entity_id": charge.legal_entity_id,
        "tax_code": charge.tax_code,
        "tax_rate_micro": charge.tax_rate_micro,
        "bears_late_charge": charge.bears_late_charge,
        "quantity_milli": line.quantity_milli,
        "price_micro": line.price_micro,
        "fen": line.fen,
        "net_fen": line.net_fen,
        "tax_fen": line.tax_fen,
        "tariff_id": tariff.tariff_id,
        "tariff_code": tariff.tariff_code,
        "effective_from": tariff.effective_from,
        "rev": tariff.rev,
        "tariff_sha": tariff.body_sha,
        "input_sha": line.input_sha,
        "estimated": line.estimated,
        "corrects_bill_id": line.corrects.bill_id if line.corrects else None,
        "corrects_n": line.corrects.n if line.corrects else None,
        "trace": dict(line.trace),
    }
