"""Payments over HTTP: the channels' notifications, the cashier address of a bill, payments of people, and the desk."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.endpoints import may_see
from cloud.fleet.answers import COSE, refusal_answer
from cloud.fleet.counters import GatewayMetrics
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn, require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import NotFoundError, TooLargeError
from cloud.ledger.accounts import Book
from cloud.payments import booking, desk, links, merchants, schemas, service, tracing
from cloud.payments.cashier import NOTIFY_PATH, Cashier
from cloud.payments.channel import ONLINE, Channel, Method
from cloud.payments.inbox import BODY_SIZE_MAX, Inbox
from cloud.payments.kiosk_codes import KioskDesk
from cloud.payments.service import Way
from cloud.payments.values import IntentRequest
from common.ids import AccountId, BillId, CommunityId, LegalEntityId, PaymentId
from common.wire.refusal import WireError

PAY_PATH = "/pay"
CashTaker = Annotated[Caller, Depends(require(Permission.TAKE_CASH))]
Viewer = Annotated[Caller, Depends(require(Permission.SEE_PAYMENTS))]


def build_notify_router(inbox: Inbox) -> APIRouter:
    """Return the address that channels notify; it needs no sign-in, the signature of the raw bytes is the proof."""
    router = APIRouter(tags=["notifications"])

    def listen(channel: Channel) -> None:
        @router.post(NOTIFY_PATH.format(channel=channel) + "/{notify_token}", name=f"{channel} notified")
        async def notified(notify_token: str, request: Request) -> Response:
            """Store a notification; 2xx with the channel's word says that we have it, all else asks to repeat it."""
            body = await request.body()
            if len(body) > BODY_SIZE_MAX:
                raise TooLargeError(f"a notification has at most {BODY_SIZE_MAX} bytes")
            heard = await inbox.receive(channel, notify_token, request.headers, body)
            if not heard.body:
                return Response(status_code=HTTPStatus.NO_CONTENT)
            return Response(heard.body, media_type="text/plain")

    for channel in sorted(ONLINE):
        listen(channel)
    return router


def build_pay_router(database: Database, cashier: Cashier) -> APIRouter:
    """Return what stands behind a bill's cashier address; the token is the right to see and pay, nobody signs in."""
    router = APIRouter(prefix=PAY_PATH, tags=["cashier address"])

    @router.get("/{token}/dues")
    async def cashier_page(token: str) -> schemas.CashierPageOut:
        """Tell whoever holds a bill what is open on it, and nothing about persons."""
        return schemas.CashierPageOut.of(await links.cashier_page(database, token))

    @router.post("/{token}/attempts", status_code=HTTPStatus.CREATED)
    async def start_at_link(request: Request, token: str, body: schemas.LinkPaymentIn) -> schemas.AttemptOut:
        """Begin a payment at a bill's cashier address."""
        wish = links.LinkPayment(
            intent_id=body.intent_id,
            legal_entity_id=LegalEntityId(body.legal_entity_id),
            fund_class=body.fund_class,
            whole_account=body.whole_account,
            amount_fen=body.amount_fen,
            way=body.way,
            payer=body.payer(address_of(request)),
        )
        agent = request.headers.get("user-agent", "")
        return schemas.AttemptOut.of(await links.start(database, cashier, token, wish, agent))

    @router.get("/{token}/attempts/{attempt_id}")
    async def attempt_at_link(token: str, attempt_id: UUID, *, ask: bool = False) -> schemas.AttemptOut:
        """Tell where an attempt stands; with `ask` the channel is asked first."""
        return schemas.AttemptOut.of(await links.attempt(database, cashier, token, attempt_id, ask=ask))

    return router


def build_kiosk_router(desk: KioskDesk, metrics: GatewayMetrics) -> APIRouter:
    """Return the endpoint where a gateway hands over the code that a payer shows; its signature is the right to ask."""
    router = APIRouter(prefix="/gateway/v1", tags=["gateway"])

    @router.post("/charges")
    async def charge(request: Request) -> Response:
        """Charge a shown code once, or tell where a wish stands; the answer is signed."""
        body = await request.body()
        try:
            answer = await desk.charge(body)
        except WireError as error:
            metrics.refused.labels("charges", str(error.reason)).inc()
            return refusal_answer(error)
        metrics.accepted.labels("charges", "answered").inc()
        return Response(answer, media_type=COSE)

    return router


