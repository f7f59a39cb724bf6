"""One flat behind one gateway, billed over the real stages: signed batch, unpacking, rating, run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from cloud.billing import runs, service, tracing
from cloud.billing.runs import RunRater
from cloud.billing.tracing import LineTrace
from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind, PartyKind, PremisesKind, Role
from cloud.estate.values import NewPremises
from cloud.fleet import enrolment
from cloud.fleet import service as fleet
from cloud.ingest.service import BatchRef, Ingest, open_batch
from cloud.kit.actor import Actor
from cloud.kit.db import Database, Unit
from cloud.metering.claims import record_session
from cloud.metering.service import store_readings
from cloud.metering.sessions import SessionKind, SessionSource, UsageSession
from cloud.metering.tasks import homes_of
from cloud.rating.service import rate_period
from cloud.tariffs import service as tariffs
from cloud.tariffs.assignment import Target, TargetKind
from cloud.tariffs.charge import ChargeBasis, ChargeItem, FundClass, Nature
from cloud.tariffs.service import AssignmentDraft, RevisionDraft
from common.civil import Period
from common.clock import to_epoch_ms
from common.ids import ChargeItemId, CommunityId, LegalEntityId, MeterId, PremisesId, TenantId
from common.reading.reading import Resource
from common.wire import codec
from common.wire.records import Evidence
from common.wire.requests import EnrolmentRequest
from common.wire.sequence import Outcome
from common.wire.signing import Purpose, SigningKey, sign
from tests.cloud.metering.building import at, column
from tests.cloud.rating.documents import Document, electricity, parking
from tests.support.clock import SettableClock
from tests.support.gateway import PaperGateway

JANUARY = Period(date(2026, 1, 1), date(2026, 2, 1))
CLOUD_KEY = SigningKey(b"c" * 32)
LOT = "north"
REQUEST, RESPONSE = b"\x68\x01", b"\x68\x91\x33"


@dataclass(frozen=True, kw_only=True)
class Lakeside:
    """One flat with one meter behind one gateway, billed for January."""

    database: Database
    tenant: TenantId
    actor: Actor
    community_id: CommunityId
    entity_id: LegalEntityId
    flat: PremisesId
    meter_id: MeterId
    gateway: PaperGateway

    async def traced(self, number: str) -> tuple[LineTrace, ...]:
        async with self.database.view(self.tenant) as session:
            return await tracing.trace_number(session, number)

    async def only_bill(self) -> str:
        async with self.database.view(self.tenant) as session:
            accounts = await service.accounts_of_premises(session, [self.flat])
            newest, *_ = await service.bills_of(session, [account.account_id for account in accounts])
        return newest.number


async def price(unit: Unit, community_id: CommunityId, entity_id: LegalEntityId) -> None:
    item = ChargeItem(
        charge_item_id=ChargeItemId(unit.new_id()),
        community_id=community_id,
        code="electricity",
        name_zh="电费",
        name_en="electricity",
        basis=ChargeBasis.METERED,
        resource=Resource.ELECTRICITY,
        nature=Nature.AGENCY,
        fund_class=FundClass.OPERATING,
        legal_entity_id=entity_id,
        tax_code="13%",
        tax_rate_micro=130_000,
        bears_late_charge=False,
    )
    await charge(unit, item, electricity(), Target(kind=TargetKind.COMMUNITY))
    stays = replace(
        item,
        charge_item_id=ChargeItemId(unit.new_id()),
        code="parking",
        name_zh="停车费",
        name_en="parking",
        basis=ChargeBasis.PARKING,
        resource=None,
        nature=Nature.REVENUE,
    )
    await charge(unit, stays, parking(), Target(kind=TargetKind.LOT, key=LOT))


async def charge(unit: Unit, item: ChargeItem, document: Document, target: Target) -> None:
    """Add a charge item with its price and what it is charged for."""
    await tariffs.add_charge_item(unit, item)
    tariff_id, _ = await tariffs.record_revision(
        unit,
        RevisionDraft(
            community_id=item.community_id,
            document=document,
            effective_from=JANUARY.start,
            basis_document="decision 1",
            decided_by="the owners",
        ),
    )
    await tariffs.assign(
        unit,
        AssignmentDraft(
            community_id=item.community_id,
            charge_item_id=item.charge_item_id,
            target=target,
            effective_from=JANUARY.start,
            tariff_id=tariff_id,
        ),
    )


async def park(lake: Lakeside, started: datetime, ended: datetime) -> None:
    """Let the flat's car stay; the batch of January told of it."""
    source = SessionSource(gateway_id=lake.gateway.gateway_id, epoch=77, sequence=1)
    async with lake.database.unit(lake.tenant, lake.actor) as unit:
        stay = UsageSession(
            session_id=unit.new_id(),
            community_id=lake.community_id,
            kind=SessionKind.PARKING,
            place=LOT,
            premises_id=lake.flat,
            started_at=started,
            ended_at=ended,
            ended_day=ended.date(),
            facts={"vehicle_class": "temporary"},
            sources=(source,),
        )
        await record_session(unit, stay)


