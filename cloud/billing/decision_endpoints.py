"""What a community decides about its bills, over HTTP, and a run beside the month and the year before."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from cloud.billing import nightly, outlook, settling
from cloud.billing.documents import Rater
from cloud.billing.nightly import DAYS_AFTER_MAX, RunPolicy
from cloud.billing.service import MONTHLY, RunScope
from cloud.billing.settling import ITEMS_MAX, Settling, SettlingOrder
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from common.ids import CommunityId

Biller = Annotated[Caller, Depends(require(Permission.RUN_BILLS))]
ROWS_MAX = 1_000


class OrderBody(BaseModel):
    """In which order money settles what is owed; `items` are codes of charge items, for the order that needs them."""

    model_config = ConfigDict(extra="forbid")
    order: SettlingOrder
    items: list[Annotated[str, Field(min_length=1, max_length=80)]] = Field(default=[], max_length=ITEMS_MAX)


class PolicyBody(BaseModel):
    """Whether periods are billed at night, and how many days after their end."""

    model_config = ConfigDict(extra="forbid")
    nightly: bool
    days_after: Annotated[int, Field(ge=0, le=DAYS_AFTER_MAX)] = 1


class AccountOutlookOut(BaseModel):
    """One document that would be issued, and what the account was billed before."""

    account_id: UUID
    fen: int
    month_before_fen: int | None
    year_before_fen: int | None
    jump_percent: int


class OutlookOut(BaseModel):
    """A run beside the month and the year before; who jumps most stands first."""

    accounts: list[AccountOutlookOut]
    total_fen: int
    month_before_fen: int
    year_before_fen: int
    exceptions: int
    waiting: int

    @classmethod
    def of(cls, found: outlook.Outlook) -> OutlookOut:
        """Return what is answered for an outlook."""
        return cls(
            accounts=[
                AccountOutlookOut(
                    account_id=one.account_id,
                    fen=one.fen,
                    month_before_fen=one.month_before_fen,
                    year_before_fen=one.year_before_fen,
                    jump_percent=one.jump_percent(),
                )
                for one in found.accounts[:ROWS_MAX]
            ],
            total_fen=found.preview.total_fen,
            month_before_fen=found.month_before_fen,
            year_before_fen=found.year_before_fen,
            exceptions=len(found.preview.exceptions),
            waiting=len(found.preview.waiting),
        )


def build_router(database: Database, rate: Rater) -> APIRouter:
    """Return the endpoints."""
    router = APIRouter(tags=["billing"])

    @router.get("/communities/{community_id}/settling-order")
    async def order(community_id: UUID, caller: Biller) -> OrderBody:
        """Answer in which order money settles what is owed."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await settling.settling_order(session, CommunityId(community_id))
        return OrderBody(order=found.order, items=list(found.items))

    @router.put("/communities/{community_id}/settling-order")
    async def decide_order(community_id: UUID, body: OrderBody, caller: Biller) -> OrderBody:
        """Decide in which order money settles what is owed, from now on."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            wanted = Settling(order=body.order, items=tuple(body.items))
            await settling.decide_order(unit, CommunityId(community_id), wanted)
        return body

    @router.get("/communities/{community_id}/run-policy")
    async def policy(community_id: UUID, caller: Biller) -> PolicyBody:
        """Answer whether periods are billed at night."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await nightly.policy(session, CommunityId(community_id))
        return PolicyBody(nightly=found.nightly, days_after=found.days_after)

    @router.put("/communities/{community_id}/run-policy")
    async def decide_policy(community_id: UUID, body: PolicyBody, caller: Biller) -> PolicyBody:
        """Decide whether periods are billed at night, from now on."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            wanted = RunPolicy(nightly=body.nightly, days_after=body.days_after)
            await nightly.decide(unit, CommunityId(community_id), wanted)
        return body

    @router.get("/communities/{community_id}/billing-periods/{start}/outlook")
    async def look(community_id: UUID, start: date, caller: Biller) -> OutlookOut:
        """Answer what a run would issue now beside the month and the year before."""
        scope = RunScope(community_id=CommunityId(community_id), cycle=MONTHLY, period_start=start)
        async with database.view(caller.tenant) as session:
            found = await outlook.outlook(session, rate, scope, database.clock.now())
        return OutlookOut.of(found)

    return router
