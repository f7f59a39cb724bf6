"""Codes that payers show at a kiosk: the gateway hands one over by its signed road, we charge its wish once.

    look (no code) -> what a code would be charged -> the wish with its code -> charged by the channel, or refused

A wish is an intent of payments, so it is charged at most once, whatever is repeated; asking again asks the channel and
sends nothing. One code pays one book of one bill: money of two books never mixes, the next book takes a fresh code.
The code passes through to the channel; it is not stored and stands in no text.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.fleet.downlink import Downlink
from cloud.fleet.values import GatewayKey
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.payments import booking, links, repository, service
from cloud.payments.cashier import Cashier
from cloud.payments.channel import ONLINE, Channel, Method
from cloud.payments.channels.provider import Payer
from cloud.payments.devices import channel_of_code
from cloud.payments.errors import UnknownPayLinkError
from cloud.payments.links import PayLink
from cloud.payments.rules import AttemptState
from cloud.payments.service import Way
from cloud.payments.values import Attempt, IntentRequest, Quote
from common.ids import PaymentId
from common.wire.charge import NO_CODE, ChargeAnswer, ChargeRequest, ChargeState, read_charge, sign_charge_answer
from common.wire.refusal import Refusal, WireError
from common.wire.signing import Purpose

_STATES = {
    AttemptState.PAID: ChargeState.PAID,
    AttemptState.CLOSED: ChargeState.FAILED,
    AttemptState.FAILED: ChargeState.FAILED,
    AttemptState.DISPUTED: ChargeState.UNCLEAR,
}


class KioskDesk:
    """Charges codes for gateways that prove themselves, and answers with the cloud's signature."""

    def __init__(self, database: Database, downlink: Downlink, cashier: Cashier) -> None:
        self._database = database
        self._downlink = downlink
        self._cashier = cashier

    async def charge(self, data: bytes) -> bytes:
        """Return the signed answer to a signed request.

        Raises:
            WireError: the sender proved no gateway that may sign, or speaks for another one.
        """
        key, payload = await self._downlink.verified(data, Purpose.CHARGE)
        request = read_charge(payload)
        if request.gateway_id != key.gateway_id:
            raise WireError(Refusal.FOREIGN_GATEWAY, f"gateway {key.gateway_id} asked for {request.gateway_id}")
        return sign_charge_answer(await self._answer(key, request), self._downlink.key)

    async def _answer(self, key: GatewayKey, request: ChargeRequest) -> ChargeAnswer:
        link = await self._link(key, request)
        if link is None:
            return _no(request, "unknown_bill")
        actor = Actor(kind="gateway", id=key.gateway_id, name=f"gateway {key.gateway_id}")
        known = await self._known(link, actor, request)
        if known is not None:
            return known
        async with self._database.view(link.tenant) as session:
            quote = await _payable(session, link)
        if quote is None:
            return _no(request, "nothing_open")
        if request.auth_code == NO_CODE:
            return ChargeAnswer(wish=request.wish, state=ChargeState.ABSENT, amount_fen=quote.total_fen)
        channel = channel_of_code(request.auth_code)
        async with self._database.view(link.tenant) as session:
            reason = await _objection(session, channel, quote, request)
        if channel is None or reason:
            return _no(request, reason)
        return await self._started(link, actor, quote, request, channel)

    async def _link(self, key: GatewayKey, request: ChargeRequest) -> PayLink | None:
        """Return where a bill's address leads, None when to another company or nowhere."""
        try:
            link = await links.find(self._database, request.token)
        except UnknownPayLinkError:
            return None
        return link if link.tenant == key.tenant else None

    async def _started(
        self, link: PayLink, actor: Actor, quote: Quote, request: ChargeRequest, channel: Channel
    ) -> ChargeAnswer:
        wish = IntentRequest(
            intent_id=request.wish,
            account_id=link.account_id,
            legal_entity_id=quote.book.legal_entity_id,
            fund_class=quote.book.fund_class,
            bill_ids=(link.bill_id,),
            amount_fen=request.amount_fen,
        )
        payer = Payer(auth_code=request.auth_code)
        try:
            attempt = await self._cashier.start(link.tenant, actor, wish, Way.shown_code(channel), payer)
        except IntegrityError:  # the same wish a moment earlier: it is being charged
            return ChargeAnswer(wish=request.wish, state=ChargeState.WAITING, amount_fen=request.amount_fen)
        return await self._told(link, request.wish, attempt)

    async def _known(self, link: PayLink, actor: Actor, request: ChargeRequest) -> ChargeAnswer | None:
        """Return where a wish stands that was heard of before; one that is open is asked about at its channel."""
        async with self._database.view(link.tenant) as session:
            intent = await repository.intent(session, request.wish)
            if intent is None:
                return None
            attempts = await repository.attempts_of(session, request.wish)
            ours = intent.account_id == link.account_id and intent.bill_ids == [str(link.bill_id)]
        if not ours or not attempts or attempts[0].method is not Method.CODE:
            return _no(request, "other_wish")
        attempt = service.attempt_of(attempts[0])
        if attempt.is_open:
            attempt = await self._cashier.refresh(link.tenant, actor, attempt.attempt_id)
        return await self._told(link, request.wish, attempt)

    async def _told(self, link: PayLink, wish: UUID, attempt: Attempt) -> ChargeAnswer:
        state = _STATES.get(attempt.state, ChargeState.WAITING)
        if state is not ChargeState.PAID:
            return ChargeAnswer(wish=wish, state=state, amount_fen=attempt.amount_fen)
        async with self._database.view(link.tenant) as session:
            payment = await booking.payment(session, PaymentId(attempt.attempt_id))
        return ChargeAnswer(
            wish=wish, state=state, amount_fen=payment.amount_fen, receipt=payment.number, channel=payment.channel
        )


async def _payable(session: AsyncSession, link: PayLink) -> Quote | None:
    """Return the first open part of a bill that a code can pay; a book that no channel takes is left out."""
    for quote in await service.quote(session, link.account_id, [link.bill_id]):
        if quote.total_fen > 0 and await _taking(session, quote):
            return quote
    return None


async def _taking(session: AsyncSession, quote: Quote) -> frozenset[Channel]:
    taken = await repository.channels_of(session, quote.book.legal_entity_id, quote.book.fund_class)
    return taken & ONLINE


async def _objection(session: AsyncSession, channel: Channel | None, quote: Quote, request: ChargeRequest) -> str:
    """Return why a code is not charged, empty when it may be."""
    if channel is None:
        return "no_code"
    if channel not in await _taking(session, quote):
        return "no_merchant"
    return "" if request.amount_fen == quote.total_fen else "amount_changed"


def _no(request: ChargeRequest, reason: str) -> ChargeAnswer:
    return ChargeAnswer(wish=request.wish, state=ChargeState.REFUSED, reason=reason)
