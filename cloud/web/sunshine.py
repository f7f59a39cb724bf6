"""The sunshine ledger (阳光账本) and announcements, for residents: where the owners' money is, and what was decided.

/sunshine     for each of the reader's communities and a year: both funds, what came, what went, with evidence;
              below it what was announced. People of the company see theirs and book entries.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import BaseModel

from cloud.charges import announcing
from cloud.charges.endpoints import own_premises
from cloud.charges.schemas import Name
from cloud.disclosure import service
from cloud.disclosure.values import OWNERS_FUNDS, EntryKind, FundEntry
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.tariffs import service as tariffs
from cloud.web.charge_forms import fen_of
from cloud.web.frame import Frame, chosen, page_router, see_other
from common.civil import Period, civil_day
from common.ids import ChargeItemId, CommunityId

Reader = Annotated[Caller, Depends(require(Permission.READ_SUNSHINE))]
Keeper = Annotated[Caller, Depends(require(Permission.CLOSE_BOOKS))]


class EntryForm(BaseModel):
    """An entry of an owners' fund; its id stands in the form, so that a form sent twice books once."""

    entry_id: UUID
    item: UUID
    kind: EntryKind
    amount: str
    day: date
    words_zh: Name
    words_en: Name
    evidence: Name

    def value(self, community_id: CommunityId) -> FundEntry:
        """Return the entry as a value."""
        return FundEntry(
            entry_id=self.entry_id,
            community_id=community_id,
            charge_item_id=ChargeItemId(self.item),
            kind=self.kind,
            fen=fen_of(self.amount),
            day=self.day,
            words_zh=self.words_zh,
            words_en=self.words_en,
            evidence=self.evidence,
        )


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of the sunshine ledger."""
    router = page_router()

    @router.get("/sunshine")
    async def read(
        request: Request,
        caller: Reader,
        community: Annotated[str | None, Query(max_length=80)] = None,
        year: Annotated[int | None, Query(ge=2000, le=2200)] = None,
    ) -> Response:
        """Show the owners' funds of a community over a year, and what was announced."""
        async with frame.database.view(caller.tenant) as session:
            own, premises = await own_premises(session, caller)
            seen = caller.scope(Permission.SEE_PAYMENTS)
            communities = tuple(one for one in await estate.communities(session) if one.id in seen or one.id in own)
            if not communities:
                return frame.page(request, "resident/sunshine_none.html", caller=caller)
            one = chosen(communities, community)
            wanted = year or civil_day(frame.now(), one.zone).year
            period = Period(date(wanted, 1, 1), date(wanted + 1, 1, 1))
            reports = [await service.report(session, one.id, fund, period) for fund in OWNERS_FUNDS]
            told = await announcing.announcements(session, [one.id], None if one.id in seen else premises)
            items = [item for item in await tariffs.charge_items(session, one.id) if item.fund_class in OWNERS_FUNDS]
        return frame.page(
            request,
            "resident/sunshine.html",
            caller=caller,
            communities=communities,
            community=one,
            year=wanted,
            reports=reports,
            told=told,
            items=items if caller.may(Permission.CLOSE_BOOKS, one.id) else [],
            entry_id=frame.database.new_id(),
            today=civil_day(frame.now(), one.zone),
        )

    @router.post("/sunshine/{community_id}")
    async def book(community_id: UUID, caller: Keeper, form: Annotated[EntryForm, Form()]) -> Response:
        """Book money that came into or went out of an owners' fund."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            community = await estate.community(unit.session, CommunityId(community_id))
            await service.record(unit, form.value(community.id))
        return see_other("/sunshine", done="entry-booked", community=community.code, year=form.day.year)

    return router
