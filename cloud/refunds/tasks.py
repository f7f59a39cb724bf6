"""The jobs of refunds: set aside, send, ask until it is decided, and take what a deposit gives back.

Sending commits its intent first. Whoever finds a refund sent without knowing how it ended asks; only when the channel
itself says that it has no refund of that number is the same number sent, which can never pay twice. A refusal is
believed only when the channel, asked again, has no such refund.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from cloud.kit.errors import BusyError
from cloud.kit.jobs import NewJob
from cloud.kit.runner import Handler, JobContext
from cloud.payments import merchants
from cloud.payments.cashier import notify_url
from cloud.payments.channels.provider import Provider, RefundOrder, RefundView, Refused, Unknown, UnknownReason
from cloud.payments.events import RefundNoticed
from cloud.payments.merchants import MerchantAccount
from cloud.payments.providers import Providers
from cloud.refunds import answers, moving, service, settling
from cloud.refunds.answers import NO_SUCH_REFUND
from cloud.refunds.rules import ASKED_STATES, RefundRoute, RefundState
from cloud.refunds.values import Refund, RefundRequest
from common.errors import RefusalError, ensure
from common.ids import PaymentId

RESERVE = moving.RESERVE
SUBMIT = moving.SUBMIT
ASK = moving.ASK
NOTICED = "refunds.noticed"
TAKE_RETURN = "refunds.take_return"


def noticed_job(event: RefundNoticed) -> NewJob:
    """Return the job that has the channel asked about a refund it told us of."""
    return NewJob(
        kind=NOTICED,
        key=f"{NOTICED}:{event.notification_id}",
        payload={"refund_number": event.refund_number, "notification_id": str(event.notification_id)},
    )


def return_job(refund_id: UUID, wish: dict[str, Any]) -> NewJob:
    """Return the job that asks for the refund of a part of a deposit; the words are those of `RefundRequest`."""
    return NewJob(kind=TAKE_RETURN, key=f"{TAKE_RETURN}:{refund_id}", payload={"refund_id": str(refund_id), **wish})


class RefundTasks:
    """The handlers of refund jobs, with the clients they call."""

    def __init__(self, providers: Providers, public_url: str, random_bytes: Callable[[int], bytes]) -> None:
        self._providers = providers
        self._public_url = public_url.rstrip("/")
        self._random_bytes = random_bytes

    def handlers(self) -> Mapping[str, Handler]:
        """Return who does which kind of refund job."""
        return {
            RESERVE: self.reserve,
            SUBMIT: self.submit,
            ASK: self.ask,
            NOTICED: self.noticed,
            TAKE_RETURN: self.take_return,
        }

    async def reserve(self, context: JobContext) -> None:
        """Set the money aside."""
        async with context.finishing_unit() as unit:
            await settling.reserve(unit, _refund_id(context))

    async def submit(self, context: JobContext) -> None:
        """Commit that the refund is being sent, send it, and note what came of it."""
        refund, account = await self._read(context)
        if refund.state is RefundState.RESERVED:
            async with context.unit() as unit:
                await answers.note_sending(unit, refund.refund_id)
            provider = self._providers.of(account)
            answer = await _send(provider, self._order(refund, account))
        elif refund.state is RefundState.SUBMITTED:
            answer = await self._ask(refund, account)
        else:
            return
        async with context.finishing_unit() as unit:
            await answers.note(unit, refund.refund_id, answer)

    async def ask(self, context: JobContext) -> None:
        """Ask about a refund and note the answer with the completion of the job."""
        refund, account = await self._read(context)
        if refund.state not in ASKED_STATES:
            return
        answer = await self._ask(refund, account)
        async with context.finishing_unit() as unit:
            await answers.note(unit, refund.refund_id, answer)

    async def noticed(self, context: JobContext) -> None:
        """Have the channel asked about a refund that it told us of."""
        payload = context.job.payload
        async with context.finishing_unit() as unit:
            await service.ask_about(unit, str(payload["refund_number"]), cause=f"event:{payload['notification_id']}")

    async def take_return(self, context: JobContext) -> None:
        """Ask for the refund of a part of a deposit; what is refused is told to a person and to the deposit."""
        payload = context.job.payload
        box = payload.get("cash_box_id")
        wish = RefundRequest(
            refund_id=_refund_id(context),
            payment_id=PaymentId(UUID(str(payload["payment_id"]))),
            amount_fen=int(payload["amount_fen"]),
            reason=str(payload["reason"]),
            deposit_id=UUID(str(payload["deposit_id"])),
            cash_box_id=None if box is None else UUID(str(box)),
        )
        try:
            async with context.finishing_unit() as unit:
                await service.request(unit, wish, self._random_bytes)
        except BusyError:
            raise
        except RefusalError as refusal:
            async with context.finishing_unit() as unit:
                await answers.tell_refused(unit, wish, str(refusal))

    async def _ask(self, refund: Refund, account: MerchantAccount) -> RefundView | Refused | Unknown:
        provider = self._providers.of(account)
        answer = await provider.query_refund(refund.ref)
        if isinstance(answer, Refused) and answer.code in NO_SUCH_REFUND and refund.state is RefundState.SUBMITTED:
            return await _send(provider, self._order(refund, account))
        return _certain(answer)

    async def _read(self, context: JobContext) -> tuple[Refund, MerchantAccount]:
        async with context.view() as session:
            refund = await service.refund(session, _refund_id(context))
            ensure(refund.route is RefundRoute.ORIGINAL, "only a refund by its original route goes through a channel")
            ensure(refund.merchant_account_id is not None, "a refund by its original route has a merchant account")
            return refund, await merchants.merchant_account(session, refund.merchant_account_id or refund.refund_id)

    def _order(self, refund: Refund, account: MerchantAccount) -> RefundOrder:
        return RefundOrder(
            order_number=refund.order_number or "",
            refund_number=refund.refund_number,
            amount_fen=refund.amount_fen,
            order_total_fen=refund.order_total_fen,
            reason=refund.reason,
            notify_url=notify_url(self._public_url, account),
            transaction_id=refund.transaction_id or "",
            made_at=refund.requested_at,
            currency=refund.currency,
        )


async def _send(provider: Provider, order: RefundOrder) -> RefundView | Refused | Unknown:
    """Send a refund; a refusal is proved by asking, because its answer need not be signed."""
    answer = await provider.refund(order)
    if not isinstance(answer, Refused):
        return answer
    proof = await provider.query_refund(order.ref)
    return answer if isinstance(proof, Refused) and proof.code in NO_SUCH_REFUND else _certain(proof)


def _certain(answer: RefundView | Refused | Unknown) -> RefundView | Refused | Unknown:
    """Return what a question truly told: any refusal to answer but "there is none" tells nothing about the refund."""
    if isinstance(answer, Refused) and answer.code not in NO_SUCH_REFUND:
        return Unknown(reason=UnknownReason.SERVER_ERROR, detail=answer.code)
    return answer


def _refund_id(context: JobContext) -> UUID:
    return UUID(str(context.job.payload["refund_id"]))
