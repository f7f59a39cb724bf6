"""The public area over HTTP: what its meters and the virtual ones counted hour by hour; definitions."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import MalformedError
from cloud.metering import public_use
from cloud.metering.hourly import NAME_LENGTH_MAX, PARTS_MAX, VirtualMeter, total
from cloud.metering.public_use import PublicDay
from cloud.metering.schemas import In
from common.civil import Period
from common.ids import CommunityId, MeterId
from common.reading.reading import Resource

Viewer = Annotated[Caller, Depends(require(Permission.SEE_FLEET))]
Definer = Annotated[Caller, Depends(require(Permission.CHANGE_TARIFFS))]
Parts = Annotated[list[UUID], Field(max_length=PARTS_MAX)]


class VirtualIn(In):
    """What a virtual meter is made of from a day on."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX)]
    resource: Resource
    effective_from: date
    plus: Annotated[Parts, Field(min_length=1)]
    minus: Parts = Field(default_factory=list)

    def value(self, community_id: CommunityId, virtual_id: UUID) -> VirtualMeter:
        """Return the definition as a value."""
        return VirtualMeter(
            community_id=community_id,
            virtual_id=virtual_id,
            name=self.name,
            resource=self.resource,
            effective_from=self.effective_from,
            plus=frozenset(MeterId(part) for part in self.plus),
            minus=frozenset(MeterId(part) for part in self.minus),
        )


class VirtualOut(BaseModel):
    """A definition of a virtual meter."""

    virtual_id: UUID
    name: str
    resource: Resource
    effective_from: date
    plus: list[UUID]
    minus: list[UUID]

    @classmethod
    def of(cls, one: VirtualMeter) -> VirtualOut:
        """Return what is answered for a definition."""
        return cls(
            virtual_id=one.virtual_id,
            name=one.name,
            resource=one.resource,
            effective_from=one.effective_from,
            plus=sorted(one.plus),
            minus=sorted(one.minus),
        )


class PublicDayOut(BaseModel):
    """The hours of a day of one meter in milli-units; null where a register is not known."""

    meter_id: UUID
    name: str
    virtual: bool
    resource: Resource
    day: date
    hours_milli: list[int | None]
    total_milli: int | None

    @classmethod
    def of(cls, one: PublicDay) -> PublicDayOut:
        """Return what is answered for a day."""
        return cls(
            meter_id=one.meter_id,
            name=one.name,
            virtual=one.virtual,
            resource=one.resource,
            day=one.day,
            hours_milli=list(one.hours),
            total_milli=total(one.hours),
        )


def asked(start: date, end: date) -> Period:
    """Return the days asked for.

    Raises:
        MalformedError: there are none, or too many.
    """
    if not 0 < (end - start).days <= public_use.DAYS_MAX:
        raise MalformedError(f"ask for 1 to {public_use.DAYS_MAX} days; the end is not included")
    return Period(start, end)


def add_public_use(router: APIRouter, database: Database) -> None:
    """Add the endpoints of the public area to those of readings."""

    @router.get("/public-use")
    async def hours(community_id: UUID, caller: Viewer, start: date, end: date) -> list[PublicDayOut]:
        """Answer what the public area used, hour by hour."""
        days = asked(start, end)
        async with database.view(caller.tenant) as session:
            found = await public_use.public_use(session, CommunityId(community_id), days, database.clock.now())
        return [PublicDayOut.of(one) for one in found]

    @router.get("/virtual-meters")
    async def defined(community_id: UUID, caller: Viewer) -> list[VirtualOut]:
        """List the virtual meters, each definition with its day."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await public_use.defined(session, CommunityId(community_id))
        return [VirtualOut.of(one) for one in found]

    @router.put("/virtual-meters/{virtual_id}", status_code=HTTPStatus.NO_CONTENT)
    async def define(community_id: UUID, virtual_id: UUID, body: VirtualIn, caller: Definer) -> None:
        """Define a virtual meter from a day on; earlier days stay as they were."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await public_use.define(unit, body.value(CommunityId(community_id), virtual_id))
