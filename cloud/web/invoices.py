"""Tax invoices on pages: asked for by who paid or at the desk, followed, downloaded, taken back by red letters.

/my/invoices                  a resident's invoices, and his bills of which something may still be invoiced
/bills/<id>/invoice           what of a bill may be invoiced, the form for it, and what was asked for before
/invoices                     the invoices of a community; a bill or receipt is found by its number
/invoices/<id>/file           lead to the file at the platform
/invoices/<id>/red            take an issued invoice back (form); /again: ask the platform once more
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.documents import BillSummary, BillView
from cloud.billing.endpoints import may_see
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn, require
from cloud.identity.policy import Permission
from cloud.invoices import reds, service
from cloud.invoices.values import (
    EMAIL_LENGTH_MAX,
    NAME_LENGTH_MAX,
    Colour,
    Invoice,
    InvoiceKind,
    InvoiceState,
    InvoiceWish,
    RedReason,
    Title,
    TitleKind,
)
from cloud.kit.errors import ForbiddenError, NotFoundError
from cloud.kit.httpapi import Paging, paging
from cloud.ledger import reports
from cloud.payments import booking
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.listing import part
from cloud.web.resident import place_of
from common.errors import ensure
from common.ids import BillId, LegalEntityId

Desk = Annotated[Caller, Depends(require(Permission.REQUEST_REFUNDS))]
Approver = Annotated[Caller, Depends(require(Permission.APPROVE_REFUNDS))]
Wanted = Annotated[Paging, Depends(paging)]
_BILLS_MAX = 24
STATES: Mapping[InvoiceState, tuple[str, str]] = {
    InvoiceState.REQUESTED: ("已申请", "asked for"),
    InvoiceState.SENDING: ("提交中", "being handed over"),
    InvoiceState.ACCEPTED: ("开具中", "being issued"),
    InvoiceState.CONFIRMING: ("待购方确认", "waits for the buyer"),
    InvoiceState.ISSUED: ("已开具", "issued"),
    InvoiceState.REFUSED: ("未开具", "not issued"),
    InvoiceState.UNKNOWN: ("结果待核实", "being looked into"),
}
KINDS: Mapping[str, tuple[str, str]] = {
    InvoiceKind.ORDINARY: ("普通发票", "ordinary"),
    InvoiceKind.SPECIAL: ("专用发票", "special"),
    Colour.BLUE: ("蓝字", "invoice"),
    Colour.RED: ("红字", "red letter"),
}
REASONS: Mapping[RedReason, tuple[str, str]] = {
    RedReason.WRONG: ("开票有误", "wrongly issued"),
    RedReason.RETURNED: ("款项退回", "money went back"),
    RedReason.STOPPED: ("服务中止", "service stopped"),
    RedReason.ALLOWANCE: ("销售折让", "allowance"),
}
ensure(set(STATES) == set(InvoiceState) and set(REASONS) == set(RedReason), "every code of invoices has its words")


class InvoiceForm(BaseModel):
    """Whom an invoice is for; its id stands in the form, so that a form sent twice asks once. No amount is taken."""

    invoice_id: UUID
    legal_entity_id: UUID
    title_kind: TitleKind
    kind: InvoiceKind = InvoiceKind.ORDINARY
    title: Annotated[str, Field(max_length=NAME_LENGTH_MAX)]
    tax_number: Annotated[str, Field(max_length=20)] = ""
    email: Annotated[str, Field(max_length=EMAIL_LENGTH_MAX)] = ""

    def value(self, bill_id: BillId) -> InvoiceWish:
        """Return the wish as a value."""
        return InvoiceWish(
            invoice_id=self.invoice_id,
            bill_id=bill_id,
            legal_entity_id=LegalEntityId(self.legal_entity_id),
            title=Title(kind=self.title_kind, name=self.title, tax_number=self.tax_number, email=self.email),
            kind=self.kind,
        )


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of tax invoices."""
    router = page_router()
    _add_own(router, frame)
    _add_bill(router, frame)
    _add_listing(router, frame)
    _add_deeds(router, frame)
    return router


def _add_own(router: APIRouter, frame: Frame) -> None:
    @router.get("/my/invoices")
    async def own(request: Request, caller: SignedIn) -> Response:
        """Show the caller's invoices, and which of his newest bills may be invoiced."""
        caller.require(Permission.SEE_OWN)
        found: tuple[Invoice, ...] = ()
        open_bills: list[tuple[BillSummary, int]] = []
        if caller.party_id is not None:
            async with frame.database.view(caller.tenant) as session:
                accounts = [one.account_id for one in await billing.accounts_of_parties(session, [caller.party_id])]
                found = await service.of_accounts(session, accounts)
                for summary in (await billing.bills_of(session, accounts))[:_BILLS_MAX]:
                    room = await service.room_fen(session, await billing.bill(session, summary.bill_id))
                    if room:
                        open_bills.append((summary, sum(room.values())))
        return frame.page(
            request, "resident/invoices.html", caller=caller, invoices=found, open_bills=open_bills, **_words()
        )


