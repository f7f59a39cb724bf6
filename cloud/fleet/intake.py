"""Many at once: meters and their places taken in with a few statements, whatever their number.

The use cases of `service.py` for one meter are these with a list of one, so both ways check and record the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from cloud.estate import service as estate
from cloud.fleet import repository
from cloud.fleet.tables import MeterInstallationRow, MeterRow
from cloud.fleet.values import NewMeter, NewPlace
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from common.ids import MeterId


async def add_meters(unit: Unit, news: Sequence[NewMeter]) -> list[MeterId]:
    """Add meters by their nameplates and return their ids in order."""
    rows = [
        MeterRow(
            tenant_id=unit.tenant,
            meter_id=MeterId(unit.new_id()),
            serial=new.serial,
            kind=new.kind,
            resource=new.resource,
            model=new.model,
            digits=new.digits,
            multiplier_milli=new.multiplier_milli,
            created_at=unit.now,
        )
        for new in news
    ]
    unit.session.add_all(rows)
    for row in rows:
        unit.record("added", "meter", row.meter_id, after={"serial": row.serial, "resource": str(row.resource)})
    return [row.meter_id for row in rows]


async def install_meters(unit: Unit, places: Sequence[NewPlace]) -> None:
    """Let meters count from a civil day on, each at most once in a call; an earlier place ends that day.

    Raises:
        NotFoundError: the company has no such meter or community.
        ConflictError: a meter stands twice, or was placed on or after that day already.
    """
    ids = {place.meter_id for place in places}
    if len(ids) != len(places):
        raise ConflictError("a meter stands twice; give it one place at a time")
    known = {row.meter_id for row in await repository.locked_meters(unit.session, ids)}
    for community_id in {place.community_id for place in places}:
        await estate.community(unit.session, community_id)
    open_places = {row.meter_id: row for row in await repository.open_installations(unit.session, ids)}
    for place in places:
        if place.meter_id not in known:
            raise NotFoundError(f"there is no meter {place.meter_id}")
        before = open_places.get(place.meter_id)
        if before is not None:
            if before.starts >= place.start:
                raise ConflictError(f"the meter counts elsewhere since {before.starts}; choose a later day")
            before.ends = place.start
    await unit.session.flush()
    for place in places:
        installation_id = unit.new_id()
        unit.session.add(
            MeterInstallationRow(
                tenant_id=unit.tenant,
                community_id=place.community_id,
                installation_id=installation_id,
                meter_id=place.meter_id,
                premises_id=place.premises_id,
                parent_meter_id=place.parent_meter_id,
                starts=place.start,
                ends=None,
            )
        )
        after = {"installation_id": str(installation_id), "start": str(place.start)}
        unit.record("installed", "meter", place.meter_id, after=after)
