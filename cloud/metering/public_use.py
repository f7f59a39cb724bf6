"""The public area hour by hour: its meters and the virtual ones made of others, each day as it was defined then.

A virtual meter is defined from a day on; a later definition leaves earlier days as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.fleet import service as fleet
from cloud.fleet.values import InstalledMeter
from cloud.kit.db import Unit
from cloud.kit.errors import NotFoundError
from cloud.metering.hourly import HOURS, Hours, VirtualMeter, hours_of, virtual_hours
from cloud.metering.registers import BILLED_QUANTITY, IntervalQuestion
from cloud.metering.service import interval_book
from cloud.metering.tables import VirtualMeterRow
from common.civil import Period, days_of
from common.errors import RefusalError
from common.ids import CommunityId, MeterId
from common.reading.reading import Resource

DAYS_MAX = 31
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicDay:
    """What one meter of the public area, or a virtual one, counted on a day, hour by hour after the multiplier."""

    meter_id: UUID
    name: str
    virtual: bool
    resource: Resource
    day: date
    hours: Hours


async def define(unit: Unit, virtual: VirtualMeter) -> None:
    """Define a virtual meter from a day on; the same again writes nothing.

    Raises:
        NotFoundError: a part is no meter of the community on that day.
        RefusalError: a part counts another resource, or the meter was of another one before.
    """
    community = await estate.community(unit.session, virtual.community_id)
    days = Period(virtual.effective_from, virtual.effective_from + _ONE_DAY)
    placed = {one.meter_id: one for one in await fleet.installed_meters(unit.session, community.id, days)}
    if not virtual.parts <= placed.keys():
        raise NotFoundError(f"some of these are no meters of the community on {virtual.effective_from}")
    if {placed[part].resource for part in virtual.parts} != {virtual.resource}:
        raise RefusalError("a virtual meter is made of meters of its own resource")
    rows = [row for row in await _rows(unit.session, community.id) if row.virtual_id == virtual.virtual_id]
    if any(row.resource is not virtual.resource for row in rows):
        raise RefusalError("a virtual meter keeps its resource; define another one")
    same_day = [row for row in rows if row.effective_from == virtual.effective_from]
    if any(_virtual(row) == virtual for row in same_day):
        return
    rev = 1 + max((row.rev for row in same_day), default=0)
    unit.session.add(
        VirtualMeterRow(
            tenant_id=unit.tenant,
            community_id=community.id,
            virtual_id=virtual.virtual_id,
            effective_from=virtual.effective_from,
            rev=rev,
            name=virtual.name.strip(),
            resource=virtual.resource,
            plus=sorted(str(part) for part in virtual.plus),
            minus=sorted(str(part) for part in virtual.minus),
            decided_by=unit.actor.id,
            recorded_at=unit.now,
        )
    )
    after = {"from": virtual.effective_from.isoformat(), "parts": len(virtual.parts), "rev": rev}
    unit.record("defined", "virtual_meter", virtual.virtual_id, after=after)


async def defined(session: AsyncSession, community_id: CommunityId) -> tuple[VirtualMeter, ...]:
    """Return every definition in force of the virtual meters of a community, by name and day."""
    found = [_virtual(row) for row in await _rows(session, community_id)]
    return tuple(sorted(found, key=lambda one: (one.name, one.virtual_id, one.effective_from)))


async def public_use(
    session: AsyncSession, community_id: CommunityId, days: Period, known_at: datetime
) -> tuple[PublicDay, ...]:
    """Return what the meters of the public area and the virtual ones counted, hour by hour, by name and day.

    Raises:
        RefusalError: too many days are asked for.
    """
    if days.days > DAYS_MAX:
        raise RefusalError(f"ask for at most {DAYS_MAX} days")
    community = await estate.community(session, community_id)
    virtual = await defined(session, community_id)
    wanted = {part for one in virtual for part in one.parts}
    placed = [
        one
        for one in await fleet.installed_meters(session, community_id, days)
        if one.premises_id is None or one.meter_id in wanted
    ]
    if not placed:
        return ()
    hours = await _hours(session, community, placed, days, known_at)
    found = [
        PublicDay(
            meter_id=one.meter_id,
            name=one.serial,
            virtual=False,
            resource=one.resource,
            day=day,
            hours=hours[(one.meter_id, day)],
        )
        for one in placed
        if one.premises_id is None
        for day in days_of(days)
        if one.start <= day and (one.end is None or day < one.end)
    ]
    for day in days_of(days):
        known = {meter_id: counted for (meter_id, at), counted in hours.items() if at == day}
        found += [_virtual_day(one, day, virtual_hours(one, known)) for one in _in_force(virtual, day)]
    return tuple(sorted(found, key=lambda one: (not one.virtual, one.name, one.meter_id, one.day)))


async def _hours(
    session: AsyncSession,
    community: Community,
    placed: Sequence[InstalledMeter],
    days: Period,
    known_at: datetime,
) -> dict[tuple[MeterId, date], Hours]:
    question = IntervalQuestion(
        community_id=community.id,
        meters=frozenset(one.meter_id for one in placed),
        quantities=frozenset(BILLED_QUANTITY[one.resource] for one in placed),
        days=frozenset(days_of(Period(days.start, days.end + _ONE_DAY))),
        zone=community.zone,
        known_at=known_at,
        moments=HOURS,
    )
    book = await interval_book(session, question)
    return {
        (one.meter_id, day): tuple(hours_of(book, one, day, community.zone)) for one in placed for day in days_of(days)
    }


def _in_force(virtual: Sequence[VirtualMeter], day: date) -> list[VirtualMeter]:
    """Return the newest definition of each virtual meter that holds on a day."""
    newest: dict[UUID, VirtualMeter] = {}
    for one in sorted(virtual, key=lambda one: one.effective_from):
        if one.effective_from <= day:
            newest[one.virtual_id] = one
    return list(newest.values())


def _virtual_day(one: VirtualMeter, day: date, hours: Hours) -> PublicDay:
    return PublicDay(meter_id=one.virtual_id, name=one.name, virtual=True, resource=one.resource, day=day, hours=hours)


async def _rows(session: AsyncSession, community_id: CommunityId) -> Sequence[VirtualMeterRow]:
    statement = (
        select(VirtualMeterRow)
        .ext(distinct_on(VirtualMeterRow.virtual_id, VirtualMeterRow.effective_from))
        .where(VirtualMeterRow.community_id == community_id)
        .order_by(VirtualMeterRow.virtual_id, VirtualMeterRow.effective_from, VirtualMeterRow.rev.desc())
    )
    return (await session.execute(statement)).scalars().all()


def _virtual(row: VirtualMeterRow) -> VirtualMeter:
    return VirtualMeter(
        community_id=CommunityId(row.community_id),
        virtual_id=row.virtual_id,
        name=row.name,
        resource=row.resource,
        effective_from=row.effective_from,
        plus=frozenset(MeterId(UUID(part)) for part in row.plus),
        minus=frozenset(MeterId(UUID(part)) for part in row.minus),
    )