def build_router(database: Database, cashier: Cashier) -> APIRouter:
    """Return the endpoints of payments for people."""
    router = APIRouter(tags=["payments"])
    _add_link(router, database)
    _add_payments(router, database, cashier)
    _add_receipts(router, database)
    _add_desk(router, database)
    return router


def _add_link(router: APIRouter, database: Database) -> None:
    @router.post("/bills/{bill_id}/pay-link")
    async def pay_link(bill_id: UUID, caller: SignedIn) -> schemas.PayLinkOut:
        """Return the cashier address of a bill, the one its QR carries."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            may_see(caller, (await billing.bill(unit.session, BillId(bill_id))).account)
            token = await links.link_for(unit, BillId(bill_id), secrets.token_bytes)
        return schemas.PayLinkOut(token=token, path=f"{PAY_PATH}/{token}")

    @router.delete("/bills/{bill_id}/pay-link", status_code=HTTPStatus.NO_CONTENT)
    async def revoke_link(bill_id: UUID, caller: SignedIn) -> None:
        """Revoke the cashier address of a bill, for one that fell into wrong hands; the next one is another."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            may_see(caller, (await billing.bill(unit.session, BillId(bill_id))).account)
            await links.revoke(unit, BillId(bill_id))


def _add_payments(router: APIRouter, database: Database, cashier: Cashier) -> None:
    @router.get("/accounts/{account_id}/dues")
    async def dues(account_id: UUID, caller: SignedIn) -> list[schemas.QuoteOut]:
        """Tell what is open on an account, by legal entity and fund."""
        async with database.view(caller.tenant) as session:
            await _require_account(session, caller, AccountId(account_id))
            return [schemas.QuoteOut.of(quote) for quote in await service.quote(session, AccountId(account_id))]

    @router.post("/payment-attempts", status_code=HTTPStatus.CREATED)
    async def start(request: Request, body: schemas.IntentIn, caller: SignedIn) -> schemas.AttemptOut:
        """Begin a payment; the amounts of the bills are computed here."""
        async with database.view(caller.tenant) as session:
            await _require_account(session, caller, AccountId(body.account_id))
        wish = IntentRequest(
            intent_id=body.intent_id,
            account_id=AccountId(body.account_id),
            legal_entity_id=LegalEntityId(body.legal_entity_id),
            fund_class=body.fund_class,
            bill_ids=tuple(BillId(bill_id) for bill_id in body.bill_ids),
            amount_fen=body.amount_fen,
        )
        async with database.view(caller.tenant) as session:
            agent = request.headers.get("user-agent", "")
            possible = await links.ways(session, wish.legal_entity_id, wish.fund_class, agent)
        channel, method = body.way or next(iter(possible), (Channel.WECHAT, Method.NATIVE))
        way, payer = Way(channel=channel, method=method), body.payer(address_of(request))
        return schemas.AttemptOut.of(await cashier.start(caller.tenant, caller.actor, wish, way, payer))

    @router.get("/payment-attempts/{attempt_id}")
    async def attempt(attempt_id: UUID, caller: SignedIn, *, ask: bool = False) -> schemas.AttemptOut:
        """Tell where an attempt stands; with `ask` the channel is asked first."""
        async with database.view(caller.tenant) as session:
            found = await service.attempt(session, attempt_id)
            intent = await service.intent_of(session, found.intent_id)
            await _require_account(session, caller, intent.account_id)
        if ask:
            found = await cashier.refresh(caller.tenant, caller.actor, attempt_id)
        return schemas.AttemptOut.of(found)


def _add_receipts(router: APIRouter, database: Database) -> None:
    @router.get("/accounts/{account_id}/payments")
    async def payments(account_id: UUID, caller: SignedIn) -> list[schemas.PaymentOut]:
        """List the receipts of an account, the newest first."""
        async with database.view(caller.tenant) as session:
            await _require_account(session, caller, AccountId(account_id))
            found = await booking.payments_of(session, AccountId(account_id))
        return [schemas.PaymentOut.of(payment) for payment in found]

    @router.get("/payments/{payment_id}")
    async def payment(payment_id: UUID, caller: SignedIn) -> schemas.PaymentOut:
        """Return one receipt."""
        async with database.view(caller.tenant) as session:
            found = await booking.payment(session, PaymentId(payment_id))
            await _require_account(session, caller, found.account_id)
        return schemas.PaymentOut.of(found)

    @router.get("/payments/{payment_id}/trace")
    async def trace(payment_id: UUID, caller: SignedIn) -> dict[str, Any]:
        """Return the chain behind a receipt: postings, bill lines, readings, signed batches; no channel's ids."""
        async with database.view(caller.tenant) as session:
            found = await booking.payment(session, PaymentId(payment_id))
            await _require_account(session, caller, found.account_id)
            told = asdict(await tracing.trace_payment(session, found))
        del told["transaction_id"]
        return told

    @router.get("/merchant-accounts")
    async def merchant_accounts(caller: Viewer) -> list[schemas.MerchantAccountOut]:
        """List the company's merchant accounts."""
        async with database.view(caller.tenant) as session:
            found = await merchants.merchant_accounts(session)
        return [schemas.MerchantAccountOut.of(account) for account in found]


