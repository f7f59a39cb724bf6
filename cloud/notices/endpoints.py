"""Notices over HTTP: one's own, those of a community, and how one wants to be told."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import ForbiddenError
from cloud.notices import schemas, service
from common.ids import CommunityId, PartyId


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of notices."""
    router = APIRouter(tags=["notices"])

    @router.get("/notices")
    async def own(caller: SignedIn) -> list[schemas.NoticeOut]:
        """List what the caller was told, the newest first."""
        async with database.view(caller.tenant) as session:
            found = await service.notices_of(session, party_of(caller))
        return [schemas.NoticeOut.of(notice) for notice in found]

    @router.put("/notices/wish", status_code=HTTPStatus.NO_CONTENT)
    async def wish(body: schemas.WishIn, caller: SignedIn) -> None:
        """Keep how the caller wants to be told."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await service.set_wish(unit, party_of(caller), body.wish())

    @router.get("/communities/{community_id}/notices")
    async def in_community(community_id: UUID, caller: SignedIn) -> list[schemas.NoticeOut]:
        """List the notices of a community, the newest first."""
        caller.require(Permission.SEE_BILLS, CommunityId(community_id))
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await service.notices_in(session, CommunityId(community_id))
        return [schemas.NoticeOut.of(notice) for notice in found]

    return router


def party_of(caller: Caller) -> PartyId:
    """Return whose notices a caller reads.

    Raises:
        ForbiddenError: he is nobody's party.
    """
    caller.require(Permission.SEE_OWN)
    if caller.party_id is None:
        raise ForbiddenError("you are not linked to a household; ask the office")
    return caller.party_id
