"""Taking payments online: commit the wish, call the channel, commit what it said. Never a call inside a unit of work.

What we commit before the call is enough for a job to find out what happened if we die in the middle: the attempt with
its number, and the job that asks about it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from cloud.estate import service as estate
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.ledger.accounts import Book
from cloud.payments import answers, merchants, service
from cloud.payments.channel import Channel, Method
from cloud.payments.channels.provider import (
    NOBODY,
    Order,
    OrderView,
    Payer,
    Provider,
    Refused,
    TradeState,
    Unknown,
    UnknownReason,
)
from cloud.payments.merchants import MerchantAccount
from cloud.payments.providers import Providers
from cloud.payments.service import Way
from cloud.payments.values import Attempt, IntentRequest
from common.errors import RefusalError
from common.ids import TenantId

NOTIFY_PATH = "/pay/{channel}/notify"
UNDONE = frozenset({Method.CODE})
_WAITING = frozenset({TradeState.NOT_PAID, TradeState.PAYING})
_ALREADY_PAID = frozenset({"ORDERPAID", "ORDER_PAID", "ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID"})


def notify_url(public_url: str, account: MerchantAccount) -> str:
    """Return the address where the channel of a merchant account tells what happened."""
    return f"{public_url}{NOTIFY_PATH.format(channel=account.channel)}/{account.notify_token}"


class Cashier:
    """Starts payments at a channel and asks about them."""

    def __init__(
        self, database: Database, providers: Providers, public_url: str, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._database = database
        self._providers = providers
        self._public_url = public_url.rstrip("/")
        self._random_bytes = random_bytes

    async def start(
        self, tenant: TenantId, actor: Actor, request: IntentRequest, way: Way, payer: Payer = NOBODY
    ) -> Attempt:
        """Begin a payment and return its attempt, with what the payer scans or opens when the channel gave it.

        An attempt of the same intent that is paid, or can still be paid the same way, is returned as it is: one wish,
        one code. One that waits at another channel is left to expire; whatever is paid there is booked as well.
        """
        async with self._database.unit(tenant, actor) as unit:
            intent = await service.create_intent(unit, request)
            standing = await service.standing_attempt(unit.session, intent.intent_id, way)
            if standing is not None:
                return standing
            attempt = await service.open_attempt(unit, intent, way, self._random_bytes)
            account = await merchants.merchant_account(unit.session, attempt.merchant_account_id)
            community = await estate.community(unit.session, attempt.community_id)
        order = Order(
            number=attempt.order_number,
            amount_fen=attempt.amount_fen,
            description=community.name,
            notify_url=notify_url(self._public_url, account),
            made_at=attempt.created_at,
            expires_at=attempt.expires_at,
            method=way.method,
            payer=payer,
            return_url=self._public_url,
        )
        outcome = await self._providers.of(account).place(order)
        async with self._database.unit(tenant, actor) as unit:
            return await answers.note_placed(unit, attempt.attempt_id, outcome)

    async def wechat_address(self, tenant: TenantId, book: Book, back: str) -> str | None:
        """Return where a browser inside WeChat learns who it is before it can pay into a book, None when nowhere."""
        account = await self._wechat(tenant, book)
        return None if account is None else self._providers.wechat_address(account, back)

    async def wechat_payer(self, tenant: TenantId, book: Book, code: str) -> Payer:
        """Return the payer who came back from WeChat with a code.

        Raises:
            RefusalError: WeChat does not know the code, or could not be asked.
        """
        account = await self._wechat(tenant, book)
        found = None if account is None else await self._providers.wechat_open_id(account, code)
        if not isinstance(found, str):
            raise RefusalError("WeChat could not tell who is paying; scan the bill's code again")
        return Payer(open_id=found)

    async def _wechat(self, tenant: TenantId, book: Book) -> MerchantAccount | None:
        async with self._database.view(tenant) as session:
            return await merchants.open_account(session, book.legal_entity_id, book.fund_class, Channel.WECHAT)

    async def refresh(self, tenant: TenantId, actor: Actor, attempt_id: UUID) -> Attempt:
        """Ask the channel about an open attempt now, for a payer who says that he has paid."""
        async with self._database.view(tenant) as session:
            attempt = await service.attempt(session, attempt_id)
            account = await merchants.merchant_account(session, attempt.merchant_account_id)
        if not attempt.is_open:
            return attempt
        answer = await ask(self._providers.of(account), attempt, expired=False)
        async with self._database.unit(tenant, actor) as unit:
            return await answers.note_asked(unit, attempt_id, answer)


async def ask(provider: Provider, attempt: Attempt, *, expired: bool) -> OrderView | Refused | Unknown:
    """Return where an order stands; one that is unpaid past its time, or whose code we never got, is closed first.

    Closing may answer that the order is paid: then it is asked about again, and the money is taken. An order whose
    payer showed a code is undone instead, which may take what he paid back to him.
    """
    answer = await provider.query(attempt.ref)
    if attempt.method in UNDONE:
        return await _undone(provider, attempt, answer) if expired else answer
    if not _is_unpaid(answer) or not (expired or attempt.code_url is None):
        return answer
    closed = await provider.close(attempt.ref)
    if closed is None or (isinstance(closed, Refused) and closed.code in _ALREADY_PAID):
        again = await provider.query(attempt.ref)
        return _closed(again) if closed is None else again
    return closed


async def _undone(
    provider: Provider, attempt: Attempt, answer: OrderView | Refused | Unknown
) -> OrderView | Refused | Unknown:
    """Undo an order that was not paid in its time; until the channel says that it is undone, nothing is known."""
    if isinstance(answer, OrderView) and answer.state not in _WAITING:
        return answer
    undone = await provider.reverse(attempt.ref)
    if undone is not None:
        return undone if isinstance(undone, Unknown) else Unknown(reason=UnknownReason.SERVER_ERROR, detail=undone.code)
    again = await provider.query(attempt.ref)
    return again if isinstance(again, Unknown) else _closed(again)


def _is_unpaid(answer: OrderView | Refused | Unknown) -> bool:
    return isinstance(answer, OrderView) and answer.state is TradeState.NOT_PAID


def _closed(answer: OrderView | Refused | Unknown) -> OrderView | Refused | Unknown:
    """Return the answer after a closing that the channel confirmed; one it still calls unpaid cannot be paid now."""
    return replace(answer, state=TradeState.CLOSED) if isinstance(answer, OrderView) and _is_unpaid(answer) else answer
