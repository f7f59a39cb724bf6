"""Parking on the real database: a stay becomes a household's usage once, and what nobody is named for a case."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from cloud.fleet import service as fleet
from cloud.ingest.service import BatchRef, open_batch
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.kit.events import Event
from cloud.metering.events import ParkingReported
from cloud.metering.service import store_readings
from cloud.parking.events import PermitsChanged
from cloud.parking.kinds import Settlement, VehicleClass
from cloud.parking.service import PermitDraft, add_lot, end_permit, plate_sha, publish_permits
from cloud.parking.tables import ParkingSessionRow
from common.errors import RefusalError
from common.ids import CommunityId, PremisesId
from common.wire.bundle import BundleKind
from tests.cloud.parking.yard import PERSONAL, PLATE, STAY, Yard, act, permit
from tests.support.clock import SettableClock


async def stayed(yard: Yard, clock: SettableClock, **exit_facts: Any) -> tuple[BatchRef, BatchRef]:
    entered = clock.now()
    first = await yard.send(act("entry", 1, entered, entered), plates=(PERSONAL,))
    clock.advance(hours=3)
    return first, await yard.send(act("exit", 2, clock.now(), entered, **exit_facts))


async def test_a_stay_of_a_households_car_becomes_its_usage_once(yard: Yard, clock: SettableClock) -> None:
    await permit(yard)
    begun = clock.now()
    refs = await stayed(yard, clock)
    for ref in (*refs, *refs):
        await yard.take(ref)
    (usage,) = await yard.usages()
    assert (usage.session_id, usage.premises_id, usage.place) == (STAY, yard.flat, "north")
    assert (usage.started_at, usage.ended_at - usage.started_at) == (begun, timedelta(hours=3))
    assert [(one.gateway_id, one.epoch, one.sequence) for one in usage.sources] == [
        (ref.gateway_id, ref.epoch, ref.sequence) for ref in refs
    ]
    assert await yard.reasons() == []


async def test_an_exit_taken_before_its_entry_is_charged_when_the_entry_comes(yard: Yard, clock: SettableClock) -> None:
    await permit(yard)
    first, second = await stayed(yard, clock)
    await yard.take(second)
    assert await yard.usages() == ()
    assert await yard.reasons() == ["no_household"]
    await yard.take(first)
    assert len(await yard.usages()) == 1
    assert await yard.reasons() == []


@pytest.mark.parametrize(
    ("charge", "lots"), [(False, ()), (True, ("south",))], ids=["a permit that charges nobody", "for another lot"]
)
async def test_a_stay_that_no_permit_gives_a_household_is_a_case(
    yard: Yard, clock: SettableClock, *, charge: bool, lots: tuple[str, ...]
) -> None:
    await permit(yard, charge=charge, lots=lots)
    for ref in await stayed(yard, clock):
        await yard.take(ref)
    assert await yard.usages() == ()
    assert await yard.reasons() == ["no_household"]


async def test_a_car_let_go_unpaid_is_a_case_and_a_paid_one_is_not(yard: Yard, clock: SettableClock) -> None:
    for ref in await stayed(yard, clock, reason="unpaid_let_go", quote_fen=15_00):
        await yard.take(ref)
    assert await yard.reasons() == ["unpaid_stay"]
    async with yard.database.view(yard.tenant) as session:
        stay = (await session.execute(select(ParkingSessionRow))).scalar_one()
    assert (stay.settlement, stay.quote_fen) == (Settlement.UNPAID, 15_00)


async def test_a_car_that_was_never_seen_to_enter_is_a_case(yard: Yard, clock: SettableClock) -> None:
    await permit(yard)
    await yard.take(await yard.send(act("exit", 2, clock.now(), None), plates=(PERSONAL,)))
    assert await yard.reasons() == ["no_entry"]


async def test_acts_at_an_unknown_lot_raise_an_alarm(yard: Yard, clock: SettableClock) -> None:
    await yard.take(await yard.send(act("entry", 1, clock.now(), clock.now(), lot="east")))
    assert await yard.reasons() == ["unknown_lot"]


async def test_no_plate_is_kept_outside_the_personal_lane(yard: Yard, clock: SettableClock) -> None:
    await permit(yard)
    for ref in await stayed(yard, clock):
        await yard.take(ref)
    tables = ("parking_event", "parking_session", "parking_permit", "usage_session", "audit", "open_case")
    async with yard.database.view(yard.tenant) as session:
        for table in tables:
            rows = (await session.execute(text(f"select row_to_json(t)::text from {table} t"))).scalars().all()  # noqa: S608 - names of our own
            assert all(PLATE not in row for row in rows)


async def test_metering_says_when_a_batch_holds_acts(yard: Yard, clock: SettableClock, published: list[Event]) -> None:
    ref = await yard.send(act("entry", 1, clock.now(), clock.now()))
    async with yard.database.unit(yard.tenant, yard.actor) as unit:
        await store_readings(unit, await open_batch(unit.session, ref), {})
    assert [one.sequence for one in published if isinstance(one, ParkingReported)] == [1]


async def test_a_permit_is_told_to_the_gateway_of_the_lot(yard: Yard, published: list[Event]) -> None:
    await permit(yard)
    told = [one.gateway_id for one in published if isinstance(one, PermitsChanged)]
    assert told == [yard.gateway.gateway_id]
    async with yard.database.unit(yard.tenant, yard.actor) as unit:
        await publish_permits(unit, yard.gateway.gateway_id)
        bundles = await fleet.newer_bundles(unit.session, yard.gateway.gateway_id, {}, unit.now)
    (body,) = [bundle.body for bundle in bundles if bundle.kind is BundleKind.PERMITS]
    (sent,) = body["permits"]
    assert (sent["plate_sha"], sent["charge_to_account"]) == (plate_sha(PLATE), True)
    assert PLATE not in json.dumps(sent, ensure_ascii=False)


async def test_a_lot_has_a_name_of_its_own(yard: Yard) -> None:
    with pytest.raises(ConflictError):
        async with yard.database.unit(yard.tenant, yard.actor) as unit:
            await add_lot(unit, yard.community, lot="north", gateway_id=yard.gateway.gateway_id, spaces=None)


@pytest.mark.parametrize(
    "broken",
    [{"plate": " "}, {"valid_to": datetime(2024, 1, 1, tzinfo=UTC)}, {"premises_id": None}],
    ids=["no plate", "ends before it begins", "charges nobody"],
)
def test_a_broken_permit_is_refused(broken: dict[str, Any]) -> None:
    whole: dict[str, Any] = {
        "community_id": CommunityId(UUID(int=1)),
        "plate": PLATE,
        "vehicle_class": VehicleClass.TEMPORARY,
        "premises_id": PremisesId(UUID(int=2)),
        "charge_to_account": True,
        "valid_from": datetime(2025, 1, 1, tzinfo=UTC),
        "valid_to": datetime(2030, 1, 1, tzinfo=UTC),
    }
    with pytest.raises(RefusalError):
        PermitDraft(**(whole | broken))


async def test_a_permit_that_is_ended_is_told_and_no_longer_pays(
    yard: Yard, clock: SettableClock, published: list[Event]
) -> None:
    permit_id = await permit(yard)
    async with yard.database.unit(yard.tenant, yard.actor) as unit:
        await end_permit(unit, yard.community, permit_id, clock.now() + timedelta(hours=1))
        await end_permit(unit, yard.community, permit_id, clock.now() + timedelta(hours=2))
    assert len([one for one in published if isinstance(one, PermitsChanged)]) == 2
    for ref in await stayed(yard, clock):
        await yard.take(ref)
    assert await yard.reasons() == ["no_household"]
    with pytest.raises(NotFoundError):
        async with yard.database.unit(yard.tenant, yard.actor) as unit:
            await end_permit(unit, yard.community, UUID(int=5), clock.now())


async def test_the_minutes_of_a_coupon_go_with_the_usage_and_to_the_gate(yard: Yard, clock: SettableClock) -> None:
    await permit(yard, granted_minutes=120)
    for ref in await stayed(yard, clock):
        await yard.take(ref)
    (usage,) = await yard.usages()
    assert usage.facts["granted_minutes"] == 120
    async with yard.database.unit(yard.tenant, yard.actor) as unit:
        await publish_permits(unit, yard.gateway.gateway_id)
        bundles = await fleet.newer_bundles(unit.session, yard.gateway.gateway_id, {}, unit.now)
    (body,) = [bundle.body for bundle in bundles if bundle.kind is BundleKind.PERMITS]
    assert body["permits"][0]["granted_minutes"] == 120


async def test_an_exit_that_nobody_saw_is_a_case(yard: Yard, clock: SettableClock) -> None:
    entered = clock.now()
    await yard.take(await yard.send(act("entry", 1, entered, entered), plates=(PERSONAL,)))
    clock.advance(hours=20)
    lost = act("void", 2, clock.now(), entered, decision="hold", reason="lost_exit")
    await yard.take(await yard.send(lost))
    assert await yard.reasons() == ["lost_exit"]
