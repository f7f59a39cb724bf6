"""Parking over HTTP: lots and who stands in them, permits, stays, and the statements of a night."""

from __future__ import annotations

from datetime import UTC, date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime

from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.parking import night, schemas, views
from cloud.parking.service import end_permit, give_permit
from common.ids import CommunityId

Viewer = Annotated[Caller, Depends(require(Permission.SEE_FLEET))]
Giver = Annotated[Caller, Depends(require(Permission.CHANGE_ESTATE))]


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of parking."""
    router = APIRouter(prefix="/communities/{community_id}/parking", tags=["parking"])

    @router.get("/lots")
    async def lots(community_id: UUID, caller: Viewer) -> list[schemas.LotOut]:
        """List the lots with how many vehicles stand in each."""
        async with database.view(caller.tenant) as session:
            return [schemas.LotOut.of(lot) for lot in await views.lots(session, CommunityId(community_id))]

    @router.get("/permits")
    async def permits(community_id: UUID, caller: Viewer) -> list[schemas.PermitOut]:
        """List the permits; plates are not told."""
        async with database.view(caller.tenant) as session:
            found = await views.permits(session, CommunityId(community_id))
        return [schemas.PermitOut.of(permit) for permit in found]

    @router.post("/permits", status_code=HTTPStatus.CREATED)
    async def give(community_id: UUID, body: schemas.PermitIn, caller: Giver) -> dict[str, UUID]:
        """Give a permit; the gates hear of it."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            return {"permit_id": await give_permit(unit, body.draft(CommunityId(community_id)))}

    @router.post("/permits/{permit_id}/end", status_code=HTTPStatus.NO_CONTENT)
    async def end(community_id: UUID, permit_id: UUID, body: schemas.PermitEndIn, caller: Giver) -> None:
        """Let a permit end, now or later; the gates hear of it."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            at = unit.now if body.at is None else body.at.astimezone(UTC)
            await end_permit(unit, CommunityId(community_id), permit_id, at)

    @router.get("/stays")
    async def stays(community_id: UUID, caller: Viewer, since: AwareDatetime) -> list[schemas.StayOut]:
        """List the stays that began or ended since an instant, newest first."""
        async with database.view(caller.tenant) as session:
            found = await views.stays(session, CommunityId(community_id), since.astimezone(UTC))
        return [schemas.StayOut.of(stay) for stay in found]

    @router.get("/nights")
    async def nights(community_id: UUID, caller: Viewer, since: date) -> list[schemas.NightOut]:
        """List what vehicles were told after a night, newest first."""
        async with database.view(caller.tenant) as session:
            found = await night.statements(session, CommunityId(community_id), since)
        return [schemas.NightOut.of(one) for one in found]

    return router
