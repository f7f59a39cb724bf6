"""The plan of a site: buildings and floors with their meters, and the lines of the gateways that read them.

/site-plan?community=&building=    each meter with its state, a link to its page, and the wire it hangs on

A floor is read from the printed label (1-2-301 is on the third); a label that tells none stands in a row of its own.
A meter is current while it was read today or yesterday; older and never are told apart in words, not by colour alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.estate.values import Building, Premises
from cloud.fleet import rollout
from cloud.fleet import service as fleet
from cloud.fleet.kinds import GatewayState
from cloud.fleet.values import Gateway, InstalledMeter
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.insights.completeness import MeterCompleteness, completeness
from cloud.kit.errors import NotFoundError
from cloud.web.frame import Frame, chosen, communities_of
from common.civil import Period, civil_day
from common.ids import BuildingId, MeterId, PremisesId

Reader = Annotated[Caller, Depends(require(Permission.MANAGE_FLEET))]
OUTSIDE = "outside"
DAYS_LOOKED_BACK = 7
DAYS_CURRENT = 2
_DAY = timedelta(days=1)
_ROOM = re.compile(r"(?:.*-)?0*([1-9][0-9]{0,2})[0-9]{2}", re.ASCII)


class ReadingState(StrEnum):
    """How long ago a meter was last read."""

    CURRENT = "current"
    OLD = "old"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMeter:
    """A meter in its place: its state, the room or nothing for the public area, and the wire it hangs on."""

    meter: InstalledMeter
    state: ReadingState
    room: str
    last_milli: int | None
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A wire of a gateway with the meters of this community behind it, and how many of them are not current."""

    gateway_id: UUID
    gateway: str
    wire: str
    address: str
    meters: int
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wing:
    """A building on the plan, or what stands outside of all of them: how many meters, and how many are not current."""

    key: str
    name: str
    meters: int
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the page is made of, before one building is chosen."""

    buildings: Sequence[Building]
    places: Mapping[PremisesId, Premises]
    meters: Sequence[PlannedMeter]
    lines: Sequence[Line]


def add_pages(router: APIRouter, frame: Frame) -> None:
    """Add the plan to the pages of meters."""

    @router.get("/site-plan")
    async def plan(
        request: Request,
        caller: Reader,
        community: Annotated[str | None, Query(max_length=80)] = None,
        building: Annotated[str | None, Query(max_length=80)] = None,
    ) -> Response:
        """Show one building floor by floor, and every line of the community."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.MANAGE_FLEET)
            one = chosen(communities, community)
            today = civil_day(frame.now(), one.zone)
            days = Period(today - timedelta(days=DAYS_LOOKED_BACK - 1), today + _DAY)
            placed = await fleet.installed_meters(session, one.id, Period(today, today + _DAY))
            found = await completeness(session, one.id, one.zone_name, [meter.meter_id for meter in placed], days)
            site = await _site(session, placed, found, await estate.buildings(session, one.id))
        wings = _wings(site)
        wing = next((one for one in wings if building in (None, one.key)), None)
        if wing is None and building is not None:
            raise NotFoundError("there is no such building here")
        return frame.page(
            request,
            "manager/site_plan.html",
            caller=caller,
            communities=communities,
            community=one,
            wings=wings,
            wing=wing,
            floors=() if wing is None else _floors(site, wing.key),
            lines=site.lines,
        )


def floor_of(label: str) -> int | None:
    """Return the floor that a printed label tells, or None: 1-2-301 and 301 are on the third, B1-07 tells none."""
    found = _ROOM.fullmatch(label)
    return None if found is None else int(found[1])


def state_of(found: MeterCompleteness) -> ReadingState:
    """Return how long ago a meter was last read, by its days, oldest first."""
    read = [one.count > 0 or one.by_hand for one in found.days]
    if any(read[-DAYS_CURRENT:]):
        return ReadingState.CURRENT
    return ReadingState.OLD if any(read) else ReadingState.NEVER


