"""From a sealed batch to blocks, cases and stays by jobs alone, each once."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import func, select, text

from cloud.cases import service as cases
from cloud.cases import tasks as case_tasks
from cloud.estate import service as estate
from cloud.fleet import enrolment
from cloud.fleet import service as fleet
from cloud.ingest.events import BatchStored, EpochOpened, HistoryForked
from cloud.ingest.service import Ingest
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.events import Routes
from cloud.kit.runner import JobMetrics, Runner
from cloud.metering import tasks
from cloud.metering.events import OddityFound
from cloud.metering.service import watermarks
from cloud.metering.tables import MeterDayBlockRow
from common.ids import GatewayId, MeterId, TenantId
from common.reading.reading import Resource
from common.wire.records import AnomalyNote
from common.wire.refusal import Refusal
from common.wire.requests import EnrolmentRequest
from common.wire.signing import SigningKey
from tests.support.clock import SettableClock
from tests.support.gateway import PaperGateway

CLOUD_KEY = SigningKey(b"c" * 32)
STRANGER = MeterId(UUID(int=0xBAD))


@pytest.fixture
def routes() -> Routes:
    return {
        BatchStored: (tasks.job_of,),
        OddityFound: (case_tasks.job_of,),
        EpochOpened: (case_tasks.job_of_new_epoch,),
        HistoryForked: (case_tasks.job_of_fork,),
    }


async def gateway_of(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> tuple[PaperGateway, MeterId]:
    key = SigningKey(b"g" * 32)
    async with database.unit(tenant, actor) as unit:
        community = await estate.create_community(unit, code="lake", name="湖畔", starts=date(2026, 1, 1))
        meter = await fleet.add_meter(unit, serial="E1", resource=Resource.ELECTRICITY)
        await unit.session.flush()
        await fleet.install_meter(
            unit, meter_id=meter, community_id=community, premises_id=None, start=date(2026, 1, 1)
        )
        gateway_id, code = await fleet.create_gateway(unit, label="one")
    async with database.unit(tenant, actor) as unit:
        request = EnrolmentRequest(code=code, public_key=key.public_key, epoch=77, hardware="")
        await enrolment.enrol(unit, request, {CLOUD_KEY.key_id: CLOUD_KEY.public_key})
    return PaperGateway(gateway_id=gateway_id, key=key, clock=clock), meter


async def drain(database: Database) -> int:
    handlers = {tasks.UNPACK_BATCH: tasks.unpack_batch, case_tasks.OPEN_CASE: case_tasks.open_case}
    runner = Runner(database=database, handlers=handlers, metrics=JobMetrics(CollectorRegistry()), name="worker")
    return await runner.drain()


async def test_a_sealed_batch_becomes_blocks_and_its_oddities_cases(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    gateway, meter = await gateway_of(database, tenant, actor, clock)
    note = AnomalyNote(
        meter_id=meter, quantity="energy_forward", rule="jump", slot_ms=0, value_milli=9_000, limit_milli=2_000
    )
    ingest = Ingest(database, CLOUD_KEY)
    body = gateway.seal(note, meters=(meter, STRANGER))
    for _ in range(2):
        await ingest.take(body)
    assert await drain(worker_database) == 3
    assert await drain(worker_database) == 0
    async with database.view(tenant) as session:
        counts = (await session.execute(select(func.sum(MeterDayBlockRow.count)))).scalar_one()
        assert counts == 4
        assert await watermarks(session, [gateway.gateway_id]) == {gateway.gateway_id: clock.now()}
        reasons = {one.reason for one in await cases.open_cases(session)}
        failed = (await session.execute(text("select count(*) from job where state <> 'done'"))).scalar_one()
    assert reasons == {"unknown_meter", "jump"}
    assert failed == 0


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (
            EpochOpened(tenant=TenantId(UUID(int=1)), gateway_id=GatewayId(UUID(int=2)), epoch=5, previous_epoch=4),
            "new_store_epoch",
        ),
        (
            HistoryForked(
                tenant=TenantId(UUID(int=1)),
                gateway_id=GatewayId(UUID(int=2)),
                epoch=5,
                sequence=9,
                reason=next(iter(Refusal)),
            ),
            "history_forked",
        ),
    ],
)
async def test_what_ingest_finds_odd_about_a_gateway_becomes_one_alarm(
    database: Database,
    worker_database: Database,
    tenant: TenantId,
    actor: Actor,
    event: EpochOpened | HistoryForked,
    reason: str,
) -> None:
    for _ in range(2):
        async with database.unit(tenant, actor) as unit:
            unit.publish(event)
    assert await drain(worker_database) == 1
    async with database.view(tenant) as session:
        (found,) = await cases.open_cases(session)
    assert (found.reason, found.kind, found.object_id) == (reason, "alarm", UUID(int=2))
