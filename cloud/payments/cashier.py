"""Taking payments online: commit the wish, call the channel, commit what it said. Never a call inside a unit of work.

What we commit before the call is enough for a job to find out what happened if we die in the middle: the attempt with
its number, and the job that asks about it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from cloud.estate import service as estate
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.payments import merchants, service
from cloud.payments.channel import Channel
from cloud.payments.channels.provider import Order, OrderView, Provider, Refused, TradeState, Unknown
from cloud.payments.merchants import Providers
from cloud.payments.values import Attempt, IntentRequest
from common.ids import TenantId

NOTIFY_PATH = "/pay/wechat/notify"
_ALREADY_PAID = frozenset({"ORDERPAID", "ORDER_PAID"})


class Cashier:
    """Starts payments at a channel and asks about them."""

    def __init__(
        self,
        database: Database,
        providers: Providers,
        public_url: str,
        random_bytes: Callable[[int], bytes],
        attempt_life: timedelta = service.ATTEMPT_LIFE,
    ) -> None:
        self._database = database
        self._providers = providers
        self._public_url = public_url.rstrip("/")
        self._random_bytes = random_bytes
        self._attempt_life = attempt_life

    async def start(self, tenant: TenantId, actor: Actor, request: IntentRequest, channel: Channel) -> Attempt:
        """Begin a payment and return its attempt, with the code to scan when the channel gave one.

        An attempt of the same intent that is paid or can still be paid is returned as it is: one wish, one code.
        """
        async with self._database.unit(tenant, actor) as unit:
            intent = await service.create_intent(unit, request)
            standing = await service.standing_attempt(unit.session, intent.intent_id)
            if standing is not None:
                return standing
            attempt = await service.open_attempt(unit, intent, channel, self._random_bytes, self._attempt_life)
            account = await merchants.merchant_account(unit.session, attempt.merchant_account_id)
            community = await estate.community(unit.session, attempt.community_id)
        order = Order(
            number=attempt.order_number,
            amount_fen=attempt.amount_fen,
            description=community.name,
            notify_url=f"{self._public_url}{NOTIFY_PATH}/{account.notify_token}",
            expires_at=attempt.expires_at,
        )
        outcome = await self._providers.of(account).place(order)
        async with self._database.unit(tenant, actor) as unit:
            return await service.note_placed(unit, attempt.attempt_id, outcome)

    async def refresh(self, tenant: TenantId, actor: Actor, attempt_id: UUID) -> Attempt:
        """Ask the channel about an open attempt now, for a payer who says that he has paid."""
        async with self._database.view(tenant) as session:
            attempt = await service.attempt(session, attempt_id)
            account = await merchants.merchant_account(session, attempt.merchant_account_id)
        if not attempt.is_open:
            return attempt
        answer = await ask(self._providers.of(account), attempt, expired=False)
        async with self._database.unit(tenant, actor) as unit:
            return await service.note_asked(unit, attempt_id, answer)


async def ask(provider: Provider, attempt: Attempt, *, expired: bool) -> OrderView | Refused | Unknown:
    """Return where an order stands; one that is unpaid past its time, or whose code we never got, is closed first.

    Closing may answer that the order is paid: then it is asked about again, and the money is taken.
    """
    answer = await provider.query(attempt.order_number)
    unpaid = isinstance(answer, OrderView) and answer.state is TradeState.NOT_PAID
    if not unpaid or not (expired or attempt.code_url is None):
        return answer
    closed = await provider.close(attempt.order_number)
    if closed is None or (isinstance(closed, Refused) and closed.code in _ALREADY_PAID):
        return await provider.query(attempt.order_number)
    return closed
