"""Charge items, tariffs and assignments over HTTP, for those who may change prices."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.tariffs import schemas, trial
from cloud.tariffs import service as tariffs
from cloud.tariffs.calendars import official_notices, record_calendar, trial_place
from common.ids import CommunityId
from common.rating.usage_document import Place
from common.tariff.compile import compile_tariff
from common.tariff.document import parse_tariff

Editor = Annotated[Caller, Depends(require(Permission.CHANGE_TARIFFS))]
Viewer = Annotated[Caller, Depends(require(Permission.SEE_BILLS))]


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of prices."""
    community = APIRouter(prefix="/communities/{community_id}")
    _add_charge_items(community, database)
    _add_revisions(community, database)
    _add_assignments(community, database)
    _add_trials(community, database)
    router = APIRouter(tags=["tariffs"])
    router.include_router(community)
    _add_calendars(router, database)
    return router


def _add_calendars(router: APIRouter, database: Database) -> None:
    @router.get("/calendars")
    async def calendars(caller: Viewer) -> list[schemas.CalendarOut]:
        """List the official notices that are known, the newest of each year."""
        async with database.view(caller.tenant) as session:
            notices = await official_notices(session, database.clock.now())
        return [schemas.CalendarOut(year=year, document=dict(notice)) for year, notice in notices.items()]

    @router.post("/calendars", status_code=HTTPStatus.CREATED)
    async def record(body: schemas.CalendarIn, caller: Editor) -> schemas.RevOut:
        """Record the official notice of a year; one with faults is refused with all of them."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            rev = await record_calendar(unit, body.document, basis_document=body.basis_document)
        return schemas.RevOut(rev=rev)


def _add_charge_items(router: APIRouter, database: Database) -> None:
    @router.get("/charge-items")
    async def charge_items(community_id: UUID, caller: Viewer) -> list[schemas.ChargeItemOut]:
        """List the charge items of a community."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await tariffs.charge_items(session, CommunityId(community_id))
        return [schemas.ChargeItemOut.of(item) for item in found]

    @router.post("/charge-items", status_code=HTTPStatus.CREATED)
    async def add(community_id: UUID, body: schemas.ChargeItemIn, caller: Editor) -> schemas.IdOut:
        """Add a charge item."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, CommunityId(community_id))
            item = body.item(unit.new_id(), CommunityId(community_id))
            await tariffs.add_charge_item(unit, item)
        return schemas.IdOut(id=item.charge_item_id)


def _add_revisions(router: APIRouter, database: Database) -> None:
    @router.get("/tariff-revisions")
    async def revisions(community_id: UUID, caller: Viewer) -> list[schemas.RevisionOut]:
        """List every revision of every tariff of a community."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            book = await tariffs.price_book(session, CommunityId(community_id), database.clock.now())
        return schemas.RevisionOut.all_of(book)

    @router.post("/tariff-revisions", status_code=HTTPStatus.CREATED)
    async def record(community_id: UUID, body: schemas.RevisionIn, caller: Editor) -> schemas.RevisionOut:
        """Record a tariff document; one with faults is refused with all of them and nothing is stored."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, CommunityId(community_id))
            tariff_id, ref = await tariffs.record_revision(
                unit, body.draft(CommunityId(community_id), caller.display_name)
            )
        return schemas.RevisionOut(
            tariff_id=tariff_id,
            tariff_code=ref.tariff_code,
            effective_from=ref.effective_from,
            rev=ref.rev,
            body_sha=ref.body_sha,
        )

    @router.post("/tariffs/{tariff_code}/withdrawals", status_code=HTTPStatus.NO_CONTENT)
    async def withdraw(community_id: UUID, tariff_code: str, body: schemas.WithdrawalIn, caller: Editor) -> None:
        """Withdraw what a tariff says from a day on."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await tariffs.withdraw_revision(
                unit,
                CommunityId(community_id),
                tariff_code,
                effective_from=body.effective_from,
                basis_document=body.basis_document,
            )


def _add_assignments(router: APIRouter, database: Database) -> None:
    @router.post("/tariff-assignments", status_code=HTTPStatus.CREATED)
    async def assign(community_id: UUID, body: schemas.AssignmentIn, caller: Editor) -> schemas.RevOut:
        """Price a charge item for a target from a day on, or exempt the target."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, CommunityId(community_id))
            rev = await tariffs.assign(unit, body.draft(CommunityId(community_id)))
        return schemas.RevOut(rev=rev)


def _add_trials(router: APIRouter, database: Database) -> None:
    async def place_of(community_id: UUID, caller: Caller) -> Place:
        async with database.view(caller.tenant) as session:
            community = await estate.community(session, CommunityId(community_id))
            return await trial_place(session, community, database.clock.now())

    @router.post("/tariff-checks")
    async def check(community_id: UUID, body: schemas.TariffTextIn, caller: Editor) -> schemas.TariffTextOut:
        """Check a tariff document; one with faults is refused with all of them. Nothing is stored."""
        await place_of(community_id, caller)
        tariff = compile_tariff(parse_tariff(body.document))
        return schemas.TariffTextOut(tariff_code=tariff.code, body_sha=tariff.body_sha)

    @router.post("/tariff-prices")
    async def price(community_id: UUID, body: schemas.PriceIn, caller: Editor) -> schemas.PriceOut:
        """Price one request with a tariff document and explain it. Nothing is stored."""
        place = await place_of(community_id, caller)
        return schemas.PriceOut.of(trial.price(compile_tariff(parse_tariff(body.document)), body.usage, place))

    @router.post("/tariff-comparisons")
    async def compare(community_id: UUID, body: schemas.ComparisonIn, caller: Editor) -> list[schemas.ChangeOut]:
        """Show who pays more or less under a new tariff. Nothing is stored."""
        place = await place_of(community_id, caller)
        old, new = (compile_tariff(parse_tariff(document)) for document in (body.old, body.new))
        return [schemas.ChangeOut.of(change) for change in trial.compare(old, new, body.requests, place)]
