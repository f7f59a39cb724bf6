"""The cashier's desk: open a shift with a count, find who pays, take cash, print the receipt, close with a count.

    /desk                    the open shift and the search; without a shift, the form that opens one
    /desk/rooms/<premises>   what is open there, and the form that takes cash
    /desk/change             what is to be handed back, while it is typed (a fragment)
    /desk/close              the count that closes the shift
    /desk/shifts/<shift>     what a shift took and how it counted

The search takes what a keyboard or a scanner types and ends with Enter: a room, a bill's number, or the address in a
bill's code. The receipt's id is made with the form, so pressing twice takes money once.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.documents import OpenLine
from cloud.billing.settling import settling_order
from cloud.estate import service as estate
from cloud.estate.values import Premises
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.errors import NotFoundError
from cloud.payments import desk
from cloud.payments.desk import CashBox, CashReceipt, Shift
from cloud.web.desk_search import find
from cloud.web.frame import Frame, communities_of, page_router, see_other
from cloud.web.money_text import parse_yuan, parse_yuan_or_none
from cloud.web.money_words import settling_words
from cloud.web.rendering import mask_name
from common.civil import civil_day
from common.errors import RefusalError
from common.ids import AccountId, PaymentId, PremisesId

CashTaker = Annotated[Caller, Depends(require(Permission.TAKE_CASH))]
Yuan = Annotated[str, Form(max_length=20)]
Reason = Annotated[str, Form(max_length=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxChoice:
    """A cash box where a shift can be opened, and what was last counted in it."""

    community: str
    box: CashBox
    receiver: str
    left_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Debtor:
    """An account at the desk: what this box may take for it, and what another one must."""

    account_id: AccountId
    name: str
    lines: tuple[OpenLine, ...]
    open_fen: int
    elsewhere_fen: int
    payment_id: PaymentId


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of the desk."""
    router = page_router()
    _add_shift(router, frame)
    _add_counts(router, frame)
    _add_taking(router, frame)
    return router


def _add_shift(router: APIRouter, frame: Frame) -> None:
    @router.get("/desk")
    async def start(request: Request, caller: CashTaker, q: str = "") -> Response:
        """Show the search of an open shift, or how to open one."""
        async with frame.database.view(caller.tenant) as session:
            shift = await desk.open_shift_of(session, caller.user_id)
            if shift is None:
                boxes = await _boxes(session, caller)
                return frame.page(request, "desk/open.html", caller=caller, boxes=boxes, wanted=None)
            found = await find(session, frame.database, (caller.tenant, shift.community_id), q) if q.strip() else ()
            box = await _box_of(session, shift)
            taken = await desk.payments_of_shift(session, shift.cash_shift_id)
        if len(found) == 1:
            return see_other(f"/desk/rooms/{found[0].id}")
        return frame.page(
            request, "desk/find.html", caller=caller, shift=shift, box=box, q=q.strip(), found=found, taken=taken[::-1]
        )

    @router.post("/desk/shifts")
    async def open_shift(
        request: Request, caller: CashTaker, cash_box_id: Annotated[UUID, Form()], counted: Yuan, reason: Reason = ""
    ) -> Response:
        """Open a shift with the count of the box; a count that differs is asked for its reason."""
        counted_fen = parse_yuan(counted)
        async with frame.database.view(caller.tenant) as session:
            boxes = await _boxes(session, caller)
        choice = next((one for one in boxes if one.box.cash_box_id == cash_box_id), None)
        if choice is None:
            raise NotFoundError("there is no such cash box in your communities")
        if counted_fen != choice.left_fen and not reason.strip():
            return frame.page(
                request,
                "desk/open.html",
                caller=caller,
                status=HTTPStatus.BAD_REQUEST,
                boxes=boxes,
                wanted=choice,
                counted_fen=counted_fen,
            )
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await desk.open_shift(unit, cash_box_id, opening_fen=counted_fen, reason=reason)
        return see_other("/desk", done="shift-opened")


def _add_counts(router: APIRouter, frame: Frame) -> None:
    @router.get("/desk/close")
    async def count(request: Request, caller: CashTaker) -> Response:
        """Ask for the count; what the book expects is not told before it."""
        async with frame.database.view(caller.tenant) as session:
            shift = await _own_shift(session, caller)
        return frame.page(request, "desk/close.html", caller=caller, shift=shift, counted_fen=None)

    @router.post("/desk/close")
    async def close(request: Request, caller: CashTaker, counted: Yuan, reason: Reason = "") -> Response:
        """Close the shift; a count that differs is asked for its reason."""
        counted_fen = parse_yuan(counted)
        async with frame.database.view(caller.tenant) as session:
            shift = await _own_shift(session, caller)
        if counted_fen != shift.expected_fen and not reason.strip():
            return frame.page(
                request,
                "desk/close.html",
                caller=caller,
                status=HTTPStatus.BAD_REQUEST,
                shift=shift,
                counted_fen=counted_fen,
            )
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await desk.close_shift(unit, shift.cash_shift_id, counted_fen=counted_fen, reason=reason)
        return see_other(f"/desk/shifts/{shift.cash_shift_id}", done="shift-closed")

    @router.get("/desk/shifts/{cash_shift_id}")
    async def report(request: Request, cash_shift_id: UUID, caller: CashTaker) -> Response:
        """Show what a shift took and how it counted."""
        async with frame.database.view(caller.tenant) as session:
            shift = await desk.shift(session, cash_shift_id)
            caller.require(Permission.TAKE_CASH, shift.community_id)
            box = await _box_of(session, shift)
            taken = await desk.payments_of_shift(session, cash_shift_id)
        return frame.page(request, "desk/shift.html", caller=caller, shift=shift, box=box, taken=taken)


