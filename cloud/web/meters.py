"""Meters on pages: how complete their readings are, day by day; a reading by hand; a swap in one step.

/meters                         two weeks of every meter of a community, those with holes first
/meters/{community}/{meter}     the forms: what the dial shows, or which meter took its place
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.fleet import service as fleet
from cloud.fleet.values import InstalledMeter
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.insights.completeness import completeness
from cloud.kit.errors import MalformedError, NotFoundError
from cloud.kit.httpapi import Paging, paging
from cloud.metering.corrections import Correction
from cloud.metering.registers import BILLED_QUANTITY
from cloud.metering.swapping import Swap, swap
from cloud.metering.truing import enter_reading
from cloud.web import site_plan
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.listing import part
from common.civil import Period, civil_day, midnight
from common.errors import RefusalError
from common.ids import CommunityId, MeterId
from common.money.amount import parse_scaled

Reader = Annotated[Caller, Depends(require(Permission.MANAGE_FLEET))]
Wanted = Annotated[Paging, Depends(paging)]
Dial = Annotated[str, Field(min_length=1, max_length=20)]
Reason = Annotated[str, Field(min_length=1, max_length=200)]
DAYS = 14
MILLI_DIGITS = 3
_DAY = timedelta(days=1)


class SwapForm(BaseModel):
    """Which meter took the place of an old one."""

    day: date
    last: Dial
    serial: Annotated[str, Field(min_length=1, max_length=80)]
    first: Dial
    digits: int = 6
    multiplier: Dial = "1"
    reason: Reason

    def value(self, community_id: CommunityId, meter_id: MeterId) -> Swap:
        """Return the swap as a value."""
        return Swap(
            community_id=community_id,
            meter_id=meter_id,
            day=self.day,
            last_milli=milli_of(self.last),
            serial=self.serial,
            first_milli=milli_of(self.first),
            digits=self.digits,
            multiplier_milli=milli_of(self.multiplier),
            reason=self.reason,
        )


def milli_of(text: str) -> int:
    """Return thousandths of a number as written on a dial.

    Raises:
        MalformedError: it is none.
    """
    try:
        return parse_scaled(text.strip(), MILLI_DIGITS, "reading")
    except RefusalError as error:
        raise MalformedError(f"{text!r} is no reading; write what the dial shows, such as 1234.5") from error


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of meters."""
    router = page_router()
    _add_list(router, frame)
    _add_forms(router, frame)
    site_plan.add_pages(router, frame)
    return router


def _add_list(router: APIRouter, frame: Frame) -> None:
    @router.get("/meters")
    async def listed(
        request: Request,
        caller: Reader,
        wanted: Wanted,
        community: Annotated[str | None, Query(max_length=80)] = None,
        through: date | None = None,
    ) -> Response:
        """Show two weeks of every meter, those with holes first."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.MANAGE_FLEET)
            one = chosen(communities, community)
            last = through or civil_day(frame.now(), one.zone)
            days = Period(last - timedelta(days=DAYS - 1), last + _DAY)
            placed = {meter.meter_id: meter for meter in await fleet.installed_meters(session, one.id, days)}
            found = await completeness(session, one.id, one.zone_name, list(placed), days)
            labels = {place.id: place.label for place in await estate.premises_in(session, one.id, day=last)}
        rows = sorted(found, key=lambda row: (-row.holes, placed[MeterId(row.meter_id)].serial))
        return frame.page(
            request,
            "manager/meters.html",
            caller=caller,
            communities=communities,
            community=one,
            rows=part(rows, wanted),
            placed=placed,
            labels=labels,
            last=last,
            holes=sum(row.holes > 0 for row in found),
        )


def _add_forms(router: APIRouter, frame: Frame) -> None:
    @router.get("/meters/{community_id}/{meter_id}")
    async def one(request: Request, community_id: UUID, meter_id: UUID, caller: Reader) -> Response:
        """Show the forms of a meter."""
        async with frame.database.view(caller.tenant) as session:
            community, meter = await _meter(frame, session, community_id, meter_id)
            day = civil_day(frame.now(), community.zone)
            room = None
            if meter.premises_id is not None:
                room = (await estate.premises(session, meter.premises_id, day=day)).label
        return frame.page(
            request, "manager/meter.html", caller=caller, community=community, meter=meter, room=room, day=day
        )

    @router.post("/meters/{community_id}/{meter_id}/reading")
    async def reading(
        community_id: UUID,
        meter_id: UUID,
        caller: Reader,
        day: Annotated[date, Form()],
        value: Annotated[str, Form(max_length=20)],
        reason: Annotated[str, Form(min_length=1, max_length=200)],
    ) -> Response:
        """Enter what the dial showed at the midnight that begins a day."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            community, meter = await _meter(frame, unit.session, community_id, meter_id)
            entered = Correction(
                community_id=community.id,
                meter_id=meter.meter_id,
                quantity=BILLED_QUANTITY[meter.resource],
                read_at=midnight(day, community.zone),
                value_milli=milli_of(value),
                reason=reason,
            )
            await enter_reading(unit, entered)
            unit.record("entered", "reading", meter.meter_id, after={"day": day.isoformat()})
        return see_other("/meters", done="reading-entered", community=community.code)

    @router.post("/meters/{community_id}/{meter_id}/swap")
    async def swapped(
        community_id: UUID, meter_id: UUID, caller: Reader, form: Annotated[SwapForm, Form()]
    ) -> Response:
        """Put a new meter in the place of this one."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            community = await estate.community(unit.session, CommunityId(community_id))
            await swap(unit, form.value(community.id, MeterId(meter_id)))
        return see_other("/meters", done="meter-swapped", community=community.code)


async def _meter(
    frame: Frame, session: AsyncSession, community_id: UUID, meter_id: UUID
) -> tuple[Community, InstalledMeter]:
    community = await estate.community(session, CommunityId(community_id))
    today = civil_day(frame.now(), community.zone)
    placed = await fleet.installed_meters(session, community.id, Period(today - timedelta(days=DAYS), today + _DAY))
    own = [meter for meter in placed if meter.meter_id == meter_id]
    if not own:
        raise NotFoundError("there is no such meter in this community")
    return community, own[-1]
