"""The counter with mixed means: cash, card, a code that the payer shows, in any order, until nothing is left to take.

    /desk/collections/<collection>            what is taken so far, what is left, and a form for each means
    /desk/collections/<collection>/card       enter a terminal's slip (form)
    /desk/collections/<collection>/code       send the code that the scanner read to its channel (form)
    /desk/collections/<collection>/cash       take cash (form)
    /desk/collections/<collection>/receipt    one receipt over all means, for a thermal printer or A4

The page keeps nothing but what its address says: whose account, and how much is to be taken. Every form has the id of
its payment, so pressing twice takes money once. A scanner ends its code with Enter, which is all the form needs.
"""

from __future__ import annotations

import secrets
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.errors import NotFoundError
from cloud.ledger import reports
from cloud.payments import collection, desk
from cloud.payments.channels.provider import Payer
from cloud.payments.collection import CardReceipt, CardSlip
from cloud.payments.desk import CashReceipt, Shift
from cloud.payments.devices import channel_of_code
from cloud.payments.service import Way
from cloud.payments.values import IntentRequest, Payment
from cloud.web.frame import Frame, page_router, see_other
from cloud.web.money_text import parse_yuan
from cloud.web.money_words import CHANNELS, METHODS
from cloud.web.rendering import mask_name
from common.civil import civil_day
from common.errors import RefusalError
from common.ids import AccountId, BillId, PaymentId

CashTaker = Annotated[Caller, Depends(require(Permission.TAKE_CASH))]
Yuan = Annotated[str, Field(max_length=20)]
PAPERS = ("thermal", "a4")


class Goal(BaseModel):
    """Whose account, and how much is to be taken, as the address says."""

    account: UUID
    amount: Annotated[int, Field(gt=0)]


class CashForm(BaseModel):
    """Cash handed over."""

    payment_id: UUID
    amount_yuan: Yuan
    tendered: Yuan


class CardForm(BaseModel):
    """What stands on the slip."""

    payment_id: UUID
    amount_yuan: Yuan
    terminal: Annotated[str, Field(max_length=20)]
    batch: Annotated[str, Field(max_length=8)]
    voucher: Annotated[str, Field(max_length=8)]
    reference: Annotated[str, Field(max_length=24)]
    card_tail: Annotated[str, Field(max_length=4)]


