"""The pages of refunds: find a payment, see what is left of it, ask for a refund, decide, hand out, follow it.

    /refunds                       what waits for persons, what is on its way, what came back; a payment is found here
    /refunds/payments/<id>         a payment with what is left to refund, and the form
    /refunds/<id>                  a refund: which rule sent it to persons, where it stands, and a slip to sign for cash

Accepted is the channel's word that it will pay, arrived its word that it has: the page never shows one as the other.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.endpoints import may_see
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Unit
from cloud.kit.secretbox import SecretBox
from cloud.payments import booking, desk
from cloud.payments.values import Payment
from cloud.reconciliation import transfers
from cloud.reconciliation.values import BankAccount
from cloud.refunds import payouts, service
from cloud.refunds.payouts import Payee, Purse
from cloud.refunds.rules import (
    REASON_LENGTH_MAX,
    SIGNATURE_LENGTH_MAX,
    Doubt,
    RefundRoute,
    RefundState,
    in_window,
)
from cloud.refunds.values import Refund, RefundRequest
from cloud.web.charge_forms import fen_of
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.money_words import CHANNELS
from cloud.web.rendering import mask_name
from cloud.web.resident import place_of
from common.errors import RefusalError, ensure
from common.ids import PaymentId

STATES = {
    RefundState.REQUESTED: ("待审批", "waits for approval"),
    RefundState.REJECTED: ("已驳回", "rejected"),
    RefundState.APPROVED: ("已批准", "approved"),
    RefundState.RESERVED: ("款项已预留", "money set aside"),
    RefundState.SUBMITTED: ("已提交渠道", "sent to the channel"),
    RefundState.ACCEPTED: ("渠道已受理，尚未到账", "accepted by the channel, not arrived yet"),
    RefundState.ARRIVED: ("已到账", "arrived"),
    RefundState.FAILED: ("未成功", "failed"),
}
DOUBTS = {
    Doubt.NO_POLICY: ("本小区未设退款规则", "no policy is set"),
    Doubt.ABOVE_LIMIT: ("超过自动退款额度", "above the limit"),
    Doubt.ABOVE_DAY_LIMIT: ("超过本户当日额度", "above the account's limit of a day"),
    Doubt.TOO_OLD: ("收款时间过久", "the payment is too old"),
    Doubt.OTHER_ROUTE: ("不走原路", "not the way it came"),
    Doubt.BILL_OPENS_AGAIN: ("退后账单将重新未缴", "a bill opens again"),
    Doubt.ARREARS: ("本户有逾期欠费", "the account has arrears"),
}
ROUTES = {
    RefundRoute.ORIGINAL: ("原路退回", "the way it came"),
    RefundRoute.CASH: ("现金", "cash"),
    RefundRoute.BANK: ("银行转账", "bank payout"),
}
ensure(set(STATES) == set(RefundState) and set(DOUBTS) == set(Doubt), "every state and doubt has words")
ensure(set(ROUTES) == set(RefundRoute), "every route has words")
WAITING = (RefundState.REQUESTED,)
MOVING = (RefundState.APPROVED, RefundState.RESERVED, RefundState.SUBMITTED, RefundState.ACCEPTED)
Asker = Annotated[Caller, Depends(require(Permission.REQUEST_REFUNDS))]
CashTaker = Annotated[Caller, Depends(require(Permission.TAKE_CASH))]
Approver = Annotated[Caller, Depends(require(Permission.APPROVE_REFUNDS))]


class Wish(BaseModel):
    """What the form says; its id stands in the form, so that pressing twice asks once. No box is the way it came."""

    refund_id: UUID
    amount: Annotated[str, Field(max_length=20)]
    reason: Annotated[str, Field(min_length=1, max_length=REASON_LENGTH_MAX)]
    way: Annotated[str, Field(max_length=45)] = ""
    payee_name: Annotated[str, Field(max_length=80)] = ""
    payee_number: Annotated[str, Field(max_length=40)] = ""

    async def value(self, unit: Unit, payment: Payment, box: SecretBox) -> RefundRequest:
        """Return the wish as a value; the way is empty, `cash:` and a box, or `bank:` and a bank account.

        Raises:
            RefusalError: there is no such way.
            NotFoundError: there is no such bank account.
        """
        kind, _, told = self.way.partition(":")
        if kind not in {"", "cash", "bank"} or bool(kind) != bool(told):
            raise RefusalError("choose by which way the money goes back")
        chosen_id = _id_of(told) if told else None
        payout = None
        if kind == "bank" and chosen_id is not None:
            purse = Purse(bank_account_id=chosen_id, book=await transfers.book_of(unit.session, chosen_id))
            payee = Payee(name=self.payee_name, number=self.payee_number)
            payout = payouts.payout(box, unit.tenant, self.refund_id, purse, payee)
        return RefundRequest(
            refund_id=self.refund_id,
            payment_id=payment.payment_id,
            amount_fen=fen_of(self.amount),
            reason=self.reason,
            cash_box_id=chosen_id if kind == "cash" else None,
            payout=payout,
        )


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of refunds."""
    router = page_router()
    _add_list(router, frame)
    _add_asking(router, frame)
    _add_one(router, frame)
    _add_deeds(router, frame)
    return router


