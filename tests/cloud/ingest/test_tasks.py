"""What a stored batch says about bundles and health reaches the fleet, once."""

from __future__ import annotations

from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from cloud.fleet import service as fleet
from cloud.ingest import service, tasks
from cloud.ingest.events import BatchStored
from cloud.ingest.service import BatchRef
from cloud.kit.actor import system_actor
from cloud.kit.db import Database
from cloud.kit.events import Routes
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobMetrics, Runner
from common.ids import TenantId
from common.wire.batch import PersonalItem
from common.wire.records import BundleEffect, Health
from tests.cloud.ingest.conftest import Post
from tests.support.clock import SettableClock
from tests.support.gateway import PaperGateway


@pytest.fixture
def routes() -> Routes:
    return {BatchStored: (tasks.reports_job,)}


async def test_reports_of_a_batch_reach_the_fleet(
    post: Post, worker_database: Database, tenant: TenantId, gateway: PaperGateway
) -> None:
    batch = gateway.seal(
        BundleEffect(kind="site", version=3, effect="good", detail=""),
        Health(counters={"timeouts": 1}),
        Health(counters={"timeouts": 2}),
    )
    await post(batch)
    await post(batch)
    runner = Runner(
        database=worker_database,
        handlers={tasks.NOTE_REPORTS: tasks.note_reports},
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
    )
    assert await runner.drain() == 1
    async with worker_database.view(tenant) as session:
        (effect,) = await fleet.bundle_effects(session, gateway.gateway_id)
        (known,) = await fleet.gateways(session)
    assert (effect.kind, effect.version, effect.effect) == ("site", 3, "good")
    assert known.counters == {"timeouts": 2}


async def test_personal_bodies_of_a_forgotten_class_are_kept_the_shortest_time(
    post: Post, worker_database: Database, tenant: TenantId, gateway: PaperGateway, clock: SettableClock
) -> None:
    plates = tuple(
        PersonalItem(item_id=UUID(int=number), retention=retention, kind="plate", value="沪A12345")
        for number, retention in enumerate(["parking", "access", "nobody thought of"])
    )
    await post(gateway.seal(plates=plates))
    runner = Runner(
        database=worker_database,
        handlers={tasks.NOTE_REPORTS: tasks.note_reports, tasks.EXPIRE_PERSONAL: tasks.expire_personal},
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
    )
    kept = []
    for days in (31, 60):
        clock.advance(days=days)
        async with worker_database.unit(tenant, system_actor("schedule")) as unit:
            unit.enqueue(NewJob(kind=tasks.EXPIRE_PERSONAL, key=f"expiry {days}"))
            unit.record("enqueued", "job", unit.new_id())
        await runner.drain()
        async with worker_database.view(tenant) as session:
            ref = BatchRef(gateway_id=gateway.gateway_id, epoch=77, sequence=1)
            kept.append([item.retention for item in await service.personal_items(session, ref)])
    assert kept == [["parking"], []]
