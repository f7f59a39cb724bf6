"""Refunds over HTTP: ask, approve, hand out, look; the limits of a community."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.endpoints import may_see
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn, require
from cloud.identity.policy import Permission
from cloud.kit.db import Database, Unit
from cloud.kit.errors import NotFoundError
from cloud.kit.secretbox import SecretBox
from cloud.ledger.accounts import Book
from cloud.payments import booking
from cloud.refunds import payouts, schemas, service
from cloud.refunds.rules import RefundState
from cloud.refunds.values import Payout, Refund, RefundRequest
from common.ids import AccountId, CommunityId, PaymentId

Viewer = Annotated[Caller, Depends(require(Permission.SEE_PAYMENTS))]
Payer = Annotated[Caller, Depends(require(Permission.RECONCILE))]
Approver = Annotated[Caller, Depends(require(Permission.APPROVE_REFUNDS))]
BookOf = Callable[[AsyncSession, UUID], Awaitable[Book]]


def build_router(database: Database, box: SecretBox, book_of: BookOf) -> APIRouter:
    """Return the endpoints of refunds for people; `book_of` tells whose money a bank account holds."""
    router = APIRouter(tags=["refunds"])
    _add_policy(router, database)
    _add_requests(router, database, box, book_of)
    _add_deeds(router, database)
    _add_payouts(router, database, box)
    return router


def _add_policy(router: APIRouter, database: Database) -> None:
    @router.get("/communities/{community_id}/refund-policy")
    async def policy(community_id: UUID, caller: Viewer) -> schemas.PolicyIn:
        """Return the limits of a community."""
        async with database.view(caller.tenant) as session:
            found = await service.policy(session, CommunityId(community_id))
        if found is None:
            raise NotFoundError("this community has no limits for refunds yet; two persons approve each")
        return schemas.PolicyIn(
            automatic_fen=found.automatic_fen,
            automatic_day_fen=found.automatic_day_fen,
            automatic_age_days=found.automatic_age_days,
            two_persons_fen=found.two_persons_fen,
            deposit_automatic_fen=found.deposit_automatic_fen,
        )

    @router.put("/communities/{community_id}/refund-policy", status_code=HTTPStatus.NO_CONTENT)
    async def set_policy(community_id: UUID, body: schemas.PolicyIn, caller: Approver) -> None:
        """Set the limits of a community from now on."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await service.set_policy(unit, CommunityId(community_id), body.policy())

    @router.get("/communities/{community_id}/refunds")
    async def listed(
        community_id: UUID, caller: Viewer, state: Annotated[list[RefundState] | None, Query()] = None
    ) -> list[schemas.RefundOut]:
        """List refunds of a community in some states, those that wait for persons when none is named."""
        async with database.view(caller.tenant) as session:
            wanted = state or [RefundState.REQUESTED]
            found = await service.refunds_in(session, CommunityId(community_id), wanted)
        return [schemas.RefundOut.of(refund) for refund in found]