def _add_list(router: APIRouter, frame: Frame) -> None:
    @router.get("/refunds")
    async def refunds(
        request: Request,
        caller: Asker,
        community: Annotated[str | None, Query(max_length=80)] = None,
        number: Annotated[str, Query(max_length=80)] = "",
    ) -> Response:
        """Show the refunds of a community; a receipt's number leads to its payment."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.REQUEST_REFUNDS)
            one = chosen(communities, community)
            if number.strip():
                payment = await booking.payment_numbered(session, number.strip())
                await _seen(session, caller, payment)
                return see_other(f"/refunds/payments/{payment.payment_id}")
            groups = [
                (words, await service.refunds_in(session, one.id, states))
                for words, states in (
                    (("待审批", "Waiting for approval"), WAITING),
                    (("进行中", "On the way"), MOVING),
                    (("未成功", "Failed"), (RefundState.FAILED,)),
                )
            ]
        return frame.page(
            request,
            "manager/refunds.html",
            caller=caller,
            communities=communities,
            community=one,
            groups=groups,
            **_words(),
        )


def _add_asking(router: APIRouter, frame: Frame) -> None:
    @router.get("/refunds/payments/{payment_id}")
    async def form(request: Request, payment_id: UUID, caller: Asker) -> Response:
        """Show what is left of a payment, by which way it would go back, and the form."""
        async with frame.database.view(caller.tenant) as session:
            payment = await booking.payment(session, PaymentId(payment_id))
            await _seen(session, caller, payment)
            account = await billing.account(session, payment.account_id)
            place = await place_of(session, frame, account)
            left_fen = await service.left_fen(session, payment)
            given = await service.refunds_of_payment(session, payment.payment_id)
            policy = await service.policy(session, account.community_id)
            banks = await _banks(session, payment)
            boxes = [box for box in await desk.cash_boxes(session, account.community_id) if box.book == payment.book]
        return frame.page(
            request,
            "manager/refund_form.html",
            caller=caller,
            payment=payment,
            place=place,
            left_fen=left_fen,
            given=given,
            policy=policy,
            boxes=boxes,
            banks=banks,
            in_window=in_window(payment.channel, payment.paid_at, frame.now()),
            refund_id=frame.database.new_id(),
            reason_max=REASON_LENGTH_MAX,
            **_words(),
        )

    @router.post("/refunds/payments/{payment_id}")
    async def ask(payment_id: UUID, caller: Asker, wish: Annotated[Wish, Form()]) -> Response:
        """Ask for a refund; inside the policy it goes at once, outside it waits for persons."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            payment = await booking.payment(unit.session, PaymentId(payment_id))
            await _seen(unit.session, caller, payment)
            value = await wish.value(unit, payment, frame.parts.secret_box)
            asked = await service.request(unit, value, secrets.token_bytes)
        done = "refund-waits" if asked.state is RefundState.REQUESTED else "refund-goes"
        return see_other(f"/refunds/{asked.refund_id}", done=done)