def _add_desk(router: APIRouter, database: Database) -> None:
    @router.get("/communities/{community_id}/cash-boxes")
    async def boxes(community_id: UUID, caller: CashTaker) -> list[schemas.CashBoxOut]:
        """List the cash boxes of a community."""
        async with database.view(caller.tenant) as session:
            found = await desk.cash_boxes(session, CommunityId(community_id))
        return [schemas.CashBoxOut.of(box) for box in found]

    @router.post("/communities/{community_id}/cash-boxes", status_code=HTTPStatus.CREATED)
    async def add_box(community_id: UUID, body: schemas.CashBoxIn, caller: CashTaker) -> dict[str, UUID]:
        """Add a cash box for the money of one legal entity and fund."""
        book = Book(
            community_id=CommunityId(community_id),
            legal_entity_id=LegalEntityId(body.legal_entity_id),
            fund_class=body.fund_class,
        )
        async with database.unit(caller.tenant, caller.actor) as unit:
            return {"cash_box_id": await desk.add_cash_box(unit, book, body.name)}

    @router.post("/communities/{community_id}/cash-shifts", status_code=HTTPStatus.CREATED)
    async def open_shift(community_id: UUID, body: schemas.ShiftIn, caller: CashTaker) -> schemas.ShiftOut:
        """Open a shift of the caller with the count of the box."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            boxes = await desk.cash_boxes(unit.session, CommunityId(community_id))
            if body.cash_box_id not in {box.cash_box_id for box in boxes}:
                raise NotFoundError("there is no such cash box in this community")
            opened = await desk.open_shift(unit, body.cash_box_id, opening_fen=body.opening_fen, reason=body.reason)
        return schemas.ShiftOut.of(opened)

    @router.get("/my-cash-shift")
    async def my_shift(caller: CashTaker) -> schemas.ShiftOut:
        """Return the shift the caller has open."""
        async with database.view(caller.tenant) as session:
            found = await desk.open_shift_of(session, caller.user_id)
        if found is None:
            raise NotFoundError("you have no open shift; open one with a count of the box")
        return schemas.ShiftOut.of(found)

    @router.post("/cash-shifts/{cash_shift_id}/payments", status_code=HTTPStatus.CREATED)
    async def take_cash(cash_shift_id: UUID, body: schemas.CashIn, caller: CashTaker) -> schemas.PaymentOut:
        """Take cash in the caller's open shift; the same receipt again is the same payment."""
        receipt = desk.CashReceipt(
            payment_id=PaymentId(body.payment_id),
            account_id=AccountId(body.account_id),
            tendered_fen=body.tendered_fen,
            amount_fen=body.amount_fen,
            bill_ids=tuple(BillId(bill_id) for bill_id in body.bill_ids),
        )
        async with database.unit(caller.tenant, caller.actor) as unit:
            account = await billing.account(unit.session, receipt.account_id)
            caller.require(Permission.TAKE_CASH, account.community_id)
            return schemas.PaymentOut.of(await desk.record_cash(unit, cash_shift_id, receipt))

    @router.post("/cash-shifts/{cash_shift_id}/close")
    async def close_shift(cash_shift_id: UUID, body: schemas.CountIn, caller: CashTaker) -> schemas.ShiftOut:
        """Close the caller's shift with a count; a difference needs a reason."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            closed = await desk.close_shift(unit, cash_shift_id, counted_fen=body.counted_fen, reason=body.reason)
        return schemas.ShiftOut.of(closed)


def address_of(request: Request) -> str:
    """Return the network address of whoever asks, which some channels want to know."""
    return request.client.host if request.client else "127.0.0.1"


async def _require_account(session: AsyncSession, caller: Caller, account_id: AccountId) -> None:
    """Go on only when the caller may see the account.

    Raises:
        NotFoundError: he may not, or there is none; the answer is the same.
    """
    may_see(caller, await billing.account(session, account_id))
