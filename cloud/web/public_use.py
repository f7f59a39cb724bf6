"""The public area on a page: what its meters and the virtual ones used, hour by hour, and how virtual ones are made.

/public-use        a day of every public and virtual meter, a chart of one of them, the form of a virtual meter
/public-use.csv    the same hours over some days, as a table to keep
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import BaseModel, Field

from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.metering import public_use
from cloud.metering.hourly import HOURS_A_DAY, NAME_LENGTH_MAX, PARTS_MAX, VirtualMeter, total
from cloud.metering.public_endpoints import asked
from cloud.web import charts
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.listing import csv_file
from cloud.web.manager_words import UNITS
from common.civil import Period, civil_day
from common.ids import CommunityId, MeterId
from common.measure.quantity import format_milli
from common.reading.reading import Resource

Viewer = Annotated[Caller, Depends(require(Permission.SEE_FLEET))]
Definer = Annotated[Caller, Depends(require(Permission.CHANGE_TARIFFS))]
HOURS = tuple(f"{hour:02}:00" for hour in range(HOURS_A_DAY))
_ONE_DAY = timedelta(days=1)


class VirtualForm(BaseModel):
    """What a virtual meter is made of from a day on; an empty id makes a new one."""

    community: Annotated[str, Field(max_length=80)]
    virtual_id: UUID | Literal[""] = ""
    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX)]
    resource: Resource
    effective_from: date
    plus: Annotated[list[UUID], Field(max_length=PARTS_MAX)] = []
    minus: Annotated[list[UUID], Field(max_length=PARTS_MAX)] = []

    def value(self, community_id: CommunityId, new_id: UUID) -> VirtualMeter:
        """Return the definition as a value."""
        return VirtualMeter(
            community_id=community_id,
            virtual_id=self.virtual_id or new_id,
            name=self.name,
            resource=self.resource,
            effective_from=self.effective_from,
            plus=frozenset(MeterId(one) for one in self.plus),
            minus=frozenset(MeterId(one) for one in self.minus),
        )


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of the public area."""
    router = page_router()
    _add_day(router, frame)
    _add_table(router, frame)
    return router


def _add_day(router: APIRouter, frame: Frame) -> None:
    @router.get("/public-use")
    async def shown(
        request: Request,
        caller: Viewer,
        community: Annotated[str | None, Query(max_length=80)] = None,
        day: date | None = None,
        meter: UUID | None = None,
    ) -> Response:
        """Show one day of the public area."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.SEE_FLEET)
            one = chosen(communities, community)
            on = day or civil_day(frame.now(), one.zone) - _ONE_DAY
            found = await public_use.public_use(session, one.id, Period(on, on + _ONE_DAY), frame.now())
            meters = await fleet.installed_meters(session, one.id, Period(on, on + _ONE_DAY))
            places = await estate.premises_in(session, one.id, day=on)
            virtual = await public_use.defined(session, one.id)
        picked = next((row for row in found if row.meter_id == meter), found[0] if found else None)
        return frame.page(
            request,
            "manager/public_use.html",
            caller=caller,
            communities=communities,
            community=one,
            day=on,
            after=on + _ONE_DAY,
            found=found,
            picked=picked,
            chart=None if picked is None else charts.uses(HOURS, picked.name, picked.hours),
            totals={row.meter_id: total(row.hours) for row in found},
            units=UNITS,
            hours=HOURS,
            meters=sorted(meters, key=lambda placed: (placed.premises_id is not None, placed.serial)),
            labels={place.id: place.label for place in places},
            serials={placed.meter_id: placed.serial for placed in meters},
            virtual=virtual,
            resources=list(Resource),
            decides=caller.may(Permission.CHANGE_TARIFFS),
        )

    @router.post("/public-use/virtual-meters")
    async def define(caller: Definer, form: Annotated[VirtualForm, Form()]) -> Response:
        """Define a virtual meter from a day on."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            one = chosen(await communities_of(unit.session, caller, Permission.CHANGE_TARIFFS), form.community)
            await public_use.define(unit, form.value(one.id, unit.new_id()))
        return see_other("/public-use", done="virtual-meter-defined", community=one.code)


def _add_table(router: APIRouter, frame: Frame) -> None:
    @router.get("/public-use.csv")
    async def table(
        caller: Viewer, start: date, end: date, community: Annotated[str | None, Query(max_length=80)] = None
    ) -> Response:
        """Answer some days hour by hour; an hour that is not known is left empty, never zero."""
        days = asked(start, end)
        async with frame.database.view(caller.tenant) as session:
            one = chosen(await communities_of(session, caller, Permission.SEE_FLEET), community)
            found = await public_use.public_use(session, one.id, days, frame.now())
        rows: list[tuple[str | None, ...]] = [
            (
                row.day.isoformat(),
                hour,
                row.name,
                "virtual" if row.virtual else "meter",
                row.resource.value,
                None if used is None else format_milli(used),
            )
            for row in found
            for hour, used in zip(HOURS, row.hours, strict=True)
        ]
        return csv_file("public-use.csv", ("day", "hour", "meter", "kind", "resource", "used"), rows)