def _add_one(router: APIRouter, frame: Frame) -> None:
    @router.get("/refunds/{refund_id}")
    async def one(request: Request, refund_id: UUID, caller: Asker) -> Response:
        """Show a refund, and what the caller may do with it."""
        async with frame.database.view(caller.tenant) as session:
            refund, payment = await _found(session, caller, refund_id)
            place = await place_of(session, frame, await billing.account(session, payment.account_id))
            names = await estate.entity_names(session)
            shift = await desk.open_shift_of(session, caller.user_id)
        community_id = refund.book.community_id
        asked_himself = refund.requested_by == caller.user_id
        return frame.page(
            request,
            "manager/refund.html",
            caller=caller,
            refund=refund,
            payment=payment,
            place=place,
            entity=names.get(refund.book.legal_entity_id, ""),
            asked_himself=asked_himself,
            signed=mask_name(refund.signed_as or ""),
            may_judge=caller.may(Permission.APPROVE_REFUNDS, community_id) and not asked_himself,
            may_hand_out=shift is not None and shift.cash_box_id == refund.cash_box_id,
            signature_max=SIGNATURE_LENGTH_MAX,
            **_words(),
        )


def _add_deeds(router: APIRouter, frame: Frame) -> None:
    @router.post("/refunds/{refund_id}/verdicts")
    async def judge(
        refund_id: UUID,
        caller: Approver,
        approves: Annotated[bool, Form()],
        note: Annotated[str, Form(max_length=500)] = "",
    ) -> Response:
        """Approve or reject what somebody else asked for."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            refund, _ = await _found(unit.session, caller, refund_id)
            caller.require(Permission.APPROVE_REFUNDS, refund.book.community_id)
            await service.judge(unit, refund_id, approves=approves, note=note)
        return see_other(f"/refunds/{refund_id}", done="refund-judged")

    @router.post("/refunds/{refund_id}/hand-out")
    async def hand_out(
        refund_id: UUID, caller: CashTaker, signed_as: Annotated[str, Form(max_length=SIGNATURE_LENGTH_MAX)]
    ) -> Response:
        """Hand cash out of the caller's own shift against a signature."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            refund, _ = await _found(unit.session, caller, refund_id)
            caller.require(Permission.TAKE_CASH, refund.book.community_id)
            shift = await desk.open_shift_of(unit.session, caller.user_id)
            await service.hand_out(unit, refund_id, shift.cash_shift_id if shift else refund_id, signed_as=signed_as)
        return see_other(f"/refunds/{refund_id}", done="refund-handed")

    @router.post("/refunds/{refund_id}/withdraw")
    async def withdraw(refund_id: UUID, caller: Asker, reason: Annotated[str, Form(max_length=500)]) -> Response:
        """Withdraw cash that nobody came for."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await _found(unit.session, caller, refund_id)
            await service.withdraw(unit, refund_id, reason=reason)
        return see_other(f"/refunds/{refund_id}", done="refund-withdrawn")


def _id_of(told: str) -> UUID:
    try:
        return UUID(told)
    except ValueError as error:
        raise RefusalError("choose by which way the money goes back") from error


async def _banks(session: AsyncSession, payment: Payment) -> list[BankAccount]:
    """Return the bank accounts that hold money of a payment's company and fund."""
    accounts = await transfers.bank_accounts(session, payment.book.community_id)
    return [one for one in accounts if one.book == payment.book]


async def _found(session: AsyncSession, caller: Caller, refund_id: UUID) -> tuple[Refund, Payment]:
    refund = await service.refund(session, refund_id)
    payment = await booking.payment(session, refund.payment_id)
    await _seen(session, caller, payment)
    return refund, payment


async def _seen(session: AsyncSession, caller: Caller, payment: Payment) -> None:
    """Go on only when the caller handles refunds of the payment's community.

    Raises:
        NotFoundError: he does not see the account; the answer is as if there were none.
    """
    may_see(caller, await billing.account(session, payment.account_id))
    caller.require(Permission.REQUEST_REFUNDS, payment.book.community_id)


def _words() -> dict[str, Any]:
    return {"states": STATES, "doubts": DOUBTS, "routes": ROUTES, "channels": CHANNELS}
