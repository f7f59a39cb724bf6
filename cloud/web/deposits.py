"""The pages of deposits: open one, take it, meet its conditions, keep part of it with evidence, follow what goes back.

    /deposits                      the deposits of a community that are not over; a room is found here
    /deposits/accounts/<id>        open a deposit for an account
    /deposits/<id>                 one deposit with its own ledger: conditions, what is kept of it, what goes back
    /my/deposits                   a resident's own, with what is proposed to be kept: he agrees or objects

A deposit is never mixed with fees: what is kept settles an open line that the payer was told of, and another person
than who proposed it decides.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.endpoints import may_see
from cloud.deposits import deductions, service
from cloud.deposits.deductions import Proposal
from cloud.deposits.rules import (
    TEXT_LENGTH_MAX,
    ConditionKind,
    DeductionState,
    DepositKind,
    DepositState,
    ReturnState,
    may_apply,
)
from cloud.deposits.values import Deposit, NewDeposit
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn, require
from cloud.identity.policy import Permission
from cloud.kit.errors import NotFoundError
from cloud.ledger.journals import LineRef
from cloud.payments import desk
from cloud.web.charge_forms import fen_of
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.resident import place_of
from common.civil import civil_day
from common.errors import RefusalError, ensure
from common.ids import AccountId, BillId, LegalEntityId, PaymentId

KINDS = {
    DepositKind.RENOVATION: ("装修押金", "renovation"),
    DepositKind.CARD: ("门卡押金", "card"),
    DepositKind.FACILITY: ("设施押金", "facility"),
    DepositKind.LEASE: ("租赁押金", "lease"),
    DepositKind.KEY: ("钥匙押金", "key"),
}
STATES = {
    DepositState.DUE: ("待缴", "to be brought"),
    DepositState.CANCELLED: ("已取消", "cancelled"),
    DepositState.HELD: ("在押", "held"),
    DepositState.RELEASED: ("退还中", "going back"),
    DepositState.CLOSED: ("已结清", "closed"),
}
CONDITIONS = {
    ConditionKind.INSPECTION_PASSED: ("验收合格", "inspection passed"),
    ConditionKind.LEASE_ENDED: ("租期结束", "lease ended"),
    ConditionKind.CARD_RETURNED: ("门卡归还", "card returned"),
    ConditionKind.KEY_RETURNED: ("钥匙归还", "key returned"),
    ConditionKind.FACILITY_RELEASED: ("设施交还", "facility released"),
}
DEDUCTIONS = {
    DeductionState.PROPOSED: ("已通知，待住户答复", "told, waits for the payer"),
    DeductionState.AGREED: ("住户同意", "the payer agrees"),
    DeductionState.DISPUTED: ("住户有异议", "the payer objects"),
    DeductionState.APPLIED: ("已扣除", "kept"),
    DeductionState.WITHDRAWN: ("已撤回", "withdrawn"),
}
RETURNS = {
    ReturnState.DUE: ("未到期", "not due yet"),
    ReturnState.ASKED: ("已发起退款", "asked back"),
    ReturnState.ACCEPTED: ("渠道已受理，尚未到账", "accepted, not arrived yet"),
    ReturnState.ARRIVED: ("已到账", "arrived"),
    ReturnState.FAILED: ("未成功", "failed"),
    ReturnState.REPLACED: ("已重新发送", "sent again"),
}
for words, kinds in (
    (KINDS, DepositKind),
    (STATES, DepositState),
    (CONDITIONS, ConditionKind),
    (DEDUCTIONS, DeductionState),
    (RETURNS, ReturnState),
):
    ensure(set(words) == set(kinds), f"every member of {kinds.__name__} has words")
ROOMS_SHOWN = 20
Manager = Annotated[Caller, Depends(require(Permission.MANAGE_DEPOSITS))]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH_MAX)]


class NewForm(BaseModel):
    """A deposit to be brought; its id stands in the form."""

    deposit_id: UUID
    legal_entity_id: UUID
    kind: DepositKind
    amount: Annotated[str, Field(max_length=20)]
    purpose: Annotated[str, Field(max_length=TEXT_LENGTH_MAX)] = ""

    def value(self, account_id: UUID) -> NewDeposit:
        """Return the deposit as a value; the conditions are the usual ones of its kind."""
        return NewDeposit(
            deposit_id=self.deposit_id,
            account_id=AccountId(account_id),
            legal_entity_id=LegalEntityId(self.legal_entity_id),
            kind=self.kind,
            amount_fen=fen_of(self.amount),
            purpose=self.purpose,
        )


class ProposalForm(BaseModel):
    """What is to be kept for which open line, and what shows why."""

    line: Annotated[str, Field(max_length=60)]
    amount: Annotated[str, Field(max_length=20)]
    evidence: Text

    def value(self) -> Proposal:
        """Return the proposal as a value.

        Raises:
            RefusalError: no line was chosen.
        """
        bill_id, _, n = self.line.partition(":")
        if not n.isdigit():
            raise RefusalError("choose the bill line that the deposit settles; bill the damage first")
        ref = LineRef(bill_id=BillId(UUID(bill_id)), n=int(n))
        return Proposal(line=ref, amount_fen=fen_of(self.amount), evidence=self.evidence)


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of deposits."""
    router = page_router()
    _add_list(router, frame)
    _add_opening(router, frame)
    _add_one(router, frame)
    _add_bringing(router, frame)
    _add_keeping(router, frame)
    _add_own(router, frame)
    return router


