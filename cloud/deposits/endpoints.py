"""Deposits over HTTP: open, bring, meet conditions, deduct and answer, follow what goes back."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.endpoints import may_see
from cloud.deposits import deductions, schemas, service
from cloud.deposits.rules import ConditionKind
from cloud.deposits.values import Deduction, Deposit
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn, require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import NotFoundError
from cloud.payments.cashier import Cashier
from cloud.payments.channel import Channel
from cloud.payments.schemas import AttemptOut
from cloud.payments.service import Way
from common.ids import AccountId, CommunityId, PaymentId

Viewer = Annotated[Caller, Depends(require(Permission.SEE_PAYMENTS))]


def build_router(database: Database, cashier: Cashier) -> APIRouter:
    """Return the endpoints of deposits for people."""
    router = APIRouter(tags=["deposits"])
    _add_lists(router, database)
    _add_bringing(router, database, cashier)
    _add_returning(router, database)
    _add_deductions(router, database)
    return router


def _add_lists(router: APIRouter, database: Database) -> None:
    @router.get("/communities/{community_id}/deposits")
    async def in_community(community_id: UUID, caller: Viewer) -> list[schemas.DepositOut]:
        """List the deposits of a community that are not over, the oldest first."""
        async with database.view(caller.tenant) as session:
            found = await service.deposits_in(session, CommunityId(community_id))
        return [schemas.DepositOut.of(deposit) for deposit in found]

    @router.get("/accounts/{account_id}/deposits")
    async def of_account(account_id: UUID, caller: SignedIn) -> list[schemas.DepositOut]:
        """List the deposits of an account, the newest first."""
        async with database.view(caller.tenant) as session:
            may_see(caller, await billing.account(session, AccountId(account_id)))
            found = await service.deposits_of(session, AccountId(account_id))
        return [schemas.DepositOut.of(deposit) for deposit in found]

    @router.get("/deposits/{deposit_id}")
    async def deposit(deposit_id: UUID, caller: SignedIn) -> schemas.DepositOut:
        """Return a deposit with its conditions, deductions and returns."""
        async with database.view(caller.tenant) as session:
            return schemas.DepositOut.of(await _seen(session, caller, deposit_id))


def _add_bringing(router: APIRouter, database: Database, cashier: Cashier) -> None:
    @router.post("/accounts/{account_id}/deposits", status_code=HTTPStatus.CREATED)
    async def open_deposit(account_id: UUID, body: schemas.DepositIn, caller: SignedIn) -> schemas.DepositOut:
        """Open a deposit that the account is to bring."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            account = await billing.account(unit.session, AccountId(account_id))
            may_see(caller, account)
            caller.require(Permission.MANAGE_DEPOSITS, account.community_id)
            return schemas.DepositOut.of(await service.open_deposit(unit, body.deposit(account_id)))

    @router.post("/deposits/{deposit_id}/attempts", status_code=HTTPStatus.CREATED)
    async def bring_online(deposit_id: UUID, caller: SignedIn, channel: Channel = Channel.WECHAT) -> AttemptOut:
        """Begin to bring a deposit online over a channel; the amount is the deposit's."""
        async with database.view(caller.tenant) as session:
            intent = service.intent_for(await _seen(session, caller, deposit_id))
        return AttemptOut.of(await cashier.start(caller.tenant, caller.actor, intent, Way.usual(channel)))

    @router.post("/deposits/{deposit_id}/cash")
    async def bring_cash(deposit_id: UUID, body: schemas.CashIn, caller: SignedIn) -> schemas.DepositOut:
        """Take a deposit in cash in the caller's open shift."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            found = await _managed(unit.session, caller, deposit_id, Permission.TAKE_CASH)
            taken = await service.take_cash(
                unit,
                found.deposit_id,
                body.cash_shift_id,
                payment_id=PaymentId(body.payment_id),
                tendered_fen=body.tendered_fen,
            )
        return schemas.DepositOut.of(taken)

    @router.post("/deposits/{deposit_id}/cancel", status_code=HTTPStatus.NO_CONTENT)
    async def cancel(deposit_id: UUID, caller: SignedIn) -> None:
        """Cancel a deposit that nobody has brought."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await _managed(unit.session, caller, deposit_id)
            await service.cancel(unit, deposit_id)


