"""Estimates on pages: the rules, which month ends lack a reading, the decision, and the bills once the truth came.

/estimates                                         rules, month ends without a reading, what was estimated
/estimates/{community}/{meter}?day=                what each method says, and the decision
/estimates/{community}/{meter}/{day}/correction    the documents that a true reading calls for, and their approval
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import corrections
from cloud.billing.corrections import Cause, CorrectionPreview, CorrectionScope
from cloud.cases import service as cases
from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.fleet import service as fleet
from cloud.fleet.values import InstalledMeter
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Unit
from cloud.kit.errors import MalformedError, NotFoundError
from cloud.kit.httpapi import Paging, paging
from cloud.metering import filling
from cloud.metering.filling import REASON_MAX, EstimateWish
from cloud.metering.filling_rules import WORDS, Method
from cloud.metering.origins import MeterDay, completeness, holes
from cloud.metering.registers import BILLED_QUANTITY, RegisterQuestion
from cloud.metering.truing import ESTIMATE_TRUED
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.listing import listing
from cloud.web.manager_words import UNITS
from cloud.web.meters import milli_of
from common.civil import Period, civil_day, nth_month
from common.ids import CaseId, CommunityId, MeterId, PremisesId
from common.reading.reading import Resource

Corrector = Annotated[Caller, Depends(require(Permission.CORRECT))]
Decider = Annotated[Caller, Depends(require(Permission.CHANGE_TARIFFS))]
Wanted = Annotated[Paging, Depends(paging)]
HOLES_SHOWN = 200
_ONE_DAY = timedelta(days=1)


class _GivenUp(Exception):  # noqa: N818 - not an error: it ends a unit of work that must not commit
    pass


class DecisionForm(BaseModel):
    """Which method a missing register is estimated by, with the value as it was shown."""

    day: date
    method: Method
    value: Annotated[str, Field(min_length=1, max_length=24)]
    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]

    def value_of(self, community_id: CommunityId, meter_id: MeterId) -> EstimateWish:
        """Return the decision as a value."""
        return EstimateWish(
            community_id=community_id,
            meter_id=meter_id,
            day=self.day,
            method=self.method,
            value_milli=milli_of(self.value),
            reason=self.reason,
        )


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of estimates."""
    router = page_router()
    _add_list(router, frame)
    _add_decision(router, frame)
    _add_correction(router, frame)
    return router


def _add_list(router: APIRouter, frame: Frame) -> None:
    @router.get("/estimates")
    async def listed(
        request: Request,
        caller: Corrector,
        wanted: Wanted,
        community: Annotated[str | None, Query(max_length=80)] = None,
    ) -> Response:
        """Show the rules, the month ends without a reading, and what was estimated."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.CORRECT)
            one = chosen(communities, community)
            meters = await _meters(frame, session, one)
            done = await filling.estimated(session, one.id, offset=wanted.offset, limit=wanted.limit + 1)
            rules = await filling.rules(session, one.id)
            missing = await _missing(frame, session, one, meters)
            places = await estate.premises_in(session, one.id, day=_today(frame, one))
        return frame.page(
            request,
            "manager/estimates.html",
            caller=caller,
            communities=communities,
            community=one,
            meters=meters,
            rows=listing(done, wanted),
            words=WORDS,
            decides=caller.may(Permission.CHANGE_TARIFFS),
            rules=rules,
            missing=missing,
            labels={place.id: place.label for place in places},
        )

    @router.post("/estimates/rules")
    async def rule(
        caller: Decider,
        community: Annotated[str, Form(max_length=80)],
        resource: Annotated[Resource, Form()],
        days_max: Annotated[int, Form()],
    ) -> Response:
        """Decide how many days in a row may be estimated of a resource."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            one = chosen(await communities_of(unit.session, caller, Permission.CHANGE_TARIFFS), community)
            await filling.decide_rule(unit, one.id, resource, days_max)
        return see_other("/estimates", done="estimate-rule-decided", community=one.code)


