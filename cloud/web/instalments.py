"""Agreements to pay arrears by instalments: proposed at the desk, approved by a manager, read by the resident.

/instalments                   the agreements of a community: waiting, in force with how far they are, and ended
/instalments/accounts/<id>     propose one over all that an account owes past its due day
/instalments/<id>              approve or refuse (form); /withdraw takes a proposal back
/my/instalments                a resident's own: dates, exact sums, what is settled, and the rule of late charges
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.arrears import agreements, letters
from cloud.arrears.agreements import GRACE, Progress
from cloud.arrears.schemas import Reason
from cloud.arrears.values import INSTALMENTS_MAX, Agreement, AgreementState, AgreementWish, Instalment, LateRule
from cloud.billing import service as billing
from cloud.billing.endpoints import may_see
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn, require
from cloud.identity.policy import Permission
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.resident import Place, place_of
from common.errors import ensure
from common.ids import AccountId

Asker = Annotated[Caller, Depends(require(Permission.ASK_RELIEF))]
Granter = Annotated[Caller, Depends(require(Permission.GRANT_RELIEF))]
STATES = {
    AgreementState.ASKED: ("待审批", "waiting"),
    AgreementState.AGREED: ("履行中", "in force"),
    AgreementState.KEPT: ("已履行完毕", "kept"),
    AgreementState.BROKEN: ("已违约，恢复催缴", "broken; reminders go on"),
    AgreementState.REFUSED: ("未批准", "refused"),
    AgreementState.WITHDRAWN: ("已撤回", "withdrawn"),
}
LATE_RULES = {
    LateRule.FORGIVEN_IF_KEPT: (
        "按期履行则免收协议欠费的违约金；违约则自应缴日起计收",
        "no late charge on these debts while the agreement is kept; if it is broken, they count from the due day",
    ),
    LateRule.CHARGED: ("协议欠费照常计收违约金", "late charges on these debts go on"),
}
ensure(set(STATES) == set(AgreementState) and set(LATE_RULES) == set(LateRule), "every code of agreements has words")


class ProposalForm(BaseModel):
    """A proposal; its id stands in the form, so that a form sent twice proposes once. No sum is taken from it."""

    agreement_id: UUID
    parts: Annotated[int, Field(ge=2, le=INSTALMENTS_MAX)]
    first_on: date
    late_rule: LateRule
    reason: Reason

    def value(self, account_id: UUID) -> AgreementWish:
        """Return the proposal as a value."""
        return AgreementWish(account_id=AccountId(account_id), **self.model_dump())


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One instalment as a page shows it: how much of it is settled, counted from the first on."""

    due_on: date
    fen: int
    settled_fen: int
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An agreement as a page shows it."""

    agreement: Agreement
    place: Place
    progress: Progress
    steps: tuple[Step, ...]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of agreements."""
    router = page_router()
    _add_staff(router, frame)
    _add_deeds(router, frame)

    @router.get("/my/instalments")
    async def own(request: Request, caller: SignedIn) -> Response:
        """Show the caller's own agreements."""
        caller.require(Permission.SEE_OWN)
        cards: tuple[Card, ...] = ()
        if caller.party_id is not None:
            async with frame.database.view(caller.tenant) as session:
                accounts = [one.account_id for one in await billing.accounts_of_parties(session, [caller.party_id])]
                cards = await _cards(session, frame, await agreements.of_accounts(session, accounts))
        return frame.page(request, "resident/instalments.html", caller=caller, cards=cards, **_words())

    return router


