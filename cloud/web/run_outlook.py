"""A bill run beside the month and the year before, who jumps out first; and when runs happen by themselves.

    /runs/{community}/{start}/outlook     both comparisons for each household, and what the community has decided

Reads only, but for the two decisions, which hold from then on.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import BaseModel, Field

from cloud.billing import nightly, outlook, service, settling
from cloud.billing.nightly import RunPolicy
from cloud.billing.service import MONTHLY, RunScope
from cloud.billing.settling import Settling, SettlingOrder
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.httpapi import Paging, paging
from cloud.web.frame import Frame, page_router, see_other
from cloud.web.listing import part
from common.errors import ensure
from common.ids import CommunityId

Biller = Annotated[Caller, Depends(require(Permission.RUN_BILLS))]
Wanted = Annotated[Paging, Depends(paging)]
ORDERS: dict[SettlingOrder, tuple[str, str]] = {
    SettlingOrder.OLDEST_FIRST: ("先到期的先抵", "What is due first"),
    SettlingOrder.LATE_CHARGES_FIRST: ("先抵违约金", "Late charges first"),
    SettlingOrder.PRINCIPAL_FIRST: ("先抵本金，违约金最后", "Late charges last"),
    SettlingOrder.NEWEST_FIRST: ("后到期的先抵", "What is due last"),
    SettlingOrder.ITEMS_FIRST: ("按收费项顺序", "By charge item, as named"),
}
ensure(set(ORDERS) == set(SettlingOrder), "every order of settling has words")


class Decision(BaseModel):
    """What the form says; a box that is not ticked is not sent, items count only for the order that needs them."""

    order: SettlingOrder
    days_after: Annotated[int, Field(ge=0, le=nightly.DAYS_AFTER_MAX)]
    items: Annotated[str, Field(max_length=400)] = ""
    nightly_runs: bool = False

    def settling(self) -> Settling:
        """Return the order of settling as a value."""
        named = tuple(self.items.split()) if self.order is SettlingOrder.ITEMS_FIRST else ()
        return Settling(order=self.order, items=named)


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of the outlook."""
    router = page_router()

    @router.get("/runs/{community_id}/{start}/outlook")
    async def look(request: Request, community_id: UUID, start: date, caller: Biller, wanted: Wanted) -> Response:
        """Show what a run would issue beside the month and the year before."""
        scope = RunScope(community_id=CommunityId(community_id), cycle=MONTHLY, period_start=start)
        async with frame.database.view(caller.tenant) as session:
            community = await estate.community(session, scope.community_id)
            found = await outlook.outlook(session, frame.parts.rate, scope, frame.now())
            labels = {one.id: one.label for one in await estate.premises_in(session, community.id, day=start)}
            accounts = await service.accounts_in(session, community.id)
            policy = await nightly.policy(session, community.id)
            order = await settling.settling_order(session, community.id)
        return frame.page(
            request,
            "manager/run_outlook.html",
            caller=caller,
            community=community,
            start=start,
            found=found,
            rows=part(found.accounts, wanted),
            rooms={account.account_id: labels.get(account.premises_id, "—") for account in accounts},
            policy=policy,
            order=order.order,
            items=" ".join(order.items),
            orders=ORDERS,
        )

    @router.post("/runs/{community_id}/{start}/policy")
    async def decide(community_id: UUID, start: date, caller: Biller, wish: Annotated[Decision, Form()]) -> Response:
        """Decide when periods are billed by themselves, and what money settles first."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            wanted = RunPolicy(nightly=wish.nightly_runs, days_after=wish.days_after)
            await nightly.decide(unit, CommunityId(community_id), wanted)
            await settling.decide_order(unit, CommunityId(community_id), wish.settling())
        return see_other(f"/runs/{community_id}/{start.isoformat()}/outlook", done="policy-decided")

    return router