def _add_returning(router: APIRouter, database: Database) -> None:
    @router.post("/deposits/{deposit_id}/conditions/{kind}")
    async def meet(
        deposit_id: UUID, kind: ConditionKind, body: schemas.EvidenceIn, caller: SignedIn
    ) -> schemas.DepositOut:
        """Note that a condition is met; the last one starts the return, unless a deduction is pending: that is told."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await _managed(unit.session, caller, deposit_id)
            met = await service.meet(unit, deposit_id, kind, evidence=body.evidence)
        async with database.view(caller.tenant) as session:
            await deductions.require_decided(session, deposit_id)
        return schemas.DepositOut.of(met)

    @router.post("/deposits/{deposit_id}/returns/{return_id}/send-again")
    async def send_again(
        deposit_id: UUID, return_id: UUID, body: schemas.SendAgainIn, caller: SignedIn
    ) -> dict[str, UUID]:
        """Send an instalment that failed again."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await _managed(unit.session, caller, deposit_id)
            fresh = await service.send_again(unit, deposit_id, return_id, cash_box_id=body.cash_box_id)
        return {"return_id": fresh}


def _add_deductions(router: APIRouter, database: Database) -> None:
    @router.post("/deposits/{deposit_id}/deductions", status_code=HTTPStatus.CREATED)
    async def propose(deposit_id: UUID, body: schemas.ProposalIn, caller: SignedIn) -> schemas.DeductionOut:
        """Propose to keep part of a deposit for an open line; the payer is told."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await _managed(unit.session, caller, deposit_id)
            return schemas.DeductionOut.of(await deductions.propose(unit, deposit_id, body.proposal()))

    @router.post("/deductions/{deduction_id}/answer")
    async def answer(deduction_id: UUID, body: schemas.AnswerIn, caller: SignedIn) -> schemas.DeductionOut:
        """Give the payer's answer to a deduction: his alone."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            found = await _seen_deduction(unit.session, caller, deduction_id)
            deposit = await service.deposit(unit.session, found.deposit_id)
            account = await billing.account(unit.session, deposit.account_id)
            if caller.party_id != account.party_id:
                raise NotFoundError("there is no such deduction of yours")
            told = await deductions.answer(unit, deduction_id, agrees=body.agrees, words=body.words)
        return schemas.DeductionOut.of(told)

    @router.post("/deductions/{deduction_id}/apply")
    async def apply(deduction_id: UUID, caller: SignedIn) -> schemas.DeductionOut:
        """Keep what somebody else proposed."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            found = await _seen_deduction(unit.session, caller, deduction_id)
            await _managed(unit.session, caller, found.deposit_id, Permission.APPROVE_REFUNDS)
            return schemas.DeductionOut.of(await deductions.apply(unit, deduction_id))

    @router.post("/deductions/{deduction_id}/withdraw")
    async def withdraw(deduction_id: UUID, caller: SignedIn) -> schemas.DeductionOut:
        """Give up a deduction."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            found = await _seen_deduction(unit.session, caller, deduction_id)
            await _managed(unit.session, caller, found.deposit_id)
            return schemas.DeductionOut.of(await deductions.withdraw(unit, deduction_id))


async def _seen(session: AsyncSession, caller: Caller, deposit_id: UUID) -> Deposit:
    found = await service.deposit(session, deposit_id)
    may_see(caller, await billing.account(session, found.account_id))
    return found


async def _seen_deduction(session: AsyncSession, caller: Caller, deduction_id: UUID) -> Deduction:
    found = await deductions.deduction(session, deduction_id)
    await _seen(session, caller, found.deposit_id)
    return found


async def _managed(
    session: AsyncSession, caller: Caller, deposit_id: UUID, permission: Permission = Permission.MANAGE_DEPOSITS
) -> Deposit:
    found = await _seen(session, caller, deposit_id)
    caller.require(permission, found.book.community_id)
    return found