def _add_requests(router: APIRouter, database: Database, box: SecretBox, book_of: BookOf) -> None:
    @router.post("/payments/{payment_id}/refunds", status_code=HTTPStatus.CREATED)
    async def request(payment_id: UUID, body: schemas.RefundIn, caller: SignedIn) -> schemas.RefundOut:
        """Ask for a refund of a payment; inside the policy it goes at once, outside it waits for persons."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            payment = await booking.payment(unit.session, PaymentId(payment_id))
            await _require_account(unit.session, caller, payment.account_id)
            caller.require(Permission.REQUEST_REFUNDS, payment.book.community_id)
            wish = RefundRequest(
                refund_id=body.refund_id,
                payment_id=payment.payment_id,
                amount_fen=body.amount_fen,
                reason=body.reason,
                cash_box_id=body.cash_box_id,
                payout=await _payout(unit, box, book_of, body),
            )
            return schemas.RefundOut.of(await service.request(unit, wish, secrets.token_bytes))

    @router.get("/payments/{payment_id}/refunds")
    async def of_payment(payment_id: UUID, caller: SignedIn) -> list[schemas.RefundOut]:
        """List the refunds of a payment, the newest first."""
        async with database.view(caller.tenant) as session:
            payment = await booking.payment(session, PaymentId(payment_id))
            await _require_account(session, caller, payment.account_id)
            found = await service.refunds_of_payment(session, payment.payment_id)
        return [schemas.RefundOut.of(refund) for refund in found]

    @router.get("/refunds/{refund_id}")
    async def refund(refund_id: UUID, caller: SignedIn) -> schemas.RefundOut:
        """Tell where a refund stands."""
        async with database.view(caller.tenant) as session:
            return schemas.RefundOut.of(await _seen(session, caller, refund_id))


def _add_deeds(router: APIRouter, database: Database) -> None:
    @router.post("/refunds/{refund_id}/verdicts")
    async def judge(refund_id: UUID, body: schemas.VerdictIn, caller: SignedIn) -> schemas.RefundOut:
        """Give the caller's verdict; nobody approves what he asked for himself."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            found = await _seen(unit.session, caller, refund_id)
            caller.require(Permission.APPROVE_REFUNDS, found.book.community_id)
            judged = await service.judge(unit, refund_id, approves=body.approves, note=body.note)
        return schemas.RefundOut.of(judged)

    @router.post("/refunds/{refund_id}/hand-out")
    async def hand_out(refund_id: UUID, body: schemas.HandOutIn, caller: SignedIn) -> schemas.RefundOut:
        """Hand a refund out in cash against a signature."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            found = await _seen(unit.session, caller, refund_id)
            caller.require(Permission.TAKE_CASH, found.book.community_id)
            handed = await service.hand_out(unit, refund_id, body.cash_shift_id, signed_as=body.signed_as)
        return schemas.RefundOut.of(handed)

    @router.post("/refunds/{refund_id}/withdraw")
    async def withdraw(refund_id: UUID, body: schemas.ReasonIn, caller: SignedIn) -> schemas.RefundOut:
        """Withdraw a refund in cash that was not handed out."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            found = await _seen(unit.session, caller, refund_id)
            caller.require(Permission.REQUEST_REFUNDS, found.book.community_id)
            return schemas.RefundOut.of(await service.withdraw(unit, refund_id, reason=body.reason))


async def _seen(session: AsyncSession, caller: Caller, refund_id: UUID) -> Refund:
    found = await service.refund(session, refund_id)
    await _require_account(session, caller, found.account_id)
    return found


def _add_payouts(router: APIRouter, database: Database, box: SecretBox) -> None:
    @router.post("/refunds/{refund_id}/payee")
    async def payee(refund_id: UUID, caller: Payer) -> schemas.PayeeOut:
        """Show to whom a payout goes; that it was shown is written down."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await _require_payout(unit.session, caller, refund_id)
            found = await payouts.show(unit, box, refund_id)
        return schemas.PayeeOut(name=found.name, number=found.number)

    @router.post("/refunds/{refund_id}/sent")
    async def sent(refund_id: UUID, body: schemas.SentIn, caller: Payer) -> schemas.RefundOut:
        """Note that a payout was transferred at the bank."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await _require_payout(unit.session, caller, refund_id)
            return schemas.RefundOut.of(await payouts.sent(unit, refund_id, reference=body.reference))

    @router.post("/refunds/{refund_id}/arrived")
    async def arrived(refund_id: UUID, caller: Payer) -> schemas.RefundOut:
        """Confirm from the bank's statement that a payout left; not by who sent it."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await _require_payout(unit.session, caller, refund_id)
            return schemas.RefundOut.of(await payouts.arrived(unit, refund_id))

    @router.post("/refunds/{refund_id}/came-back")
    async def came_back(refund_id: UUID, body: schemas.ReasonIn, caller: Payer) -> schemas.RefundOut:
        """Note that the bank could not deliver a payout."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await _require_payout(unit.session, caller, refund_id)
            return schemas.RefundOut.of(await payouts.came_back(unit, refund_id, reason=body.reason))


async def _payout(unit: Unit, box: SecretBox, book_of: BookOf, body: schemas.RefundIn) -> Payout | None:
    if body.payout is None:
        return None
    bank = body.payout.bank_account_id
    purse = payouts.Purse(bank_account_id=bank, book=await book_of(unit.session, bank))
    payee = payouts.Payee(name=body.payout.name, number=body.payout.number)
    return payouts.payout(box, unit.tenant, body.refund_id, purse, payee)


async def _require_payout(session: AsyncSession, caller: Caller, refund_id: UUID) -> None:
    """Go on only when the caller handles refunds of the refund's community.

    Raises:
        NotFoundError: he does not, or there is none; the answer is the same.
    """
    found = await service.refund(session, refund_id)
    await _require_account(session, caller, found.account_id)
    caller.require(Permission.RECONCILE, found.book.community_id)


async def _require_account(session: AsyncSession, caller: Caller, account_id: AccountId) -> None:
    """Go on only when the caller may see the account.

    Raises:
        NotFoundError: he may not, or there is none; the answer is the same.
    """
    may_see(caller, await billing.account(session, account_id))
