"""Charges over HTTP: items in one go, switches by date, one-off charges, groups, deposits called, announcements."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.charges import announcing, making, repeating, schemas, service
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn, require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import NotFoundError
from common.ids import CommunityId, PremisesId

Maker = Annotated[Caller, Depends(require(Permission.CHANGE_TARIFFS))]
Biller = Annotated[Caller, Depends(require(Permission.RUN_BILLS))]
Holder = Annotated[Caller, Depends(require(Permission.MANAGE_DEPOSITS))]
GroupCode = Annotated[str, Path(min_length=1, max_length=80, pattern=r"^[a-z0-9][a-z0-9._-]*$")]


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of charges."""
    router = APIRouter(tags=["charges"])
    _add_making(router, database)
    _add_one_offs(router, database)
    _add_next(router, database)
    _add_groups(router, database)
    _add_announcements(router, database)
    return router


async def require_in(session: AsyncSession, charge_id: UUID, community_id: UUID) -> None:
    """Go on only when a one-off charge is of the community.

    Raises:
        NotFoundError: it is not, or there is none.
    """
    found = await service.one_off(session, charge_id)
    if found.new.community_id != community_id:
        raise NotFoundError("there is no such charge")


async def own_premises(session: AsyncSession, caller: Caller) -> tuple[set[CommunityId], set[PremisesId]]:
    """Return the communities and premises that the caller is something to."""
    if caller.party_id is None:
        return set(), set()
    relations = await estate.premises_of_party(session, caller.party_id)
    premises = {relation.premises_id for relation in relations}
    communities = await estate.communities_of_premises(session, premises)
    return communities, premises


def _add_making(router: APIRouter, database: Database) -> None:
    @router.post("/communities/{community_id}/charges", status_code=HTTPStatus.CREATED)
    async def make(community_id: UUID, body: schemas.NewChargeIn, caller: Maker) -> schemas.IdOut:
        """Make a charge item with its price, targets and announcement, all or nothing."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, CommunityId(community_id))
            item = await making.make_charge(unit, body.value(unit.new_id(), CommunityId(community_id)))
        return schemas.IdOut(id=item.charge_item_id)

    @router.post("/communities/{community_id}/price-switches", status_code=HTTPStatus.CREATED)
    async def switch(community_id: UUID, body: schemas.SwitchIn, caller: Maker) -> schemas.IdOut:
        """Let another price hold on some days, such as a holiday; afterwards the former one holds again."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, CommunityId(community_id))
            tariff_id = await making.switch(unit, body.value(CommunityId(community_id)))
        return schemas.IdOut(id=tariff_id)

    @router.post("/communities/{community_id}/deposit-calls", status_code=HTTPStatus.CREATED)
    async def call(community_id: UUID, body: schemas.DepositCallIn, caller: Holder) -> schemas.CountOut:
        """Open a deposit for the payer of each covered household; the same call again opens nothing new."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            count = await making.call_deposits(unit, body.value(CommunityId(community_id)))
        return schemas.CountOut(count=count)


def _add_one_offs(router: APIRouter, database: Database) -> None:
    @router.get("/communities/{community_id}/one-off-charges")
    async def listed(community_id: UUID, caller: Biller) -> list[schemas.OneOffOut]:
        """List the one-off charges of a community, the newest first."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await service.one_offs(session, CommunityId(community_id))
        return [schemas.OneOffOut.of(one) for one in found]

    @router.post("/communities/{community_id}/one-off-charges", status_code=HTTPStatus.CREATED)
    async def draft(community_id: UUID, body: schemas.OneOffIn, caller: Biller) -> schemas.OneOffOut:
        """Draft a one-off charge or levy; nothing is issued before it is approved."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, CommunityId(community_id))
            made = await service.draft(unit, body.value(CommunityId(community_id)))
        return schemas.OneOffOut.of(made)

    @router.get("/communities/{community_id}/one-off-charges/{charge_id}/preview")
    async def preview(community_id: UUID, charge_id: UUID, caller: Biller) -> schemas.OneOffPreviewOut:
        """Answer what each household would pay, and what stops the charge."""
        async with database.view(caller.tenant) as session:
            await require_in(session, charge_id, community_id)
            found = await service.preview(session, charge_id)
        return schemas.OneOffPreviewOut.of(found)

    @router.post("/communities/{community_id}/one-off-charges/{charge_id}/approval")
    async def approve(
        community_id: UUID, charge_id: UUID, body: schemas.ShaIn, caller: Biller
    ) -> list[schemas.IssuedOut]:
        """Issue the charge as previewed; again it issues nothing."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await require_in(unit.session, charge_id, community_id)
            issued = await service.issue(unit, charge_id, preview_sha=bytes.fromhex(body.preview_sha))
        return [schemas.IssuedOut.of(bill) for bill in issued]

    @router.delete("/communities/{community_id}/one-off-charges/{charge_id}", status_code=HTTPStatus.NO_CONTENT)
    async def drop(community_id: UUID, charge_id: UUID, caller: Biller) -> None:
        """Throw a draft away."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await require_in(unit.session, charge_id, community_id)
            await service.drop(unit, charge_id)

    @router.post("/communities/{community_id}/one-off-charges/{charge_id}/withdrawal")
    async def withdraw(
        community_id: UUID, charge_id: UUID, body: schemas.ReasonIn, caller: Biller
    ) -> list[schemas.IssuedOut]:
        """Take back everything that stands of an issued charge."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await require_in(unit.session, charge_id, community_id)
            issued = await service.withdraw(unit, charge_id, reason=body.reason)
        return [schemas.IssuedOut.of(bill) for bill in issued]


