"""The pages of bills and receipts: a resident's own, and the same documents for staff who may see bills.

    /my                              what is to pay, bills and receipts of each account
    /bills/<id>                      a bill or adjustment, what it is made of, every line explained
    /bills/<id>/lines/<n>            where a figure comes from, down to the bytes of the device
    /accounts/<id>                   everything that moved an account
    /receipts/<id>                   a receipt, for printing

Whose account it is decides, not the role alone: `may_see` answers a stranger as if there were none. What a page says
was billed is read from the documents; nothing is worked out again.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing import tracing
from cloud.billing.documents import Account, BillSummary
from cloud.billing.endpoints import may_see
from cloud.billing.settling import settling_order
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn
from cloud.identity.policy import Permission
from cloud.ledger import reports
from cloud.ledger import service as ledger
from cloud.ledger.accounts import AccountType
from cloud.ledger.reports import Posting, StatementLine
from cloud.payments import booking, links, sub_methods
from cloud.payments.values import Payment
from cloud.refunds import service as refunds
from cloud.refunds.rules import RefundState
from cloud.web import pay_code
from cloud.web.frame import Frame, page_router, see_other
from cloud.web.money_words import CHANNELS, QUANTITIES, ROUTES, Words, settling_words
from cloud.web.resident_bill import chart_option, composition, line_cards
from common.civil import Period, civil_day
from common.ids import AccountId, BillId, PaymentId

_Told = TypeVar("_Told")
_BOOKS = (
    (("应收", "Owed"), AccountType.RECEIVABLE, True),
    (("预存", "Paid ahead"), AccountType.PREPAYMENT, False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an account is, in words, and which day it is there."""

    community: str
    room: str
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """An account on a resident's first page."""

    account_id: AccountId
    community: str
    room: str
    lookup_code: str
    open_fen: int
    ahead_fen: int
    overdue: bool
    bills: tuple[BillSummary, ...]
    payments: tuple[Payment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a receipt gave to one bill line."""

    bill_id: BillId
    number: str
    n: int
    name_zh: str
    name_en: str
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What one document moved on an account in one way: the sum of its postings, and what stood after them."""

    posting: Posting
    amount_fen: int
    balance_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPart:
    """What happened on the accounts of one kind; `falls_well` where a fall is what the resident hopes for."""

    title: Words
    moves: tuple[Move, ...]
    falls_well: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Where a document of the book is shown."""

    number: str
    path: str


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of bills and receipts."""
    router = page_router()
    _add_own(router, frame)
    _add_bill(router, frame)
    _add_account(router, frame)
    return router


def _add_own(router: APIRouter, frame: Frame) -> None:
    @router.get("/my")
    async def own(request: Request, caller: SignedIn) -> Response:
        """Show the caller's own accounts."""
        caller.require(Permission.SEE_OWN)
        homes = await homes_of(frame, caller, _home)
        return frame.page(request, "resident/bills.html", caller=caller, homes=homes, channels=CHANNELS)


async def homes_of(
    frame: Frame, caller: Caller, look: Callable[[AsyncSession, Frame, Account], Awaitable[_Told]]
) -> list[_Told]:
    """Return what `look` tells of each account of the caller; nothing when he is no party."""
    if caller.party_id is None:
        return []
    async with frame.database.view(caller.tenant) as session:
        accounts = await billing.accounts_of_parties(session, [caller.party_id])
        return [await look(session, frame, account) for account in accounts]


def _add_bill(router: APIRouter, frame: Frame) -> None:
    @router.get("/bills/{bill_id}")
    async def bill(request: Request, bill_id: UUID, caller: SignedIn) -> Response:
        """Show a bill with what it is made of and why."""
        async with frame.database.view(caller.tenant) as session:
            view = await billing.bill(session, BillId(bill_id))
            may_see(caller, view.account)
            place = await place_of(session, frame, view.account)
            cards = await line_cards(session, view)
            token = await links.token_of(session, BillId(bill_id))
        segments = composition(view.lines)
        code = None if token is None else pay_code.svg(f"{frame.parts.public_url.rstrip('/')}/pay/{token}")
        return frame.page(
            request,
            "resident/bill.html",
            caller=caller,
            bill=view.summary,
            place=place,
            lookup_code=view.account.lookup_code,
            lines=cards,
            segments=segments,
            charged_fen=sum(segment.fen for segment in segments),
            chart=chart_option(segments),
            overdue=view.summary.open_fen > 0 and view.summary.due_on < place.today,
            pay_code=code,
        )

    @router.post("/bills/{bill_id}/pay")
    async def pay(bill_id: UUID, caller: SignedIn) -> Response:
        """Lead to the bill's cashier address, made at first use."""
        return see_other(f"/pay/{await _link(frame, caller, BillId(bill_id))}")

    @router.post("/bills/{bill_id}/pay-code")
    async def put_code(bill_id: UUID, caller: SignedIn) -> Response:
        """Put the code of the cashier address on the bill, for printing."""
        await _link(frame, caller, BillId(bill_id))
        return see_other(f"/bills/{bill_id}")

    @router.get("/bills/{bill_id}/lines/{n}")
    async def origin(request: Request, bill_id: UUID, n: int, caller: SignedIn) -> Response:
        """Show the chain behind a line, both ways."""
        async with frame.database.view(caller.tenant) as session:
            view = await billing.bill(session, BillId(bill_id))
            may_see(caller, view.account)
            trace = await tracing.trace_line(session, view, n)
            receipts = await booking.payments_of(session, view.account.account_id)
        return frame.page(
            request,
            "resident/origin.html",
            caller=caller,
            trace=trace,
            period=Period(trace.service_start, trace.service_end),
            receipts={receipt.payment_id: receipt for receipt in receipts},
            **_words(),
        )


def _add_account(router: APIRouter, frame: Frame) -> None:
    @router.get("/accounts/{account_id}")
    async def statement(request: Request, account_id: UUID, caller: SignedIn) -> Response:
        """Show everything that moved an account."""
        async with frame.database.view(caller.tenant) as session:
            account = await billing.account(session, AccountId(account_id))
            may_see(caller, account)
            place = await place_of(session, frame, account)
            books = [
                BookPart(
                    title=title, moves=moves(await reports.statement(session, account_id, [kind])), falls_well=well
                )
                for title, kind, well in _BOOKS
            ]
            documents = await _documents(session, account.account_id)
        return frame.page(
            request,
            "resident/statement.html",
            caller=caller,
            place=place,
            books=books,
            documents=documents,
            **_words(),
        )

    @router.get("/receipts/{payment_id}")
    async def receipt(request: Request, payment_id: UUID, caller: SignedIn) -> Response:
        """Show a receipt and what it settled."""
        async with frame.database.view(caller.tenant) as session:
            payment = await booking.payment(session, PaymentId(payment_id))
            account = await billing.account(session, payment.account_id)
            may_see(caller, account)
            place = await place_of(session, frame, account)
            parts = await _parts(session, payment)
            names = await estate.entity_names(session)
            order = await settling_order(session, account.community_id, payment.booked_at)
            back = await refunds.refunds_of_payment(session, payment.payment_id)
        return frame.page(
            request,
            "resident/receipt.html",
            refunds=[one for one in back if one.state is RefundState.ARRIVED],
            caller=caller,
            payment=payment,
            place=place,
            parts=parts,
            settling=settling_words(order),
            entity=names.get(payment.book.legal_entity_id, ""),
            at_desk=payment.cash_shift_id is not None and caller.may(Permission.TAKE_CASH, account.community_id),
            **_words(),
        )


async def place_of(session: AsyncSession, frame: Frame, account: Account) -> Place:
    """Return where an account is, in words."""
    community = await estate.community(session, account.community_id)
    today = civil_day(frame.now(), community.zone)
    premises = await estate.premises(session, account.premises_id, day=today)
    return Place(community=community.name, room=premises.label, today=today)


def moves(lines: Sequence[StatementLine]) -> tuple[Move, ...]:
    """Return postings of one journal by one route as one move; a bill of ten lines is one move, not ten."""
    found: list[Move] = []
    for _, group in groupby(lines, key=lambda line: (line.posting.journal_id, line.posting.route)):
        own = list(group)
        found.append(
            Move(
                posting=own[0].posting,
                amount_fen=sum(line.amount_fen for line in own),
                balance_fen=own[-1].balance_fen,
            )
        )
    return tuple(found)


async def _home(session: AsyncSession, frame: Frame, account: Account) -> Home:
    place = await place_of(session, frame, account)
    bills = await billing.bills_of(session, [account.account_id])
    ahead = await ledger.ahead_balances(session, [account.account_id])
    return Home(
        account_id=account.account_id,
        community=place.community,
        room=place.room,
        lookup_code=account.lookup_code,
        open_fen=sum(bill.open_fen for bill in bills),
        ahead_fen=sum(balance.available_fen for balance in ahead),
        overdue=any(bill.open_fen > 0 and bill.due_on < place.today for bill in bills),
        bills=bills,
        payments=await booking.payments_of(session, account.account_id),
    )


async def _link(frame: Frame, caller: Caller, bill_id: BillId) -> str:
    async with frame.database.unit(caller.tenant, caller.actor) as unit:
        may_see(caller, (await billing.bill(unit.session, bill_id)).account)
        return await links.link_for(unit, bill_id, secrets.token_bytes)


async def _parts(session: AsyncSession, payment: Payment) -> list[Part]:
    """Return what a receipt gave to which bill lines, in the order it was booked."""
    parts = []
    for posting in await reports.postings_of_document(session, payment.payment_id):
        if posting.bill_id is None or posting.line_n is None:
            continue
        view = await billing.bill(session, BillId(posting.bill_id))
        charge = next(line.line.charge for line in view.lines if line.n == posting.line_n)
        parts.append(
            Part(
                bill_id=view.summary.bill_id,
                number=view.summary.number,
                n=posting.line_n,
                name_zh=charge.name_zh,
                name_en=charge.name_en,
                fen=posting.fen,
            )
        )
    return parts


async def _documents(session: AsyncSession, account_id: AccountId) -> dict[UUID, Document]:
    bills = await billing.bills_of(session, [account_id])
    payments = await booking.payments_of(session, account_id)
    found: dict[UUID, Document] = {
        bill.bill_id: Document(number=bill.number, path=f"/bills/{bill.bill_id}") for bill in bills
    }
    for payment in payments:
        found[payment.payment_id] = Document(number=payment.number, path=f"/receipts/{payment.payment_id}")
    return found


def _words() -> dict[str, Any]:
    return {"channels": CHANNELS, "routes": ROUTES, "quantities": QUANTITIES, "way_told": sub_methods.told}
