"""Tax invoices: asked for over what was paid of a bill, and what stands in a book of them.

Amounts are computed here from what the ledger says was paid, under the lock of the account, so that two requests at
once never invoice more than was paid. The title is sealed before it is stored; it is opened only to be sent.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.documents import BillView
from cloud.estate import service as estate
from cloud.invoices import repository, rules
from cloud.invoices import seller_accounts as accounts
from cloud.invoices.rules import PaidLine
from cloud.invoices.tables import TaxInvoiceRow
from cloud.invoices.values import (
    Colour,
    Invoice,
    InvoiceLine,
    InvoiceState,
    InvoiceWish,
    Title,
    TitleKind,
)
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.kit.jobs import NewJob
from cloud.kit.secretbox import SecretBox
from cloud.ledger import moves
from cloud.ledger.journals import LineRef
from common.civil import civil_day
from common.errors import RefusalError
from common.ids import AccountId, BillId, CommunityId, LegalEntityId, TenantId

SEND = "invoices.send"
ASK = "invoices.ask"
LIST_MAX = 500


async def request(unit: Unit, box: SecretBox, wish: InvoiceWish) -> Invoice:
    """Ask for an invoice over all that was paid of a bill to one seller and is not invoiced; again it is the same.

    Raises:
        UnknownBillError: there is no such bill.
        ConflictError: the id stands for another wish.
        RefusalError: the title cannot be, the seller issues no invoices here, or nothing is left to invoice.
    """
    title = rules.checked(wish.title)
    view = await billing.bill(unit.session, wish.bill_id)
    await billing.lock_accounts(unit, [view.account.account_id])
    known = await repository.invoice(unit.session, wish.invoice_id)
    if known is not None:
        _require_same(known, wish, title, title_of(box, known))
        return invoice_of(known)
    seller = await accounts.account_of(unit.session, wish.legal_entity_id)
    if seller is None:
        raise RefusalError("该收款主体未开通数电发票; this seller issues no invoices here, ask the office")
    lines = rules.lines_to_invoice(
        await paid_lines(unit.session, view, wish.legal_entity_id),
        await of_bill(unit.session, wish.bill_id),
        with_agency=seller.with_agency,
    )
    row = TaxInvoiceRow(
        tenant_id=unit.tenant,
        community_id=view.summary.community_id,
        invoice_id=wish.invoice_id,
        account_id=view.account.account_id,
        bill_id=wish.bill_id,
        legal_entity_id=wish.legal_entity_id,
        invoice_account_id=seller.invoice_account_id,
        colour=Colour.BLUE,
        kind=wish.kind,
        title_sealed=sealed(box, unit.tenant, wish.invoice_id, title),
        shown=rules.shown_as(title),
    )
    return await begin(unit, row, lines)


async def begin(unit: Unit, row: TaxInvoiceRow, lines: Sequence[InvoiceLine]) -> Invoice:
    """Store an invoice that is asked for and have it sent."""
    community = await estate.community(unit.session, row.community_id)
    row.order_number = rules.order_number(row.invoice_id, row.colour, civil_day(unit.now, community.zone))
    row.lines = [
        [one.n, str(one.line.bill_id), one.line.n, one.name, one.goods_code, one.rate_micro, one.fen, one.net_fen]
        for one in lines
    ]
    row.total_fen, row.net_fen = sum(one.fen for one in lines), sum(one.net_fen for one in lines)
    row.state, row.attempts, row.asked, row.file_url, row.detail = InvoiceState.REQUESTED, 0, 0, "", ""
    row.requested_at, row.requested_by = unit.now, unit.actor.id
    unit.session.add(row)
    await unit.session.flush()
    unit.enqueue(send_job(row))
    unit.record("requested", "tax_invoice", row.invoice_id, after={"colour": row.colour, "total_fen": row.total_fen})
    return invoice_of(row)


async def ask_again(unit: Unit, invoice_id: UUID) -> Invoice:
    """Have the platform asked once more about an invoice of which nobody could say what became of it.

    Raises:
        NotFoundError: there is no such invoice.
        ConflictError: it has come to its end, or was not sent yet.
    """
    row = await locked(unit, invoice_id)
    if row.state is not InvoiceState.UNKNOWN:
        raise ConflictError(f"this invoice is {row.state}; only one of which nothing is known is asked about by hand")
    unit.enqueue(ask_job(row, unit.now, cause=f"hand:{unit.new_id()}"))
    unit.record("asked for", "tax_invoice", invoice_id, after={"state": row.state})
    return invoice_of(row)


async def invoice(session: AsyncSession, invoice_id: UUID) -> Invoice:
    """Return an invoice.

    Raises:
        NotFoundError: there is none.
    """
    row = await repository.invoice(session, invoice_id)
    if row is None:
        raise NotFoundError("there is no such invoice")
    return invoice_of(row)


async def locked(unit: Unit, invoice_id: UUID) -> TaxInvoiceRow:
    """Return the row of an invoice, held until the unit ends.

    Raises:
        NotFoundError: there is none.
    """
    row = await repository.invoice(unit.session, invoice_id, lock=True)
    if row is None:
        raise NotFoundError("there is no such invoice")
    return row


async def of_bill(session: AsyncSession, bill_id: BillId) -> tuple[Invoice, ...]:
    """Return the invoices of a bill, oldest first."""
    return tuple(invoice_of(row) for row in await repository.invoices_of_bill(session, bill_id))


async def of_accounts(session: AsyncSession, account_ids: Collection[AccountId]) -> tuple[Invoice, ...]:
    """Return up to `LIST_MAX` invoices of some accounts, the newest first."""
    return tuple(invoice_of(row) for row in await repository.invoices_of_accounts(session, account_ids, LIST_MAX))


async def in_community(session: AsyncSession, community_id: CommunityId) -> tuple[Invoice, ...]:
    """Return up to `LIST_MAX` invoices of a community, the newest first."""
    return tuple(invoice_of(row) for row in await repository.invoices_in(session, community_id, LIST_MAX))


async def room_fen(session: AsyncSession, view: BillView) -> dict[LegalEntityId, int]:
    """Return for each seller of a bill how much may be invoiced now; a seller of nothing that may be is left out."""
    found: dict[LegalEntityId, int] = {}
    standing = await of_bill(session, view.summary.bill_id)
    for entity in sorted({line.line.charge.legal_entity_id for line in view.lines}):
        seller = await accounts.account_of(session, entity)
        if seller is None:
            continue
        try:
            paid = await paid_lines(session, view, entity)
            lines = rules.lines_to_invoice(paid, standing, with_agency=seller.with_agency)
        except RefusalError:
            continue
        found[entity] = sum(line.fen for line in lines)
    return found


async def paid_lines(session: AsyncSession, view: BillView, entity: LegalEntityId) -> tuple[PaidLine, ...]:
    """Return the lines of a bill that one seller charged, and a deposit of anybody, with what was paid of each."""
    lines = {LineRef(bill_id=view.summary.bill_id, n=one.n): one.line for one in view.lines if one.line.fen > 0}
    moved = await moves.moves_of(session, list(lines))
    return tuple(
        PaidLine(ref=ref, line=line, paid_fen=rules.paid_fen(moved[ref]))
        for ref, line in lines.items()
        if line.charge.legal_entity_id == entity or line.charge.fund_class.value == "deposit"
    )


def send_job(row: TaxInvoiceRow, run_at: datetime | None = None) -> NewJob:
    """Return the job that hands an invoice over."""
    return NewJob(
        kind=SEND,
        key=f"{SEND}:{row.invoice_id}:{row.attempts}",
        payload={"invoice_id": str(row.invoice_id)},
        run_at=run_at,
        partition=f"invoice:{row.invoice_id}",
    )


def ask_job(row: TaxInvoiceRow, run_at: datetime, cause: str = "") -> NewJob:
    """Return the job that asks what became of an invoice."""
    return NewJob(
        kind=ASK,
        key=f"{ASK}:{row.invoice_id}:{cause or row.asked}",
        payload={"invoice_id": str(row.invoice_id)},
        run_at=run_at,
        partition=f"invoice:{row.invoice_id}",
    )


def sealed(box: SecretBox, tenant: TenantId, invoice_id: UUID, title: Title) -> bytes:
    """Return a title sealed for an invoice."""
    plain = json.dumps([title.kind, title.name, title.tax_number, title.email], ensure_ascii=False)
    return box.seal(tenant, f"tax_invoice:{invoice_id}", plain.encode())


def title_of(box: SecretBox, row: TaxInvoiceRow) -> Title:
    """Return the title of an invoice, opened."""
    plain = box.open(row.tenant_id, f"tax_invoice:{row.invoice_id}", row.title_sealed)
    kind, name, tax_number, email = json.loads(plain)
    return Title(kind=TitleKind(kind), name=name, tax_number=tax_number, email=email)


def invoice_of(row: TaxInvoiceRow) -> Invoice:
    """Return a row as a value; its title stays sealed."""
    return Invoice(
        invoice_id=row.invoice_id,
        community_id=row.community_id,
        account_id=AccountId(row.account_id),
        bill_id=BillId(row.bill_id),
        legal_entity_id=LegalEntityId(row.legal_entity_id),
        invoice_account_id=row.invoice_account_id,
        colour=row.colour,
        kind=row.kind,
        blue_id=row.blue_id,
        reason=row.reason,
        order_number=row.order_number,
        shown=row.shown,
        lines=tuple(
            InvoiceLine(
                n=n,
                line=LineRef(bill_id=BillId(UUID(bill_id)), n=line_n),
                name=name,
                goods_code=code,
                rate_micro=rate,
                fen=fen,
                net_fen=net_fen,
            )
            for n, bill_id, line_n, name, code, rate, fen, net_fen in row.lines
        ),
        state=row.state,
        attempts=row.attempts,
        asked=row.asked,
        number=row.number,
        issued_at=row.issued_at,
        file_url=row.file_url,
        detail=row.detail,
        requested_at=row.requested_at,
    )


def _require_same(row: TaxInvoiceRow, wish: InvoiceWish, title: Title, known: Title) -> None:
    said = (row.colour, row.bill_id, row.legal_entity_id, row.kind, known)
    if said != (Colour.BLUE, wish.bill_id, wish.legal_entity_id, wish.kind, title):
        raise ConflictError("this invoice was asked for with other content; nothing was changed, begin a new one")