class CodeForm(BaseModel):
    """The code that the payer shows."""

    payment_id: UUID
    amount_yuan: Yuan
    auth_code: Annotated[str, Field(max_length=40)]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of mixed means."""
    router = page_router()
    _add_page(router, frame)
    _add_means(router, frame)
    _add_code(router, frame)
    _add_receipt(router, frame)
    return router


def _add_page(router: APIRouter, frame: Frame) -> None:
    @router.get("/desk/collections/{collection_id}")
    async def page(
        request: Request, collection_id: UUID, caller: CashTaker, goal: Annotated[Goal, Query()]
    ) -> Response:
        """Show what is taken, what is left, and how to take it."""
        async with frame.database.view(caller.tenant) as session:
            shift = await _own_shift(session, caller)
            account = await billing.account(session, AccountId(goal.account))
            caller.require(Permission.TAKE_CASH, account.community_id)
            community = await estate.community(session, account.community_id)
            day = civil_day(frame.now(), community.zone)
            premises = await estate.premises(session, account.premises_id, day=day)
            parties = await estate.parties(session, {account.party_id})
            found = await collection.collection(session, collection_id, account.account_id)
        return frame.page(
            request,
            "desk/collection.html",
            caller=caller,
            shift=shift,
            goal=goal,
            collection_id=collection_id,
            premises=premises,
            name=mask_name(parties[account.party_id].name),
            found=found,
            rest_fen=collection.rest_fen(goal.amount, found.payments, found.waiting_fen),
            new_id=lambda: UUID(bytes=secrets.token_bytes(16), version=4),
            channels=CHANNELS,
            methods=METHODS,
        )


def _add_means(router: APIRouter, frame: Frame) -> None:
    @router.post("/desk/collections/{collection_id}/cash")
    async def cash(
        collection_id: UUID, caller: CashTaker, goal: Annotated[Goal, Query()], form: Annotated[CashForm, Form()]
    ) -> Response:
        """Take cash."""
        receipt = CashReceipt(
            payment_id=PaymentId(form.payment_id),
            account_id=AccountId(goal.account),
            tendered_fen=parse_yuan(form.tendered or form.amount_yuan),
            amount_fen=parse_yuan(form.amount_yuan),
            collection_id=collection_id,
        )
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            shift = await _taking(unit.session, caller, goal)
            await desk.record_cash(unit, shift.cash_shift_id, receipt)
        return _back(collection_id, goal, "cash-taken")

    @router.post("/desk/collections/{collection_id}/card")
    async def card(
        collection_id: UUID, caller: CashTaker, goal: Annotated[Goal, Query()], form: Annotated[CardForm, Form()]
    ) -> Response:
        """Book a card payment from its slip."""
        receipt = CardReceipt(
            payment_id=PaymentId(form.payment_id),
            account_id=AccountId(goal.account),
            amount_fen=parse_yuan(form.amount_yuan),
            slip=CardSlip(
                terminal=form.terminal.strip().upper(),
                batch=form.batch.strip(),
                voucher=form.voucher.strip(),
                reference=form.reference.strip().upper(),
                card_tail=form.card_tail.strip(),
            ),
            collection_id=collection_id,
        )
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            shift = await _taking(unit.session, caller, goal)
            await collection.take_card(unit, shift.cash_shift_id, receipt)
        return _back(collection_id, goal, "card-taken")


def _add_code(router: APIRouter, frame: Frame) -> None:
    @router.post("/desk/collections/{collection_id}/code")
    async def code(
        collection_id: UUID, caller: CashTaker, goal: Annotated[Goal, Query()], form: Annotated[CodeForm, Form()]
    ) -> Response:
        """Send a shown code to its channel; whether it is paid is known at once or a few seconds later."""
        shown = form.auth_code.strip()
        channel = channel_of_code(shown)
        if channel is None:
            raise RefusalError("this is no payment code of WeChat, Alipay or UnionPay; ask for the payer's newest one")
        async with frame.database.view(caller.tenant) as session:
            shift = await _taking(session, caller, goal)
            boxes = await desk.cash_boxes(session, shift.community_id)
            book = next(box.book for box in boxes if box.cash_box_id == shift.cash_box_id)
        wish = IntentRequest(
            intent_id=form.payment_id,
            account_id=AccountId(goal.account),
            legal_entity_id=book.legal_entity_id,
            fund_class=book.fund_class,
            amount_fen=parse_yuan(form.amount_yuan),
            collection_id=collection_id,
        )
        await frame.parts.cashier.start(
            caller.tenant, caller.actor, wish, Way.shown_code(channel), Payer(auth_code=shown)
        )
        return _back(collection_id, goal, None)


def _add_receipt(router: APIRouter, frame: Frame) -> None:
    @router.get("/desk/collections/{collection_id}/receipt")
    async def receipt(
        request: Request, collection_id: UUID, caller: CashTaker, goal: Annotated[Goal, Query()], paper: str = "thermal"
    ) -> Response:
        """Show one receipt over all means, in the size of a paper."""
        async with frame.database.view(caller.tenant) as session:
            account = await billing.account(session, AccountId(goal.account))
            caller.require(Permission.TAKE_CASH, account.community_id)
            community = await estate.community(session, account.community_id)
            day = civil_day(frame.now(), community.zone)
            premises = await estate.premises(session, account.premises_id, day=day)
            found = await collection.collection(session, collection_id, account.account_id)
            if not found.payments:
                raise NotFoundError("nothing was taken in this collection")
            names = await estate.entity_names(session)
            settled = await _settled(session, found.payments)
        return frame.page(
            request,
            "desk/collection_receipt.html",
            caller=caller,
            goal=goal,
            collection_id=collection_id,
            paper=paper if paper in PAPERS else PAPERS[0],
            community=community,
            premises=premises,
            found=found,
            settled=settled,
            entity=names.get(found.payments[0].book.legal_entity_id, ""),
            channels=CHANNELS,
        )


async def _settled(session: AsyncSession, payments: tuple[Payment, ...]) -> list[tuple[str, str, str, int]]:
    """Return what all means together gave to each bill line: number, name in both languages, fen."""
    given: dict[tuple[BillId, int], int] = {}
    for payment in payments:
        for posting in await reports.postings_of_document(session, payment.payment_id):
            if posting.bill_id is not None and posting.line_n is not None:
                key = (BillId(posting.bill_id), posting.line_n)
                given[key] = given.get(key, 0) + posting.fen
    rows = []
    for (bill_id, n), fen in given.items():
        view = await billing.bill(session, bill_id)
        line = next(one for one in view.lines if one.n == n)
        rows.append((f"{view.summary.number}/{n}", line.line.charge.name_zh, line.line.charge.name_en, fen))
    return rows


async def _taking(session: AsyncSession, caller: Caller, goal: Goal) -> Shift:
    account = await billing.account(session, AccountId(goal.account))
    caller.require(Permission.TAKE_CASH, account.community_id)
    return await _own_shift(session, caller)


async def _own_shift(session: AsyncSession, caller: Caller) -> Shift:
    shift = await desk.open_shift_of(session, caller.user_id)
    if shift is None:
        raise NotFoundError("you have no open shift; open one with a count of the box")
    return shift


def _back(collection_id: UUID, goal: Goal, done: str | None) -> Response:
    return see_other(f"/desk/collections/{collection_id}", done=done, account=goal.account, amount=goal.amount)
