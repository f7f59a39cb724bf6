"""Parking on the real database: a stay becomes a household's usage once, and what nobody is named for a case."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import select, text

from cloud.cases import service as cases
from cloud.estate import service as estate
from cloud.estate.kinds import PremisesKind
from cloud.estate.values import NewPremises
from cloud.fleet import enrolment
from cloud.fleet import service as fleet
from cloud.ingest.service import BatchRef, Ingest, open_batch
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError
from cloud.kit.events import Event
from cloud.metering.claims import unclaimed_sessions
from cloud.metering.events import ParkingReported
from cloud.metering.service import store_readings
from cloud.metering.sessions import UsageSession
from cloud.parking.events import PermitsChanged
from cloud.parking.kinds import Settlement, VehicleClass
from cloud.parking.service import PermitDraft, add_lot, give_permit, plate_sha, publish_permits, take_acts
from cloud.parking.tables import ParkingSessionRow
from common.clock import to_epoch_ms
from common.errors import RefusalError
from common.ids import CommunityId, PremisesId, TenantId
from common.wire.batch import PersonalItem
from common.wire.bundle import BundleKind
from common.wire.records import ParkingEvent
from common.wire.requests import EnrolmentRequest
from common.wire.signing import SigningKey
from tests.support.clock import SettableClock
from tests.support.gateway import PaperGateway

CLOUD_KEY = SigningKey(b"c" * 32)
PLATE = "沪A12345"
VEHICLE, STAY = UUID(int=0x11), UUID(int=0x22)
PERSONAL = PersonalItem(item_id=VEHICLE, retention="parking", kind="plate", value=PLATE)
AFTERWARDS = date(2027, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Yard:
    """A lot with its gateway and a flat whose car parks there."""

    database: Database
    tenant: TenantId
    actor: Actor
    community: CommunityId
    flat: PremisesId
    gateway: PaperGateway

    async def send(self, *acts: ParkingEvent, plates: tuple[PersonalItem, ...] = ()) -> BatchRef:
        """Seal and ingest a batch of acts."""
        await Ingest(self.database, CLOUD_KEY).take(self.gateway.seal(*acts, plates=plates))
        sequence = len(self.gateway.sealed)
        return BatchRef(gateway_id=self.gateway.gateway_id, epoch=self.gateway.epoch, sequence=sequence)

    async def take(self, ref: BatchRef) -> None:
        """Take the acts of a batch."""
        async with self.database.unit(self.tenant, self.actor) as unit:
            await take_acts(unit, await open_batch(unit.session, ref))

    async def usages(self) -> tuple[UsageSession, ...]:
        """Return what is to be billed."""
        async with self.database.view(self.tenant) as session:
            return await unclaimed_sessions(session, self.community, AFTERWARDS)

    async def reasons(self) -> list[str]:
        """Return the reasons of the open cases."""
        async with self.database.view(self.tenant) as session:
            return [one.reason for one in await cases.open_cases(session)]


@pytest_asyncio.fixture
async def yard(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Yard:
    key = SigningKey(b"g" * 32)
    async with database.unit(tenant, actor) as unit:
        community = await estate.create_community(unit, code="lake", name="湖畔", starts=date(2026, 1, 1))
        new = NewPremises(label="1-1-101", kind=PremisesKind.RESIDENCE, effective_from=date(2026, 1, 1))
        flat = await estate.add_premises(unit, community, new)
        gateway_id, code = await fleet.create_gateway(unit, label="gate")
        await unit.session.flush()
        await add_lot(unit, community, lot="north", gateway_id=gateway_id, spaces=40)
    async with database.unit(tenant, actor) as unit:
        request = EnrolmentRequest(code=code, public_key=key.public_key, epoch=77, hardware="")
        await enrolment.enrol(unit, request, {CLOUD_KEY.key_id: CLOUD_KEY.public_key})
    gateway = PaperGateway(gateway_id=gateway_id, key=key, clock=clock)
    return Yard(database=database, tenant=tenant, actor=actor, community=community, flat=flat, gateway=gateway)


async def permit(yard: Yard, *, charge: bool = True, lots: tuple[str, ...] = ()) -> None:
    draft = PermitDraft(
        community_id=yard.community,
        plate=f" {PLATE.lower()} ",
        vehicle_class=VehicleClass.TEMPORARY,
        premises_id=yard.flat,
        charge_to_account=charge,
        lots=lots,
        valid_from=datetime(2025, 1, 1, tzinfo=UTC),
        valid_to=datetime(2030, 1, 1, tzinfo=UTC),
    )
    async with yard.database.unit(yard.tenant, yard.actor) as unit:
        await give_permit(unit, draft)


def act(what: str, number: int, at: datetime, entered: datetime | None, **facts: Any) -> ParkingEvent:
    base: dict[str, Any] = {
        "event_id": UUID(int=number),
        "lot": "north",
        "what": what,
        "session_id": STAY,
        "vehicle": VEHICLE,
        "vehicle_class": "temporary",
        "camera": "CAM-1",
        "camera_ms": to_epoch_ms(at),
        "decision": "open",
        "reason": "temporary" if what == "entry" else "to_account",
        "entered_ms": None if entered is None else to_epoch_ms(entered),
    }
    return ParkingEvent(**(base | facts))


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
