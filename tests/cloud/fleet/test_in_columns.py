"""Meters of a range of premises in columns: each installation that touches the days, with its nameplate."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from cloud.estate import service as estate
from cloud.estate.in_columns import PremisesRange
from cloud.estate.kinds import PremisesKind
from cloud.estate.values import NewPremises
from cloud.fleet import service as fleet
from cloud.fleet.in_columns import RESOURCES, placed_meters
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.images import day_number, id_at
from common.civil import Period
from common.ids import TenantId
from common.reading.reading import Resource

START = date(2026, 1, 1)
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))


async def test_installations_come_with_multiplier_resource_and_days(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        community = await estate.create_community(unit, code="C", name="院", starts=START, zone="UTC")
        new = NewPremises(label="1", kind=PremisesKind.RESIDENCE, effective_from=START)
        flat = await estate.add_premises(unit, community, new)
        water = await fleet.add_meter(unit, serial="W", resource=Resource.WATER, multiplier_milli=10_000)
        public = await fleet.add_meter(unit, serial="P", resource=Resource.ELECTRICITY)
        late = await fleet.add_meter(unit, serial="L", resource=Resource.GAS)
        await unit.session.flush()
        for meter, premises, day in ((water, flat, START), (public, None, START), (late, flat, MARCH.end)):
            await fleet.install_meter(unit, meter_id=meter, community_id=community, premises_id=premises, start=day)
    async with database.view(tenant) as session:
        found = await placed_meters(session, PremisesRange.whole(community), MARCH)
        everywhere = await fleet.public_meters(session, community, MARCH)
        nowhere = PremisesRange(community_id=community, first=flat, last=flat)
        same = await placed_meters(session, nowhere, MARCH)
    assert [id_at(found["meter_id"], 0), id_at(found["premises_id"], 0)] == [water, UUID(str(flat))]
    assert len(found["meter_id"]) == len(same["meter_id"]) == 1
    assert RESOURCES[int(found["resource"][0]) - 1] is Resource.WATER
    assert int(found["multiplier_milli"][0]) == 10_000
    assert int(found["starts"][0]) == day_number(START)
    assert [one.meter_id for one in everywhere] == [public]