async def build_lakeside(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Lakeside:
    key = SigningKey(b"g" * 32)
    async with database.unit(tenant, actor) as unit:
        entity = await estate.add_legal_entity(unit, kind=EntityKind.COMPANY, name="物业")
        community = await estate.create_community(unit, code="LAKE", name="湖畔", starts=JANUARY.start)
        flat = await estate.add_premises(
            unit,
            community,
            NewPremises(label="1-1-101", kind=PremisesKind.RESIDENCE, effective_from=JANUARY.start),
        )
        owner = await estate.add_party(unit, kind=PartyKind.ORGANISATION, name="甲")
        await estate.relate(unit, party_id=owner, premises_id=flat, role=Role.OWNER, starts=JANUARY.start)
        meter = await fleet.add_meter(unit, serial="E-7", resource=Resource.ELECTRICITY)
        await unit.session.flush()
        await fleet.install_meter(unit, meter_id=meter, community_id=community, premises_id=flat, start=JANUARY.start)
        await price(unit, community, entity)
        _, code = await fleet.create_gateway(unit, label="building 1")
    async with database.unit(tenant, actor) as unit:
        request = EnrolmentRequest(code=code, public_key=key.public_key, epoch=77, hardware="")
        gateway_id = await enrolment.enrol(unit, request, {CLOUD_KEY.key_id: CLOUD_KEY.public_key})
    return Lakeside(
        database=database,
        tenant=tenant,
        actor=actor,
        community_id=community,
        entity_id=entity,
        flat=flat,
        meter_id=meter,
        gateway=PaperGateway(gateway_id=gateway_id, key=key, clock=clock),
    )


async def send_january(lake: Lakeside, *, kilowatt_hours: int) -> bytes:
    """Let the gateway sign, the cloud take and unpack one batch with the registers of both midnights."""
    gateway = lake.gateway
    evidence = Evidence(
        meter_id=lake.meter_id,
        serial="E-7",
        slot_ms=to_epoch_ms(at(JANUARY.end)),
        profile="test@1",
        request=REQUEST,
        response=RESPONSE,
    )
    content = gateway.content((evidence,), (lake.meter_id,))
    daily = [kilowatt_hours * 1000 * day // JANUARY.days for day in range(JANUARY.days + 1)]
    whole = replace(content, columns=(column(0, at(JANUARY.start), daily),), rows=())
    signed = sign(gateway.key, Purpose.BATCH, codec.pack_content(whole))
    answer = await Ingest(lake.database, CLOUD_KEY).take(codec.pack_parcel(signed, []))
    assert answer.outcome is Outcome.STORED
    async with lake.database.unit(lake.tenant, lake.actor) as unit:
        stored = await open_batch(unit.session, BatchRef(gateway_id=gateway.gateway_id, epoch=77, sequence=1))
        await store_readings(unit, stored, await homes_of(unit.session, stored))
    return codec.Parcel(signed=signed).digest


async def bill_january(
    lake: Lakeside, worker_database: Database, clock: SettableClock, *, total_fen: int = 155_00
) -> str:
    """Send and bill the month, and return the number of the bill."""
    clock.set(datetime(2026, 2, 2, tzinfo=UTC))
    await send_january(lake, kilowatt_hours=310)
    async with lake.database.unit(lake.tenant, lake.actor) as unit:
        scope = await service.create_period(unit, lake.community_id, period=JANUARY, due_on=date(2026, 2, 15))
    async with worker_database.unit(lake.tenant, lake.actor) as unit:
        report = await runs.run_chunk(unit, RunRater(by_value=rate_period, known_at=clock.now()), scope, after=None)
    assert (report.issued, report.exceptions, report.total_fen) == (1, 0, total_fen)
    return await lake.only_bill()