def _add_decision(router: APIRouter, frame: Frame) -> None:
    @router.get("/estimates/{community_id}/{meter_id}")
    async def look(request: Request, community_id: UUID, meter_id: UUID, day: date, caller: Corrector) -> Response:
        """Show what each method says of a missing register."""
        async with frame.database.view(caller.tenant) as session:
            one = await estate.community(session, CommunityId(community_id))
            seen = await filling.outlook(session, one.id, MeterId(meter_id), day, frame.now())
            values = await _meter_values(session, one, seen.meter, day)
        return frame.page(
            request, "manager/estimate.html", caller=caller, seen=seen, words=WORDS, agreed=Method.AGREED, **values
        )

    @router.post("/estimates/{community_id}/{meter_id}")
    async def decide(
        community_id: UUID, meter_id: UUID, caller: Corrector, form: Annotated[DecisionForm, Form()]
    ) -> Response:
        """Let an estimate stand for a missing register."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            one = await estate.community(unit.session, CommunityId(community_id))
            await filling.decide(unit, form.value_of(one.id, MeterId(meter_id)))
        return see_other("/estimates", done="estimate-decided", community=one.code)


def _add_correction(router: APIRouter, frame: Frame) -> None:
    @router.get("/estimates/{community_id}/{meter_id}/{day}/correction")
    async def preview(request: Request, community_id: UUID, meter_id: UUID, day: date, caller: Corrector) -> Response:
        """Show every document that the true reading calls for; nothing is written."""
        found = await _tried(frame, caller, CommunityId(community_id), MeterId(meter_id), day)
        async with frame.database.view(caller.tenant) as session:
            one = await estate.community(session, CommunityId(community_id))
            meter = await _meter(session, one, MeterId(meter_id), day)
            rooms = await estate.premises_in(session, one.id, day=day)
            values = await _meter_values(session, one, meter, day)
        return frame.page(
            request,
            "manager/estimate_correction.html",
            caller=caller,
            found=found,
            rooms={room.id: room.label for room in rooms},
            **values,
        )

    @router.post("/estimates/{community_id}/{meter_id}/{day}/correction")
    async def approve(
        community_id: UUID,
        meter_id: UUID,
        day: date,
        caller: Corrector,
        preview_sha: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
    ) -> Response:
        """Issue the documents as previewed and close the case that asked for them."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            case_id = await _opened(unit, CommunityId(community_id), MeterId(meter_id), day)
            issued = await corrections.apply(unit, frame.parts.rate, case_id, preview_sha=bytes.fromhex(preview_sha))
            await cases.close_settled(
                unit, meter_id, reason_code=ESTIMATE_TRUED, subject=day.isoformat(), because="bills corrected"
            )
            one = await estate.community(unit.session, CommunityId(community_id))
        done = "correction-applied" if issued else "correction-empty"
        return see_other("/estimates", done=done, community=one.code)


def _today(frame: Frame, community: Community) -> date:
    return civil_day(frame.now(), community.zone)


async def _meters(frame: Frame, session: AsyncSession, community: Community) -> dict[MeterId, InstalledMeter]:
    today = _today(frame, community)
    placed = await fleet.installed_meters(session, community.id, Period(nth_month(today, -3), today + _ONE_DAY))
    return {meter.meter_id: meter for meter in placed}


async def _missing(
    frame: Frame, session: AsyncSession, community: Community, meters: dict[MeterId, InstalledMeter]
) -> list[MeterDay]:
    """Return the meters without a usable register at the beginning of this month or of the one before."""
    if not meters:
        return []
    this_month = _today(frame, community).replace(day=1)
    question = RegisterQuestion(
        community_id=community.id,
        meters=frozenset(meters),
        quantities=frozenset(BILLED_QUANTITY[meter.resource] for meter in meters.values()),
        days=frozenset({nth_month(this_month, -1), this_month}),
        zone=community.zone,
        known_at=frame.now(),
    )
    found = holes(await completeness(session, question))
    return [one for one in found if _counts(meters[one.meter_id], one)][:HOLES_SHOWN]


def _counts(meter: InstalledMeter, one: MeterDay) -> bool:
    inside = meter.start < one.day and (meter.end is None or one.day <= meter.end)
    return inside and BILLED_QUANTITY[meter.resource] is one.quantity


async def _meter(session: AsyncSession, community: Community, meter_id: MeterId, day: date) -> InstalledMeter:
    placed = await fleet.installed_meters(session, community.id, Period(day - _ONE_DAY, day + _ONE_DAY))
    own = [meter for meter in placed if meter.meter_id == meter_id]
    if not own:
        raise NotFoundError(f"there is no such meter in this community on {day}")
    return own[-1]


async def _meter_values(
    session: AsyncSession, community: Community, meter: InstalledMeter, day: date
) -> dict[str, Any]:
    room = None if meter.premises_id is None else (await estate.premises(session, meter.premises_id, day=day)).label
    return {"community": community, "meter": meter, "unit": UNITS[meter.resource], "room": room, "day": day}


async def _tried(
    frame: Frame, caller: Caller, community_id: CommunityId, meter_id: MeterId, day: date
) -> CorrectionPreview:
    """Return what the correction would issue; it is done in a unit of work that is given up."""
    found: list[CorrectionPreview] = []
    with suppress(_GivenUp):
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            case_id = await _opened(unit, community_id, meter_id, day)
            found.append(await corrections.preview(unit.session, frame.parts.rate, case_id, unit.now))
            raise _GivenUp
    return found[0]


async def _opened(unit: Unit, community_id: CommunityId, meter_id: MeterId, day: date) -> CaseId:
    """Open the correction of whoever's bills a meter bears on: its premises, or everybody's in the public area.

    Raises:
        MalformedError: nothing was estimated there, or the estimate still stands.
    """
    community = await estate.community(unit.session, community_id)
    meter = await _meter(unit.session, community, meter_id, day)
    if not await filling.was_trued(unit.session, community_id, meter_id, day):
        raise MalformedError("no estimate of this meter and day has given way to a true reading")
    if meter.premises_id is not None:
        touched = frozenset({meter.premises_id})
    else:
        everybody = await estate.premises_in(unit.session, community_id, day=day)
        touched = frozenset(PremisesId(premises.id) for premises in everybody)
    # the register of a midnight also ends the day before it
    scope = CorrectionScope(community_id=community_id, premises=touched, first_day=day - _ONE_DAY)
    reason = f"估读转实读 estimate of {day} became a reading, meter {meter.serial}"
    return await corrections.open_correction(unit, scope, cause=Cause.ESTIMATE, reason=reason)
