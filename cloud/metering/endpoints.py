"""Readings over HTTP: correct, enter by hand, confirm a rollover, see what is missing."""

from __future__ import annotations

from datetime import UTC, date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import MalformedError, NotFoundError
from cloud.metering import estimate_endpoints, public_endpoints, schemas
from cloud.metering.corrections import confirm_rollover
from cloud.metering.origins import completeness, holes
from cloud.metering.registers import BILLED_QUANTITY, RegisterQuestion
from cloud.metering.truing import enter_reading
from common.civil import Period, days_of
from common.ids import CommunityId, MeterId

DAYS_ASKED_MAX = 400

Corrector = Annotated[Caller, Depends(require(Permission.CORRECT))]
Viewer = Annotated[Caller, Depends(require(Permission.SEE_FLEET))]


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of readings."""
    router = APIRouter(prefix="/communities/{community_id}", tags=["metering"])

    @router.post("/reading-revisions", status_code=HTTPStatus.CREATED)
    async def correct(community_id: UUID, body: schemas.CorrectionIn, caller: Corrector) -> schemas.RevOut:
        """Correct, confirm, withdraw or enter a reading; what it corrects stays as it was."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await _placed(unit.session, CommunityId(community_id), MeterId(body.meter_id))
            correction = body.correction(CommunityId(community_id), body.read_at.astimezone(UTC))
            rev = await enter_reading(unit, correction)
        return schemas.RevOut(rev=rev)

    @router.post("/meter-rollovers", status_code=HTTPStatus.NO_CONTENT)
    async def rollover(community_id: UUID, body: schemas.RolloverIn, caller: Corrector) -> None:
        """Confirm that a register passed its highest value."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await _placed(unit.session, CommunityId(community_id), MeterId(body.meter_id))
            await confirm_rollover(
                unit,
                community_id=CommunityId(community_id),
                meter_id=MeterId(body.meter_id),
                quantity=body.quantity,
                day=body.day,
                reason=body.reason,
            )

    @router.get("/meter-holes")
    async def missing(community_id: UUID, caller: Viewer, start: date, end: date) -> list[schemas.MeterDayOut]:
        """List the meters and days whose midnight register is missing or held."""
        days = _asked(start, end)
        async with database.view(caller.tenant) as session:
            community = await estate.community(session, CommunityId(community_id))
            meters = await fleet.installed_meters(session, community.id, days)
            if not meters:
                return []
            question = RegisterQuestion(
                community_id=community.id,
                meters=frozenset(meter.meter_id for meter in meters),
                quantities=frozenset(BILLED_QUANTITY[meter.resource] for meter in meters),
                days=frozenset(days_of(days)),
                zone=community.zone,
                known_at=database.clock.now(),
            )
            found = await completeness(session, question)
        billed = {(meter.meter_id, BILLED_QUANTITY[meter.resource]) for meter in meters}
        return [schemas.MeterDayOut.of(day) for day in holes(found) if (day.meter_id, day.quantity) in billed]

    estimate_endpoints.add_estimates(router, database)
    public_endpoints.add_public_use(router, database)
    return router


def _asked(start: date, end: date) -> Period:
    if not 0 < (end - start).days <= DAYS_ASKED_MAX:
        raise MalformedError(f"ask for 1 to {DAYS_ASKED_MAX} days; the end is not included")
    return Period(start, end)


async def _placed(session: AsyncSession, community_id: CommunityId, meter_id: MeterId) -> None:
    """Check that a meter counts in the community.

    Raises:
        NotFoundError: it does not, or there is no such community.
    """
    await estate.community(session, community_id)
    places = await fleet.meter_communities(session, [meter_id])
    if places.get(meter_id) != community_id:
        raise NotFoundError(f"there is no meter {meter_id} in this community")