def _add_bill(router: APIRouter, frame: Frame) -> None:
    @router.get("/bills/{bill_id}/invoice")
    async def of_bill(request: Request, bill_id: UUID, caller: SignedIn) -> Response:
        """Show what of a bill may be invoiced and what was asked for before."""
        async with frame.database.view(caller.tenant) as session:
            view = await _seen(session, caller, bill_id)
            place = await place_of(session, frame, view.account)
            room = await service.room_fen(session, view)
            names = await estate.entity_names(session)
            found = await service.of_bill(session, view.summary.bill_id)
        return frame.page(
            request,
            "resident/invoice.html",
            caller=caller,
            bill=view.summary,
            place=place,
            sellers=[(entity, names.get(entity, ""), fen, frame.database.new_id()) for entity, fen in room.items()],
            invoices=tuple(reversed(found)),
            may_take_back=caller.may(Permission.APPROVE_REFUNDS, view.summary.community_id),
            may_ask=caller.may(Permission.REQUEST_REFUNDS, view.summary.community_id),
            red_ids={one.invoice_id: frame.database.new_id() for one in found},
            **_words(),
        )

    @router.post("/bills/{bill_id}/invoice")
    async def ask(bill_id: UUID, caller: SignedIn, form: Annotated[InvoiceForm, Form()]) -> Response:
        """Ask for an invoice over what was paid of a bill."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await _seen(unit.session, caller, bill_id)
            await service.request(unit, frame.parts.secret_box, form.value(BillId(bill_id)))
        return see_other(f"/bills/{bill_id}/invoice", done="invoice-asked")


def _add_listing(router: APIRouter, frame: Frame) -> None:
    @router.get("/invoices")
    async def listed(
        request: Request,
        caller: Desk,
        wanted: Wanted,
        community: Annotated[str | None, Query(max_length=80)] = None,
        number: Annotated[str, Query(max_length=80)] = "",
    ) -> Response:
        """Show the invoices of a community, or lead to the bill of a bill's or receipt's number."""
        async with frame.database.view(caller.tenant) as session:
            if number.strip():
                return see_other(f"/bills/{await _bill_of(session, number.strip())}/invoice")
            communities = await communities_of(session, caller, Permission.REQUEST_REFUNDS)
            one = chosen(communities, community)
            found = await service.in_community(session, one.id)
        return frame.page(
            request,
            "manager/invoices.html",
            caller=caller,
            communities=communities,
            community=one,
            rows=part(found, wanted),
            **_words(),
        )

    @router.get("/invoices/{invoice_id}/file")
    async def file(invoice_id: UUID, caller: SignedIn) -> Response:
        """Lead to the file at the platform."""
        async with frame.database.view(caller.tenant) as session:
            found = await service.invoice(session, invoice_id)
            may_see(caller, await billing.account(session, found.account_id))
        if not found.file_url:
            raise NotFoundError("发票文件尚未就绪; there is no file of this invoice yet")
        return see_other(found.file_url)


def _add_deeds(router: APIRouter, frame: Frame) -> None:
    @router.post("/invoices/{invoice_id}/red")
    async def red(
        invoice_id: UUID,
        caller: Approver,
        red_id: Annotated[UUID, Form()],
        reason: Annotated[RedReason, Form()],
    ) -> Response:
        """Take an issued invoice back."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            found = await service.invoice(unit.session, invoice_id)
            caller.require(Permission.APPROVE_REFUNDS, found.community_id)
            await reds.take_back(unit, frame.parts.secret_box, red_id, invoice_id, reason)
        return see_other(f"/bills/{found.bill_id}/invoice", done="invoice-red")

    @router.post("/invoices/{invoice_id}/again")
    async def again(invoice_id: UUID, caller: Desk) -> Response:
        """Have the platform asked once more; of a refused red letter what is too much is tried anew."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            found = await service.invoice(unit.session, invoice_id)
            caller.require(Permission.REQUEST_REFUNDS, found.community_id)
            if found.state is InvoiceState.REFUSED:
                await reds.follow(unit, frame.parts.secret_box, found.bill_id, by_hand=True)
            else:
                await service.ask_again(unit, invoice_id)
        return see_other(f"/bills/{found.bill_id}/invoice", done="invoice-again")


async def _seen(session: AsyncSession, caller: Caller, bill_id: UUID) -> BillView:
    """Return a bill that the caller may have invoiced: his own, or as somebody at the desk.

    Raises:
        NotFoundError: there is none, or it is not his to see.
        ForbiddenError: he may look at bills but takes no part in what is paid for them.
    """
    view = await billing.bill(session, BillId(bill_id))
    may_see(caller, view.account)
    is_own = caller.party_id is not None and caller.party_id == view.account.party_id
    if not is_own and not caller.may(Permission.REQUEST_REFUNDS, view.summary.community_id):
        raise ForbiddenError("invoices are asked for by who pays, or at the desk")
    return view


async def _bill_of(session: AsyncSession, number: str) -> BillId:
    """Return the bill of a number: its own, or that of a receipt that paid it."""
    try:
        return (await billing.bill_numbered(session, number)).summary.bill_id
    except NotFoundError:
        payment = await booking.payment_numbered(session, number)
    for posting in await reports.postings_of_document(session, payment.payment_id):
        if posting.bill_id is not None:
            return BillId(posting.bill_id)
    raise NotFoundError("该收据未核销任何账单; this receipt has paid no bill")


def _words() -> dict[str, Any]:
    return {"states": STATES, "kinds": KINDS, "reasons": REASONS}
