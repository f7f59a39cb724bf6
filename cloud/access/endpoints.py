"""Access over HTTP: doors and piles, card permits given and revoked, charges at piles."""

from __future__ import annotations

from datetime import UTC
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime

from cloud.access import repository, schemas, service
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from common.ids import CommunityId, GatewayId

CHARGES_MAX = 1_000
Viewer = Annotated[Caller, Depends(require(Permission.SEE_FLEET))]
Fitter = Annotated[Caller, Depends(require(Permission.MANAGE_FLEET))]
Giver = Annotated[Caller, Depends(require(Permission.CHANGE_ESTATE))]


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of access."""
    router = APIRouter(prefix="/communities/{community_id}", tags=["access"])

    @router.post("/access-places", status_code=HTTPStatus.CREATED)
    async def add(community_id: UUID, body: schemas.PlaceIn, caller: Fitter) -> schemas.PlaceOut:
        """Register a door or a charging pile."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            gateway_id = GatewayId(body.gateway_id)
            await service.add_place(
                unit, CommunityId(community_id), place=body.place, kind=body.kind, gateway_id=gateway_id
            )
        return schemas.PlaceOut(place=body.place, kind=body.kind)

    @router.get("/access-places")
    async def places(community_id: UUID, caller: Viewer) -> list[schemas.PlaceOut]:
        """List the doors and charging piles."""
        async with database.view(caller.tenant) as session:
            rows = await repository.places(session)
        return [schemas.PlaceOut(place=row.place, kind=row.kind) for row in rows if row.community_id == community_id]

    @router.post("/access-permits", status_code=HTTPStatus.CREATED)
    async def give(community_id: UUID, body: schemas.CardIn, caller: Giver) -> dict[str, UUID]:
        """Give a card what it opens; the gateways hear of it."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            return {"permit_id": await service.give_card(unit, body.draft(CommunityId(community_id)))}

    @router.post("/access-permits/{permit_id}/revoke", status_code=HTTPStatus.NO_CONTENT)
    async def revoke(community_id: UUID, permit_id: UUID, body: schemas.RevokeIn, caller: Giver) -> None:
        """Revoke a card permit; the gateways hear of it."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await service.revoke_card(unit, CommunityId(community_id), permit_id, body.reason)

    @router.get("/access-permits")
    async def permits(community_id: UUID, caller: Viewer) -> list[schemas.CardOut]:
        """List the card permits; cards are not told."""
        async with database.view(caller.tenant) as session:
            rows = await repository.permits(session, [CommunityId(community_id)])
        return [schemas.CardOut.model_validate(row, from_attributes=True) for row in rows]

    @router.get("/pile-charges")
    async def charges(community_id: UUID, caller: Viewer, since: AwareDatetime) -> list[schemas.ChargeOut]:
        """List the charges at piles that ended since an instant, newest first."""
        async with database.view(caller.tenant) as session:
            rows = await repository.charges(session, CommunityId(community_id), since.astimezone(UTC), CHARGES_MAX)
        return [schemas.ChargeOut.model_validate(row, from_attributes=True) for row in rows]

    return router
