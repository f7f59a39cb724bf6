"""Communities, premises and parties over HTTP, for the company's people."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import schemas
from cloud.estate import service as estate
from cloud.estate.values import Premises
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import ForbiddenError, MalformedError
from cloud.kit.httpapi import Page, Paging, page_of, paging
from common.ids import CommunityId, PartyId, PremisesId

Viewer = Annotated[Caller, Depends(require(Permission.SEE_ESTATE))]
Editor = Annotated[Caller, Depends(require(Permission.CHANGE_ESTATE))]
Wanted = Annotated[Paging, Depends(paging)]
Text = Annotated[str, Query(max_length=100)]


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of the estate."""
    router = APIRouter(tags=["estate"])
    _add_communities(router, database)
    _add_premises(router, database)
    _add_relations(router, database)
    _add_parties(router, database)
    return router


def _add_communities(router: APIRouter, database: Database) -> None:
    @router.get("/communities")
    async def communities(caller: Viewer) -> list[schemas.CommunityOut]:
        """List the communities whose estate the caller may see."""
        scope = caller.scope(Permission.SEE_ESTATE)
        async with database.view(caller.tenant) as session:
            found = await estate.communities(session)
        return [schemas.CommunityOut.of(community) for community in found if community.id in scope]

    @router.post("/communities", status_code=HTTPStatus.CREATED)
    async def create(body: schemas.CommunityIn, caller: Editor) -> schemas.IdOut:
        """Create a community; only for those who work in all of the company."""
        if not caller.scope(Permission.CHANGE_ESTATE).everywhere:
            raise ForbiddenError("a community is created by somebody who manages the whole company")
        async with database.unit(caller.tenant, caller.actor) as unit:
            made = await estate.create_community(
                unit, code=body.code, name=body.name, starts=body.starts, zone=body.zone
            )
        return schemas.IdOut(id=made)

    @router.get("/communities/{community_id}/buildings")
    async def buildings(community_id: UUID, caller: Viewer) -> list[schemas.BuildingOut]:
        """List the buildings of a community."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await estate.buildings(session, CommunityId(community_id))
        return [schemas.BuildingOut(id=building.id, code=building.code, name=building.name) for building in found]

    @router.post("/communities/{community_id}/buildings", status_code=HTTPStatus.CREATED)
    async def add_building(community_id: UUID, body: schemas.BuildingIn, caller: Editor) -> schemas.IdOut:
        """Add a building to a community."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, CommunityId(community_id))
            made = await estate.add_building(unit, CommunityId(community_id), code=body.code, name=body.name)
        return schemas.IdOut(id=made)


def _add_premises(router: APIRouter, database: Database) -> None:
    @router.get("/communities/{community_id}/premises")
    async def premises(
        community_id: UUID, caller: Viewer, wanted: Wanted, day: date, label: Text = ""
    ) -> Page[schemas.PremisesOut]:
        """List the premises of a community whose label holds a text, with the facts of a day."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await estate.find_premises(
                session,
                CommunityId(community_id),
                label_part=_plain(label),
                day=day,
                offset=wanted.offset,
                limit=wanted.limit + 1,
            )
        return page_of([schemas.PremisesOut.of(one) for one in found], wanted)

    @router.post("/communities/{community_id}/premises", status_code=HTTPStatus.CREATED)
    async def add(community_id: UUID, body: schemas.PremisesIn, caller: Editor) -> schemas.IdOut:
        """Add premises to a community."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, CommunityId(community_id))
            made = await estate.add_premises(unit, CommunityId(community_id), body.new())
        return schemas.IdOut(id=made)

    @router.get("/premises/{premises_id}")
    async def one(premises_id: UUID, caller: Viewer, day: date) -> schemas.PremisesOut:
        """Answer premises with the facts of a day."""
        async with database.view(caller.tenant) as session:
            found = await _allowed(session, caller, premises_id, Permission.SEE_ESTATE, day)
        return schemas.PremisesOut.of(found)

    @router.post("/premises/{premises_id}/facts", status_code=HTTPStatus.NO_CONTENT)
    async def state(premises_id: UUID, body: schemas.FactIn, caller: Editor) -> None:
        """State a fact of premises from a day on."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            found = await _allowed(unit.session, caller, premises_id, Permission.CHANGE_ESTATE, body.effective_from)
            await estate.record_fact(
                unit, found.id, fact=body.fact, effective_from=body.effective_from, value_milli=body.value_milli
            )


def _add_relations(router: APIRouter, database: Database) -> None:
    @router.get("/premises/{premises_id}/relations")
    async def relations(premises_id: UUID, caller: Viewer) -> list[schemas.RelationOut]:
        """List who is and was what to premises."""
        async with database.view(caller.tenant) as session:
            found = await _allowed(session, caller, premises_id, Permission.SEE_ESTATE, date.min)
            return [schemas.RelationOut.of(one) for one in await estate.relations_of(session, found.id)]

    @router.post("/premises/{premises_id}/relations", status_code=HTTPStatus.NO_CONTENT)
    async def relate(premises_id: UUID, body: schemas.RelationIn, caller: Editor) -> None:
        """Say what a party is to premises."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            found = await _allowed(unit.session, caller, premises_id, Permission.CHANGE_ESTATE, body.starts)
            await estate.relate(
                unit,
                party_id=PartyId(body.party_id),
                premises_id=found.id,
                role=body.role,
                starts=body.starts,
                ends=body.ends,
            )

    @router.post("/premises/{premises_id}/sale", status_code=HTTPStatus.NO_CONTENT)
    async def sell(premises_id: UUID, body: schemas.SaleIn, caller: Editor) -> None:
        """Hand premises over to a new owner on a day."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            found = await _allowed(unit.session, caller, premises_id, Permission.CHANGE_ESTATE, body.day)
            seller, buyer = PartyId(body.from_party), PartyId(body.to_party)
            await estate.sell(unit, premises_id=found.id, from_party=seller, to_party=buyer, day=body.day)


def _add_parties(router: APIRouter, database: Database) -> None:
    @router.get("/parties")
    async def parties(caller: Viewer, wanted: Wanted, name: Text = "") -> Page[schemas.PartyOut]:
        """List parties whose name or pinyin holds a text: those of the caller's communities, and those of none yet."""
        scope = caller.scope(Permission.SEE_ESTATE)
        async with database.view(caller.tenant) as session:
            found = await estate.find_parties(
                session,
                communities=None if scope.everywhere else scope.communities,
                name_part=_plain(name),
                offset=wanted.offset,
                limit=wanted.limit + 1,
            )
        return page_of([schemas.PartyOut.of(party) for party in found], wanted)

    @router.post("/parties", status_code=HTTPStatus.CREATED)
    async def add(body: schemas.PartyIn, caller: Editor) -> schemas.IdOut:
        """Add a party."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            made = await estate.add_party(unit, kind=body.kind, name=body.name)
        return schemas.IdOut(id=made)


async def _allowed(
    session: AsyncSession, caller: Caller, premises_id: UUID, permission: Permission, day: date
) -> Premises:
    found = await estate.premises(session, PremisesId(premises_id), day=day)
    caller.require(permission, found.community_id)
    return found


def _plain(text: str) -> str:
    if "\x00" in text:
        raise MalformedError("a text to look for holds no control characters")
    return text.strip()