def _add_list(router: APIRouter, frame: Frame) -> None:
    @router.get("/deposits")
    async def deposits(
        request: Request,
        caller: Manager,
        community: Annotated[str | None, Query(max_length=80)] = None,
        room: Annotated[str, Query(max_length=80)] = "",
    ) -> Response:
        """Show the deposits of a community that are not over, and the accounts of a room."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.MANAGE_DEPOSITS)
            one = chosen(communities, community)
            today = civil_day(frame.now(), one.zone)
            labels = {place.id: place.label for place in await estate.premises_in(session, one.id, day=today)}
            accounts = {account.account_id: account for account in await billing.accounts_in(session, one.id)}
            found = await service.deposits_in(session, one.id)
            rooms = []
            if room.strip():
                rooms = await estate.find_premises(
                    session, one.id, label_part=room.strip(), day=today, limit=ROOMS_SHOWN
                )
        wanted = {place.id for place in rooms}
        return frame.page(
            request,
            "manager/deposits.html",
            caller=caller,
            communities=communities,
            community=one,
            room=room,
            deposits=found,
            rooms={key: labels.get(account.premises_id, "—") for key, account in accounts.items()},
            found=[account for account in accounts.values() if account.premises_id in wanted],
            **_words(),
        )


def _add_opening(router: APIRouter, frame: Frame) -> None:
    @router.get("/deposits/accounts/{account_id}")
    async def form(request: Request, account_id: UUID, caller: Manager) -> Response:
        """Show the form of a new deposit, and the account's deposits so far."""
        async with frame.database.view(caller.tenant) as session:
            account = await billing.account(session, AccountId(account_id))
            may_see(caller, account)
            caller.require(Permission.MANAGE_DEPOSITS, account.community_id)
            place = await place_of(session, frame, account)
            given = await service.deposits_of(session, account.account_id)
            names = await estate.entity_names(session)
        return frame.page(
            request,
            "manager/deposit_form.html",
            caller=caller,
            account=account,
            place=place,
            given=given,
            entities=names,
            deposit_id=frame.database.new_id(),
            **_words(),
        )

    @router.post("/deposits/accounts/{account_id}")
    async def open_deposit(account_id: UUID, caller: Manager, wish: Annotated[NewForm, Form()]) -> Response:
        """Open a deposit that the account is to bring."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            account = await billing.account(unit.session, AccountId(account_id))
            may_see(caller, account)
            caller.require(Permission.MANAGE_DEPOSITS, account.community_id)
            opened = await service.open_deposit(unit, wish.value(account_id))
        return see_other(f"/deposits/{opened.deposit_id}", done="deposit-opened")


def _add_one(router: APIRouter, frame: Frame) -> None:
    @router.get("/deposits/{deposit_id}")
    async def one(request: Request, deposit_id: UUID, caller: Manager) -> Response:
        """Show a deposit, and what the caller may do with it."""
        async with frame.database.view(caller.tenant) as session:
            deposit = await _managed(session, caller, deposit_id)
            account = await billing.account(session, deposit.account_id)
            place = await place_of(session, frame, account)
            names = await estate.entity_names(session)
            shift = await desk.open_shift_of(session, caller.user_id)
            boxes = {box.cash_box_id: box for box in await desk.cash_boxes(session, account.community_id)}
            lines = [
                line
                for line in await billing.open_lines(session, deposit.account_id)
                if line.legal_entity_id == deposit.book.legal_entity_id and line.fund_class.value == "operating"
            ]
        at_box = shift is not None and shift.cash_box_id in boxes and boxes[shift.cash_box_id].book == deposit.book
        return frame.page(
            request,
            "manager/deposit.html",
            caller=caller,
            deposit=deposit,
            place=place,
            entity=names.get(deposit.book.legal_entity_id, ""),
            lines=lines,
            payment_id=frame.database.new_id(),
            may_take=at_box and caller.may(Permission.TAKE_CASH, account.community_id),
            may_apply=caller.may(Permission.APPROVE_REFUNDS, account.community_id),
            ripe={
                part.deduction_id
                for part in deposit.deductions
                if part.proposed_by != caller.user_id and may_apply(part.state, part.objection_until, frame.now())
            },
            **_words(),
        )


def _add_bringing(router: APIRouter, frame: Frame) -> None:
    @router.post("/deposits/{deposit_id}/cash")
    async def take(
        deposit_id: UUID,
        caller: Manager,
        payment_id: Annotated[UUID, Form()],
        tendered: Annotated[str, Form(max_length=20)],
    ) -> Response:
        """Take a deposit in cash in the caller's own shift, at a box of the deposit fund."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await _managed(unit.session, caller, deposit_id, Permission.TAKE_CASH)
            shift = await desk.open_shift_of(unit.session, caller.user_id)
            await service.take_cash(
                unit,
                deposit_id,
                shift.cash_shift_id if shift else deposit_id,
                payment_id=PaymentId(payment_id),
                tendered_fen=fen_of(tendered),
            )
        return see_other(f"/deposits/{deposit_id}", done="deposit-taken")

    @router.post("/deposits/{deposit_id}/cancel")
    async def cancel(deposit_id: UUID, caller: Manager) -> Response:
        """Cancel a deposit that nobody has brought."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await _managed(unit.session, caller, deposit_id)
            await service.cancel(unit, deposit_id)
        return see_other(f"/deposits/{deposit_id}", done="deposit-cancelled")

    @router.post("/deposits/{deposit_id}/conditions")
    async def meet(
        deposit_id: UUID,
        caller: Manager,
        kind: Annotated[ConditionKind, Form()],
        evidence: Annotated[str, Form(min_length=1, max_length=TEXT_LENGTH_MAX)],
    ) -> Response:
        """Note that a condition is met; the last one starts the return."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await _managed(unit.session, caller, deposit_id)
            await service.meet(unit, deposit_id, kind, evidence=evidence)
        async with frame.database.view(caller.tenant) as session:
            await deductions.require_decided(session, deposit_id)
        return see_other(f"/deposits/{deposit_id}", done="deposit-met")