def _add_taking(router: APIRouter, frame: Frame) -> None:
    @router.get("/desk/rooms/{premises_id}")
    async def room(request: Request, premises_id: UUID, caller: CashTaker) -> Response:
        """Show what is open on the accounts of a room, and take cash for one of them."""
        async with frame.database.view(caller.tenant) as session:
            shift = await _own_shift(session, caller)
            box = await _box_of(session, shift)
            community = await estate.community(session, shift.community_id)
            premises = await estate.premises(
                session, PremisesId(premises_id), day=civil_day(frame.now(), community.zone)
            )
            if premises.community_id != shift.community_id:
                raise NotFoundError("there is no such room in the community of your shift")
            debtors = await _debtors(session, premises, box)
            order = await settling_order(session, community.id)
        return frame.page(
            request,
            "desk/room.html",
            caller=caller,
            shift=shift,
            box=box,
            premises=premises,
            debtors=debtors,
            settling=settling_words(order),
        )

    @router.get("/desk/change")
    async def change(request: Request, caller: CashTaker, tendered: str = "", amount: str = "") -> Response:
        """Tell what is to be handed back for what was typed so far; what cannot be read yet is no fault."""
        try:
            given, owed = parse_yuan_or_none(tendered[:20]), parse_yuan_or_none(amount[:20])
        except RefusalError:
            given = owed = None
        back = None if given is None or owed is None else given - owed
        return frame.page(request, "desk/change.html", caller=caller, back=back)

    @router.post("/desk/payments")
    async def take(
        caller: CashTaker,
        payment_id: Annotated[UUID, Form()],
        account_id: Annotated[UUID, Form()],
        tendered: Yuan,
        amount: Yuan,
    ) -> Response:
        """Take cash in the caller's shift; the amount may be a part of what is open, or more and is then paid ahead."""
        receipt = CashReceipt(
            payment_id=PaymentId(payment_id),
            account_id=AccountId(account_id),
            tendered_fen=parse_yuan(tendered),
            amount_fen=parse_yuan(amount),
        )
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            shift = await _own_shift(unit.session, caller)
            account = await billing.account(unit.session, receipt.account_id)
            caller.require(Permission.TAKE_CASH, account.community_id)
            booked = await desk.record_cash(unit, shift.cash_shift_id, receipt)
        return see_other(f"/receipts/{booked.payment_id}", done="cash-taken")


async def _own_shift(session: AsyncSession, caller: Caller) -> Shift:
    shift = await desk.open_shift_of(session, caller.user_id)
    if shift is None:
        raise NotFoundError("you have no open shift; open one with a count of the box")
    return shift


async def _boxes(session: AsyncSession, caller: Caller) -> list[BoxChoice]:
    names = await estate.entity_names(session)
    return [
        BoxChoice(
            community=community.name,
            box=box,
            receiver=names.get(box.book.legal_entity_id, ""),
            left_fen=await desk.left_fen(session, box.cash_box_id),
        )
        for community in await communities_of(session, caller, Permission.TAKE_CASH)
        for box in await desk.cash_boxes(session, community.id)
    ]


async def _box_of(session: AsyncSession, shift: Shift) -> CashBox:
    boxes = await desk.cash_boxes(session, shift.community_id)
    return next(box for box in boxes if box.cash_box_id == shift.cash_box_id)


async def _debtors(session: AsyncSession, premises: Premises, box: CashBox) -> list[Debtor]:
    """Return the accounts of a room, those that owe first, with names masked for the screen at the counter."""
    accounts = await billing.accounts_of_premises(session, [premises.id])
    parties = await estate.parties(session, {account.party_id for account in accounts})
    debtors = []
    for account in accounts:
        lines = await billing.open_lines(session, account.account_id)
        own = (box.book.legal_entity_id, box.book.fund_class)
        here = tuple(line for line in lines if (line.legal_entity_id, line.fund_class) == own)
        open_fen = sum(line.open_fen for line in here)
        debtors.append(
            Debtor(
                account_id=account.account_id,
                name=mask_name(parties[account.party_id].name),
                lines=here,
                open_fen=open_fen,
                elsewhere_fen=sum(line.open_fen for line in lines) - open_fen,
                payment_id=PaymentId(UUID(bytes=secrets.token_bytes(16), version=4)),
            )
        )
    return sorted(debtors, key=lambda debtor: -debtor.open_fen)
