"""Many meters at once are checked and recorded like one."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from cloud.estate import service as estate
from cloud.fleet import intake
from cloud.fleet import service as fleet
from cloud.fleet.values import NewMeter, NewPlace
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError, NotFoundError
from common.civil import Period
from common.ids import CommunityId, MeterId, TenantId
from common.reading.reading import Resource

OPENING = date(2026, 1, 10)
JANUARY = Period(date(2026, 1, 1), date(2026, 2, 1))


@pytest.fixture
async def community(database: Database, tenant: TenantId, actor: Actor) -> CommunityId:
    async with database.unit(tenant, actor) as unit:
        return await estate.create_community(unit, code="c1", name="东湖花园", starts=date(2020, 1, 1))


def placed(meter_id: MeterId, community_id: CommunityId, start: date = OPENING) -> NewPlace:
    return NewPlace(meter_id=meter_id, community_id=community_id, premises_id=None, start=start)


async def test_meters_are_added_and_placed_in_the_order_given(
    database: Database, tenant: TenantId, actor: Actor, community: CommunityId
) -> None:
    nameplates = [NewMeter(serial=f"{n:012}", resource=Resource.WATER) for n in range(20)]
    async with database.unit(tenant, actor) as unit:
        ids = await intake.add_meters(unit, nameplates)
        await intake.install_meters(unit, [placed(meter_id, community) for meter_id in ids])
    async with database.view(tenant) as session:
        found = await fleet.installed_meters(session, community, JANUARY)
    assert [(meter.serial, meter.meter_id) for meter in found] == [
        (new.serial, meter_id) for new, meter_id in zip(nameplates, ids, strict=True)
    ]


async def test_one_meter_that_cannot_be_placed_keeps_the_whole_list_out(
    database: Database, tenant: TenantId, actor: Actor, community: CommunityId
) -> None:
    async with database.unit(tenant, actor) as unit:
        first, second = await intake.add_meters(
            unit, [NewMeter(serial="1", resource=Resource.WATER), NewMeter(serial="2", resource=Resource.WATER)]
        )
        await intake.install_meters(unit, [placed(first, community)])
    unknown = MeterId(UUID(int=7))
    for places, refusal in (
        ([placed(second, community), placed(unknown, community)], NotFoundError),
        ([placed(second, community), placed(second, community)], ConflictError),
        ([placed(second, community), placed(first, community)], ConflictError),
    ):
        with pytest.raises(refusal):
            async with database.unit(tenant, actor) as unit:
                await intake.install_meters(unit, places)
    async with database.view(tenant) as session:
        assert [meter.serial for meter in await fleet.installed_meters(session, community, JANUARY)] == ["1"]
