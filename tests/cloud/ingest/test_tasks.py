"""What a stored batch says about bundles and health reaches the fleet, once."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from cloud.fleet import service as fleet
from cloud.ingest import tasks
from cloud.ingest.events import BatchStored
from cloud.kit.db import Database
from cloud.kit.events import Routes
from cloud.kit.runner import JobMetrics, Runner
from common.ids import TenantId
from common.wire.records import BundleEffect, Health
from tests.cloud.ingest.conftest import Post
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