async def _site(
    session: AsyncSession,
    placed: Sequence[InstalledMeter],
    found: Sequence[MeterCompleteness],
    buildings: Sequence[Building],
) -> Site:
    states = {MeterId(one.meter_id): one for one in found}
    places = {}
    if placed:
        day = found[0].days[-1].day
        places = {one.id: one for one in await estate.premises_in(session, placed[0].community_id, day=day)}
    wires = await _wires(session)
    meters = []
    for meter in placed:
        told, room = states[meter.meter_id], None if meter.premises_id is None else places.get(meter.premises_id)
        gateway, wire = wires.get(str(meter.meter_id), (None, {}))
        meters.append(
            PlannedMeter(
                meter=meter,
                state=state_of(told),
                room="" if room is None else room.label,
                last_milli=told.last_milli,
                line="" if gateway is None else f"{gateway.label} / {wire.get('wire', '')}",
            )
        )
    return Site(buildings=buildings, places=places, meters=meters, lines=_lines(wires, meters))


Wires = Mapping[str, tuple[Gateway, Mapping[str, object]]]


async def _wires(session: AsyncSession) -> Wires:
    """Return the gateway and the wire of each meter, by its id, as the configurations in force have them."""
    found: dict[str, tuple[Gateway, Mapping[str, object]]] = {}
    for gateway in await fleet.gateways(session):
        if gateway.state is GatewayState.RETIRED:
            continue
        _, body = await rollout.site(session, gateway.gateway_id)
        wires = {str(wire.get("wire")): wire for wire in body.get("wires", ())}
        for device in body.get("devices", ()):
            found[str(device.get("meter_id"))] = (gateway, wires.get(str(device.get("wire")), {}))
    return found


def _lines(wires: Wires, meters: Sequence[PlannedMeter]) -> list[Line]:
    behind: dict[tuple[str, UUID, str, str], list[PlannedMeter]] = {}
    for one in meters:
        gateway, wire = wires.get(str(one.meter.meter_id), (None, {}))
        if gateway is not None:
            key = (gateway.label, gateway.gateway_id, str(wire.get("wire", "")), str(wire.get("address", "")))
            behind.setdefault(key, []).append(one)
    return [
        Line(
            gateway_id=gateway_id,
            gateway=label,
            wire=wire,
            address=address,
            meters=len(hanging),
            behind=_behind(hanging),
        )
        for (label, gateway_id, wire, address), hanging in sorted(behind.items())
    ]


def _behind(meters: Sequence[PlannedMeter]) -> int:
    return sum(one.state is not ReadingState.CURRENT for one in meters)


def _wings(site: Site) -> list[Wing]:
    """Return the buildings that have meters, those with trouble first, and what stands outside of all of them."""
    names = [(str(one.id), one.name) for one in site.buildings] + [(OUTSIDE, "")]
    wings = []
    for key, name in names:
        inside = [one for one in site.meters if _key(site, one) == key]
        if inside:
            wings.append(Wing(key=key, name=name, meters=len(inside), behind=_behind(inside)))
    return sorted(wings, key=lambda wing: wing.behind == 0)


def _key(site: Site, one: PlannedMeter) -> str:
    place = None if one.meter.premises_id is None else site.places.get(one.meter.premises_id)
    building: BuildingId | None = None if place is None else place.building_id
    return OUTSIDE if building is None else str(building)


def _floors(site: Site, key: str) -> list[tuple[int | None, list[PlannedMeter]]]:
    """Return the floors of a building from the top down, and what tells no floor last."""
    floors: dict[int | None, list[PlannedMeter]] = {}
    for one in site.meters:
        if _key(site, one) == key:
            floors.setdefault(floor_of(one.room), []).append(one)
    ordered = sorted(floors.items(), key=lambda item: (item[0] is None, -(item[0] or 0)))
    return [(floor, sorted(meters, key=lambda one: (one.room, one.meter.serial))) for floor, meters in ordered]
