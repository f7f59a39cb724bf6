"""Days are sealed by the worker once their open time is over, and again changes nothing."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import CollectorRegistry

from cloud.estate import service as estate
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobMetrics, Runner
from cloud.ledger import postings, repository, service, tasks
from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft
from cloud.tariffs.charge import FundClass
from common.ids import TenantId
from tests.cloud.ledger import builders as b
from tests.support.clock import SettableClock


async def test_the_worker_seals_days_whose_open_time_is_over(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    clock.advance(days=60)
    async with database.unit(tenant, actor) as unit:
        community_id = await estate.create_community(unit, code="lake", name="湖畔", starts=b.DAY)
        book = Book(community_id=community_id, legal_entity_id=b.COMPANY, fund_class=FundClass.OPERATING)
        into = postings.clearing(book, b.MERCHANT)
        draft = JournalDraft(
            idem_key="payment:1",
            kind="payment",
            community_id=community_id,
            business_date=b.DAY,
            document=DocumentRef(kind=DocumentKind.PAYMENT, document_id=b.MERCHANT),
            transfers=postings.payment_received(into, [], payer=b.ACCOUNT, ahead_fen=5),
        )
        await service.post(unit, draft)
        today = b.DAY + timedelta(days=10)
        for key in ("seal:1", "seal:2"):
            unit.enqueue(NewJob(kind=tasks.SEAL, key=key, payload={"day": today.isoformat()}))
    runner = Runner(
        database=worker_database,
        handlers={tasks.SEAL: tasks.seal_days},
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
    )
    assert await runner.drain() == 2
    async with database.view(tenant) as session:
        seals = await repository.seals(session, community_id)
        assert await repository.sealed_through(session, community_id) == today - tasks.OPEN_FOR
    assert [seal.journals for seal in seals] == [1] + [0] * 7