def _add_next(router: APIRouter, database: Database) -> None:
    @router.post("/communities/{community_id}/one-off-charges/{charge_id}/next", status_code=HTTPStatus.CREATED)
    async def repeat(
        community_id: UUID, charge_id: UUID, body: schemas.NextInvoiceIn, caller: Biller
    ) -> schemas.OneOffOut:
        """Draft the charge for the months that follow, by its next invoice; the same again is the same draft."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await require_in(unit.session, charge_id, community_id)
            made = await repeating.repeat(unit, charge_id, body.value())
        return schemas.OneOffOut.of(made)


def _add_groups(router: APIRouter, database: Database) -> None:
    @router.get("/communities/{community_id}/premises-groups")
    async def groups(community_id: UUID, caller: Maker) -> list[schemas.GroupOut]:
        """List the groups of premises of a community."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await announcing.groups(session, CommunityId(community_id))
        return [schemas.GroupOut.of(group) for group in found]

    @router.put("/communities/{community_id}/premises-groups/{code}", status_code=HTTPStatus.NO_CONTENT)
    async def put(community_id: UUID, code: GroupCode, body: schemas.GroupIn, caller: Maker) -> None:
        """Make a group of premises, or replace its name and members."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await announcing.set_group(unit, CommunityId(community_id), body.value(code))


def _add_announcements(router: APIRouter, database: Database) -> None:
    @router.get("/communities/{community_id}/announcements")
    async def announced(community_id: UUID, caller: Maker) -> list[schemas.AnnouncementOut]:
        """List what was announced in a community, the newest first."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await announcing.announcements(session, [CommunityId(community_id)])
        return [schemas.AnnouncementOut.of(one) for one in found]

    @router.get("/my/announcements")
    async def own(caller: SignedIn) -> list[schemas.AnnouncementOut]:
        """List what was announced to the caller's own premises, the newest first."""
        caller.require(Permission.SEE_OWN)
        async with database.view(caller.tenant) as session:
            communities, premises = await own_premises(session, caller)
            found = await announcing.announcements(session, communities, premises)
        return [schemas.AnnouncementOut.of(one) for one in found]
