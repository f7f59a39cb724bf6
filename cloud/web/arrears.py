"""Arrears on pages: what overdue debts have come to, and relief that one asks for and another decides.

/arrears                               late charges that would be made today, then approved; relief waiting and decided
/arrears/{community}/accounts/{id}     the open lines of an account, each to be waived or written off; its letters
"""

from __future__ import annotations

from secrets import token_bytes
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import BaseModel

from cloud.arrears import late, letters, service
from cloud.arrears.schemas import Reason
from cloud.arrears.values import ReliefKind, ReliefWish, RelievedLine
from cloud.billing import service as billing
from cloud.documents import service as documents
from cloud.documents.kinds import PaperKind
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.errors import NotFoundError
from cloud.kit.httpapi import Paging, paging
from cloud.ledger.journals import LineRef
from cloud.web.charge_forms import fen_of
from cloud.web.charge_words import RELIEF_KINDS, RELIEF_STATES
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.listing import part
from common.civil import civil_day
from common.ids import AccountId, BillId, CommunityId

Asker = Annotated[Caller, Depends(require(Permission.ASK_RELIEF))]
Biller = Annotated[Caller, Depends(require(Permission.RUN_BILLS))]
Granter = Annotated[Caller, Depends(require(Permission.GRANT_RELIEF))]
Wanted = Annotated[Paging, Depends(paging)]


class ReliefForm(BaseModel):
    """A wish for one line; its id stands in the form, so that a form sent twice asks once."""

    relief_id: UUID
    kind: ReliefKind
    bill_id: UUID
    n: int
    amount: str
    reason: Reason

    def value(self, account_id: AccountId) -> ReliefWish:
        """Return the wish as a value."""
        line = LineRef(bill_id=BillId(self.bill_id), n=self.n)
        return ReliefWish(
            relief_id=self.relief_id,
            account_id=account_id,
            kind=self.kind,
            lines=(RelievedLine(line=line, fen=fen_of(self.amount)),),
            reason=self.reason,
        )


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of arrears."""
    router = page_router()
    _add_late(router, frame)
    _add_relief(router, frame)
    _add_letters(router, frame)
    return router


def _add_late(router: APIRouter, frame: Frame) -> None:
    @router.get("/arrears")
    async def arrears(
        request: Request,
        caller: Asker,
        wanted: Wanted,
        community: Annotated[str | None, Query(max_length=80)] = None,
    ) -> Response:
        """Show late charges that would be made today, and relief."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.ASK_RELIEF)
            one = chosen(communities, community)
            today = civil_day(frame.now(), one.zone)
            found = await late.preview(session, one.id, today, frame.now())
            reliefs = await service.reliefs(session, one.id)
            labels = {place.id: place.label for place in await estate.premises_in(session, one.id, day=today)}
            accounts = await billing.accounts_in(session, one.id)
        return frame.page(
            request,
            "manager/arrears.html",
            caller=caller,
            communities=communities,
            community=one,
            found=found,
            rows=part(found.charges, wanted),
            reliefs=reliefs,
            rooms={account.account_id: labels.get(account.premises_id, "—") for account in accounts},
            kinds=RELIEF_KINDS,
            states=RELIEF_STATES,
            may_charge=caller.may(Permission.RUN_BILLS, one.id),
            may_grant=caller.may(Permission.GRANT_RELIEF, one.id),
        )

    @router.post("/arrears/{community_id}/charge")
    async def charge(
        community_id: UUID, caller: Biller, sha: Annotated[str, Form(pattern="^[0-9a-f]{64}$")]
    ) -> Response:
        """Make the late charges as seen."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            community = await estate.community(unit.session, CommunityId(community_id))
            today = civil_day(unit.now, community.zone)
            await late.charge(unit, community.id, today, preview_sha=bytes.fromhex(sha))
        return see_other("/arrears", done="late-charged", community=community.code)


def _add_relief(router: APIRouter, frame: Frame) -> None:
    @router.get("/arrears/{community_id}/accounts/{account_id}")
    async def account(request: Request, community_id: UUID, account_id: UUID, caller: Asker) -> Response:
        """Show the open lines of an account, each to be waived or written off."""
        async with frame.database.view(caller.tenant) as session:
            found = await billing.account(session, AccountId(account_id))
            if found.community_id != community_id:
                raise NotFoundError("there is no such account")
            community = await estate.community(session, found.community_id)
            day = civil_day(frame.now(), community.zone)
            room = (await estate.premises(session, found.premises_id, day=day)).label
            lines = await billing.open_lines(session, found.account_id)
            papers = await documents.papers_of(session, found.account_id)
        return frame.page(
            request,
            "manager/relief.html",
            caller=caller,
            community=community,
            account=found,
            room=room,
            lines=[(line, frame.database.new_id()) for line in lines],
            kinds=RELIEF_KINDS,
            letters=[paper for paper in papers if paper.kind is PaperKind.ARREARS_LETTER],
            overdue=any(line.due < day for line in lines),
        )

    @router.post("/arrears/{community_id}/accounts/{account_id}")
    async def ask(community_id: UUID, account_id: UUID, caller: Asker, form: Annotated[ReliefForm, Form()]) -> Response:
        """Ask for relief of a line."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            found = await billing.account(unit.session, AccountId(account_id))
            if found.community_id != community_id:
                raise NotFoundError("there is no such account")
            community = await estate.community(unit.session, found.community_id)
            await service.ask(unit, form.value(found.account_id))
        return see_other("/arrears", done="relief-asked", community=community.code)

    @router.post("/arrears/{community_id}/reliefs/{relief_id}")
    async def decide(
        community_id: UUID, relief_id: UUID, caller: Granter, verdict: Annotated[bool, Form()]
    ) -> Response:
        """Grant or refuse relief that somebody else asked for."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            found = await service.relief(unit.session, relief_id)
            if found.community_id != community_id:
                raise NotFoundError("there is no such relief")
            community = await estate.community(unit.session, CommunityId(community_id))
            await service.decide(unit, relief_id, grants=verdict)
        return see_other("/arrears", done="relief-decided", community=community.code)


def _add_letters(router: APIRouter, frame: Frame) -> None:
    @router.post("/arrears/{community_id}/accounts/{account_id}/letter")
    async def write(community_id: UUID, account_id: UUID, caller: Asker) -> Response:
        """Make today's letters of arrears of an account and issue each as a sealed paper."""
        caller.require(Permission.ASK_RELIEF, CommunityId(community_id))
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            found = await billing.account(unit.session, AccountId(account_id))
            if found.community_id != community_id:
                raise NotFoundError("there is no such account")
            made = await letters.make(unit, found.account_id, token_bytes)
            unit.record("asked for", "arrears_letter", found.account_id)
        kind, press = PaperKind.ARREARS_LETTER, frame.parts.press
        issued = [await documents.issue(press, caller.tenant, caller.actor, kind, one.letter_id) for one in made]
        if len(issued) == 1:
            return see_other(f"/papers/{issued[0].paper_id}")
        return see_other(f"/arrears/{community_id}/accounts/{account_id}")
