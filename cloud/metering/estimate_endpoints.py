"""Estimates over HTTP: the rules, what may be estimated and to what, the decision, and what was decided."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.httpapi import Paging, paging
from cloud.metering import filling, schemas
from common.ids import CommunityId, MeterId

Corrector = Annotated[Caller, Depends(require(Permission.CORRECT))]
Decider = Annotated[Caller, Depends(require(Permission.CHANGE_TARIFFS))]
Wanted = Annotated[Paging, Depends(paging)]


def add_estimates(router: APIRouter, database: Database) -> None:
    """Add the endpoints of estimates to those of readings."""
    _add_rules(router, database)
    _add_decisions(router, database)


def _add_rules(router: APIRouter, database: Database) -> None:
    @router.get("/estimate-rules")
    async def rules(community_id: UUID, caller: Corrector) -> list[schemas.EstimateRuleOut]:
        """Answer how many days in a row may be estimated, of each resource."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await filling.rules(session, CommunityId(community_id))
        return [schemas.EstimateRuleOut(resource=resource, days_max=days) for resource, days in sorted(found.items())]

    @router.put("/estimate-rules", status_code=HTTPStatus.NO_CONTENT)
    async def decide_rule(community_id: UUID, body: schemas.EstimateRuleIn, caller: Decider) -> None:
        """Decide how many days in a row may be estimated of a resource."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await filling.decide_rule(unit, CommunityId(community_id), body.resource, body.days_max)


def _add_decisions(router: APIRouter, database: Database) -> None:
    @router.get("/meters/{meter_id}/estimate")
    async def outlook(community_id: UUID, meter_id: UUID, day: date, caller: Corrector) -> schemas.OutlookOut:
        """Answer whether the register of a midnight may be estimated, and what each method says."""
        async with database.view(caller.tenant) as session:
            seen = await filling.outlook(
                session, CommunityId(community_id), MeterId(meter_id), day, database.clock.now()
            )
        return schemas.OutlookOut.of(seen)

    @router.post("/meters/{meter_id}/estimate", status_code=HTTPStatus.CREATED)
    async def decide(community_id: UUID, meter_id: UUID, body: schemas.EstimateIn, caller: Corrector) -> schemas.RevOut:
        """Let an estimate stand for a missing register; the same again writes nothing."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            rev = await filling.decide(unit, body.value(CommunityId(community_id), MeterId(meter_id)))
        return schemas.RevOut(rev=rev)

    @router.get("/estimates")
    async def listed(community_id: UUID, caller: Corrector, wanted: Wanted) -> list[schemas.EstimatedOut]:
        """List what was estimated, the newest first, and whether the true reading came since."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await filling.estimated(
                session, CommunityId(community_id), offset=wanted.offset, limit=wanted.limit
            )
        return [schemas.EstimatedOut.of(one) for one in found]