def _add_keeping(router: APIRouter, frame: Frame) -> None:
    @router.post("/deposits/{deposit_id}/deductions")
    async def propose(deposit_id: UUID, caller: Manager, wish: Annotated[ProposalForm, Form()]) -> Response:
        """Propose to keep part of a deposit, with evidence; the payer is told."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await _managed(unit.session, caller, deposit_id)
            await deductions.propose(unit, deposit_id, wish.value())
        return see_other(f"/deposits/{deposit_id}", done="deduction-proposed")

    @router.post("/deposits/{deposit_id}/deductions/{deduction_id}")
    async def decide(deposit_id: UUID, deduction_id: UUID, caller: Manager, keeps: Annotated[bool, Form()]) -> Response:
        """Keep what somebody else proposed, or give it up."""
        needs = Permission.APPROVE_REFUNDS if keeps else Permission.MANAGE_DEPOSITS
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await _managed(unit.session, caller, deposit_id, needs)
            found = await deductions.deduction(unit.session, deduction_id)
            if found.deposit_id != deposit_id:
                raise NotFoundError("there is no such deduction of this deposit")
            await (deductions.apply if keeps else deductions.withdraw)(unit, deduction_id)
        return see_other(f"/deposits/{deposit_id}", done="deduction-decided")


def _add_own(router: APIRouter, frame: Frame) -> None:
    @router.get("/my/deposits")
    async def own(request: Request, caller: SignedIn) -> Response:
        """Show the caller's own deposits."""
        caller.require(Permission.SEE_OWN)
        found: list[Deposit] = []
        if caller.party_id is not None:
            async with frame.database.view(caller.tenant) as session:
                for account in await billing.accounts_of_parties(session, [caller.party_id]):
                    found += await service.deposits_of(session, account.account_id)
        return frame.page(request, "resident/deposits.html", caller=caller, deposits=found, **_words())

    @router.post("/my/deposits/{deposit_id}/deductions/{deduction_id}")
    async def answer(
        deposit_id: UUID,
        deduction_id: UUID,
        caller: SignedIn,
        agrees: Annotated[bool, Form()],
        answer_words: Annotated[str, Form(alias="words", max_length=TEXT_LENGTH_MAX)] = "",
    ) -> Response:
        """Give the payer's own answer to what is proposed to be kept."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            found = await deductions.deduction(unit.session, deduction_id)
            deposit = await service.deposit(unit.session, found.deposit_id)
            account = await billing.account(unit.session, deposit.account_id)
            if found.deposit_id != deposit_id or caller.party_id is None or caller.party_id != account.party_id:
                raise NotFoundError("there is no such deduction of yours")
            await deductions.answer(unit, deduction_id, agrees=agrees, words=answer_words)
        return see_other("/my/deposits", done="deduction-answered")


async def _managed(
    session: AsyncSession, caller: Caller, deposit_id: UUID, permission: Permission = Permission.MANAGE_DEPOSITS
) -> Deposit:
    found = await service.deposit(session, deposit_id)
    may_see(caller, await billing.account(session, found.account_id))
    caller.require(permission, found.book.community_id)
    return found


def _words() -> dict[str, Any]:
    return {
        "kinds": KINDS,
        "states": STATES,
        "conditions": CONDITIONS,
        "deduction_states": DEDUCTIONS,
        "return_states": RETURNS,
    }
