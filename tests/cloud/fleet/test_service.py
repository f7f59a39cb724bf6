"""Meters and where they count, and what gateways report about themselves."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError, NotFoundError
from common.civil import Period
from common.ids import CommunityId, GatewayId, MeterId, TenantId
from common.reading.reading import Resource
from common.wire.records import BundleEffect, Health
from common.wire.stamp import ClockSource, Stamp

JANUARY = Period(date(2026, 1, 1), date(2026, 2, 1))
FEBRUARY = Period(date(2026, 2, 1), date(2026, 3, 1))


@pytest.fixture
async def community(database: Database, tenant: TenantId, actor: Actor) -> CommunityId:
    async with database.unit(tenant, actor) as unit:
        return await estate.create_community(unit, code="c1", name="东湖花园", starts=date(2020, 1, 1))


@pytest.fixture
async def meter(database: Database, tenant: TenantId, actor: Actor) -> MeterId:
    async with database.unit(tenant, actor) as unit:
        return await fleet.add_meter(
            unit, serial="202601010001", resource=Resource.ELECTRICITY, digits=6, multiplier_milli=60_000
        )


async def test_a_meter_counts_for_the_public_area_from_a_day_on(
    database: Database, tenant: TenantId, actor: Actor, community: CommunityId, meter: MeterId
) -> None:
    async with database.unit(tenant, actor) as unit:
        await fleet.install_meter(
            unit, meter_id=meter, community_id=community, premises_id=None, start=date(2026, 1, 10)
        )
    async with database.view(tenant) as session:
        (placed,) = await fleet.installed_meters(session, community, JANUARY)
        before = await fleet.installed_meters(session, community, Period(date(2026, 1, 1), date(2026, 1, 10)))
        homes = await fleet.meter_communities(session, [meter, MeterId(UUID(int=1))])
        plates = await fleet.meters(session, [meter])
    assert (placed.serial, placed.premises_id, placed.multiplier_milli, placed.digits) == (
        "202601010001",
        None,
        60_000,
        6,
    )
    assert (placed.start, placed.end) == (date(2026, 1, 10), None)
    assert before == []
    assert homes == {meter: community}
    assert plates[meter].resource is Resource.ELECTRICITY


async def test_a_meter_that_moves_counts_in_one_place_at_a_time(
    database: Database, tenant: TenantId, actor: Actor, community: CommunityId, meter: MeterId
) -> None:
    for start in (date(2026, 1, 1), date(2026, 1, 15)):
        async with database.unit(tenant, actor) as unit:
            await fleet.install_meter(unit, meter_id=meter, community_id=community, premises_id=None, start=start)
    async with database.unit(tenant, actor) as unit:
        await fleet.remove_meter(unit, community, meter, date(2026, 2, 1))
    async with database.view(tenant) as session:
        january = await fleet.installed_meters(session, community, JANUARY)
        february = await fleet.installed_meters(session, community, FEBRUARY)
    assert [(place.start, place.end) for place in january] == [
        (date(2026, 1, 1), date(2026, 1, 15)),
        (date(2026, 1, 15), date(2026, 2, 1)),
    ]
    assert february == []


async def test_a_place_cannot_begin_before_the_one_it_ends(
    database: Database, tenant: TenantId, actor: Actor, community: CommunityId, meter: MeterId
) -> None:
    async with database.unit(tenant, actor) as unit:
        await fleet.install_meter(
            unit, meter_id=meter, community_id=community, premises_id=None, start=date(2026, 1, 10)
        )
    for start in (date(2026, 1, 10), date(2026, 1, 9)):
        with pytest.raises(ConflictError, match="choose a later day"):
            async with database.unit(tenant, actor) as unit:
                await fleet.install_meter(unit, meter_id=meter, community_id=community, premises_id=None, start=start)
    with pytest.raises(ConflictError, match="choose a later day"):
        async with database.unit(tenant, actor) as unit:
            await fleet.remove_meter(unit, community, meter, date(2026, 1, 10))


async def test_what_is_unknown_is_not_found(
    database: Database, tenant: TenantId, actor: Actor, community: CommunityId
) -> None:
    with pytest.raises(NotFoundError, match="no meter"):
        async with database.unit(tenant, actor) as unit:
            await fleet.install_meter(
                unit,
                meter_id=MeterId(UUID(int=1)),
                community_id=community,
                premises_id=None,
                start=date(2026, 1, 1),
            )
    with pytest.raises(NotFoundError, match="no gateway"):
        async with database.unit(tenant, actor) as unit:
            await fleet.locked_gateway(unit.session, GatewayId(UUID(int=1)))


async def test_a_serial_names_one_meter_of_a_company(
    database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor, meter: MeterId
) -> None:
    del meter
    with pytest.raises(IntegrityError):
        async with database.unit(tenant, actor) as unit:
            await fleet.add_meter(unit, serial="202601010001", resource=Resource.WATER)
    async with database.unit(other_tenant, actor) as unit:
        await fleet.add_meter(unit, serial="202601010001", resource=Resource.WATER)


async def test_reports_are_kept_once_and_only_the_newest_health(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        gateway_id, _ = await fleet.create_gateway(unit, label="building 1")

    def stamp(at_ms: int) -> Stamp:
        return Stamp(boot_no=1, boot_ms=1, at_ms=at_ms, source=ClockSource.RTC, uncertainty_ms=1)

    effect = (3, stamp(1_000), BundleEffect(kind="site", version=2, effect="good", detail=""))
    for seq, at_ms, timeouts in ((4, 2_000, 7), (4, 2_000, 7), (2, 500, 1)):
        async with database.unit(tenant, actor) as unit:
            health = (seq, stamp(at_ms), Health(counters={"timeouts": timeouts}))
            await fleet.note_reports(unit, gateway_id, 77, [effect], health)
    async with database.view(tenant) as session:
        effects = await fleet.bundle_effects(session, gateway_id)
        (gateway,) = await fleet.gateways(session)
    assert [(one.kind, one.version, one.effect) for one in effects] == [("site", 2, "good")]
    assert gateway.counters == {"timeouts": 7}
