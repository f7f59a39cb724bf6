"""A lot with its gateway and a flat whose car parks there, on the real database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from cloud.cases import service as cases
from cloud.estate import service as estate
from cloud.estate.kinds import PremisesKind
from cloud.estate.values import NewPremises
from cloud.fleet import enrolment
from cloud.fleet import service as fleet
from cloud.ingest.service import BatchRef, Ingest, open_batch
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.metering.claims import unclaimed_sessions
from cloud.metering.sessions import UsageSession
from cloud.parking.kinds import VehicleClass
from cloud.parking.service import PermitDraft, add_lot, give_permit, take_acts
from common.clock import to_epoch_ms
from common.ids import CommunityId, PremisesId, TenantId
from common.wire.batch import PersonalItem
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


async def open_yard(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Yard:
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


async def permit(yard: Yard, *, charge: bool = True, lots: tuple[str, ...] = (), granted_minutes: int = 0) -> UUID:
    draft = PermitDraft(
        community_id=yard.community,
        plate=f" {PLATE.lower()} ",
        vehicle_class=VehicleClass.TEMPORARY,
        premises_id=yard.flat,
        charge_to_account=charge,
        lots=lots,
        granted_minutes=granted_minutes,
        valid_from=datetime(2025, 1, 1, tzinfo=UTC),
        valid_to=datetime(2030, 1, 1, tzinfo=UTC),
    )
    async with yard.database.unit(yard.tenant, yard.actor) as unit:
        return await give_permit(unit, draft)


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