def _add_staff(router: APIRouter, frame: Frame) -> None:
    @router.get("/instalments")
    async def listed(
        request: Request, caller: Asker, community: Annotated[str | None, Query(max_length=80)] = None
    ) -> Response:
        """Show the agreements of a community."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.ASK_RELIEF)
            one = chosen(communities, community)
            cards = await _cards(session, frame, await agreements.in_community(session, one.id))
        return frame.page(
            request,
            "manager/instalments.html",
            caller=caller,
            communities=communities,
            community=one,
            cards=cards,
            may_grant=caller.may(Permission.GRANT_RELIEF, one.id),
            **_words(),
        )

    @router.get("/instalments/accounts/{account_id}")
    async def form(
        request: Request,
        account_id: UUID,
        caller: Asker,
        parts: Annotated[int, Query(ge=2, le=INSTALMENTS_MAX)] = 3,
        first_on: Annotated[date | None, Query()] = None,
    ) -> Response:
        """Show what an account owes, and the plan that a number of instalments makes of it."""
        async with frame.database.view(caller.tenant) as session:
            account = await billing.account(session, AccountId(account_id))
            may_see(caller, account)
            caller.require(Permission.ASK_RELIEF, account.community_id)
            place = await place_of(session, frame, account)
            owed = await letters.overdue(session, account.account_id, place.today)
            found = await _cards(session, frame, await agreements.of_accounts(session, [account.account_id]))
        lines = [line for own in owed.values() for line in own]
        total_fen = sum(line.open_fen for line in lines)
        plan = agreements.plan_of(total_fen, parts, first_on) if first_on and total_fen >= parts else ()
        return frame.page(
            request,
            "manager/instalment_form.html",
            caller=caller,
            account=account,
            place=place,
            lines=lines,
            total_fen=total_fen,
            parts_wanted=parts,
            first_on=first_on,
            plan=plan,
            cards=found,
            parts_max=INSTALMENTS_MAX,
            agreement_id=frame.database.new_id(),
            **_words(),
        )


def _add_deeds(router: APIRouter, frame: Frame) -> None:
    @router.post("/instalments/accounts/{account_id}")
    async def propose(account_id: UUID, caller: Asker, form: Annotated[ProposalForm, Form()]) -> Response:
        """Propose an agreement."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            account = await billing.account(unit.session, AccountId(account_id))
            may_see(caller, account)
            caller.require(Permission.ASK_RELIEF, account.community_id)
            await agreements.propose(unit, form.value(account_id))
        return see_other(f"/instalments/accounts/{account_id}", done="agreement-proposed")

    @router.post("/instalments/{agreement_id}")
    async def decide(agreement_id: UUID, caller: Granter, verdict: Annotated[bool, Form()]) -> Response:
        """Approve or refuse what somebody else proposed."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            found = await agreements.agreement(unit.session, agreement_id)
            caller.require(Permission.GRANT_RELIEF, found.community_id)
            await agreements.decide(unit, agreement_id, grants=verdict)
        return see_other("/instalments", done="agreement-decided")

    @router.post("/instalments/{agreement_id}/withdraw")
    async def withdraw(agreement_id: UUID, caller: Asker) -> Response:
        """Take a proposal back."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            found = await agreements.agreement(unit.session, agreement_id)
            caller.require(Permission.ASK_RELIEF, found.community_id)
            await agreements.withdraw(unit, agreement_id)
        return see_other("/instalments", done="agreement-withdrawn")


async def _cards(session: AsyncSession, frame: Frame, found: Iterable[Agreement]) -> tuple[Card, ...]:
    cards = []
    for one in found:
        place = await place_of(session, frame, await billing.account(session, one.account_id))
        progress = await agreements.progress(session, one, place.today)
        steps = steps_of(one.plan, progress.settled_fen, place.today)
        cards.append(Card(agreement=one, place=place, progress=progress, steps=steps))
    return tuple(cards)


def steps_of(plan: Iterable[Instalment], settled_fen: int, today: date) -> tuple[Step, ...]:
    """Return the instalments of a plan with what is settled of each, the first ones first."""
    steps = []
    for one in plan:
        part = min(one.fen, settled_fen)
        settled_fen -= part
        steps.append(
            Step(due_on=one.due_on, fen=one.fen, settled_fen=part, is_late=part < one.fen and one.due_on < today)
        )
    return tuple(steps)


def _words() -> dict[str, Any]:
    return {"states": STATES, "late_rules": LATE_RULES, "grace_days": GRACE.days}
