"""The worker's part of billing: an approved run drains, and money paid ahead settles what is issued."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from cloud.billing import offsets, runs, tasks
from cloud.billing.events import BillsIssued, RunRequested
from cloud.billing.service import RunScope
from cloud.fleet import service as fleet
from cloud.kit.events import Routes
from cloud.kit.runner import Handler, JobMetrics, Runner
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft
from cloud.tariffs.charge import FundClass
from common.wire.bundle import BundleKind
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.billing.test_dues import with_gateway


@pytest.fixture
def routes() -> Routes:
    return {RunRequested: (tasks.bill_run_job,), BillsIssued: (tasks.use_ahead_job,)}


def worker(office: Office) -> Runner:
    handlers: Mapping[str, Handler] = {
        tasks.BILL_RUN: tasks.bill_run_handler(office.book),
        tasks.USE_AHEAD: tasks.use_ahead,
        tasks.PUBLISH_DUES: tasks.publish_dues,
    }
    return Runner(
        database=office.site.worker_database,
        handlers=handlers,
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
    )


async def approved(office: Office, scope: RunScope) -> None:
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        await runs.request_run(unit, scope)


async def pay_ahead(office: Office, flat: b.Flat, fen: int) -> None:
    account_id = await office.account(flat)
    book = Book(community_id=office.site.community_id, legal_entity_id=b.COMPANY, fund_class=FundClass.OPERATING)
    moves = postings.payment_received(postings.clearing(book, b.SHOP), [], payer=account_id, ahead_fen=fen)
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        draft = JournalDraft(
            idem_key=f"payment:{unit.new_id()}",
            kind="payment",
            community_id=office.site.community_id,
            business_date=office.clock.now().date(),
            document=DocumentRef(kind=DocumentKind.PAYMENT, document_id=unit.new_id()),
            transfers=moves,
        )
        await ledger.post(unit, draft)


async def count(office: Office, table: str) -> int:
    async with office.site.database.view(office.site.tenant) as session:
        return int(await session.scalar(text(f"select count(*) from {table}")) or 0)  # noqa: S608 - our own names


async def test_an_approved_run_is_drained_by_the_worker_and_approved_again_does_nothing(office: Office) -> None:
    for flat in office.site.flats:
        office.set(flat, b.ELECTRICITY, 0, 1000)
    scope = await office.period(0)
    await approved(office, scope)
    assert await worker(office).drain() == 2
    assert await count(office, "bill") == 4
    await approved(office, scope)
    await worker(office).drain()
    assert await count(office, "bill") == 4


async def test_what_was_paid_ahead_settles_the_next_bill_of_its_own_book(office: Office) -> None:
    flat = office.site.flats[0]
    scope = await office.period(0)
    await pay_ahead(office, flat, 1200)
    office.set(flat, b.ELECTRICITY, 0, 1000)
    office.set(flat, b.FUND, 0, 500)
    await approved(office, scope)
    await worker(office).drain()
    assert await office.open_fen(flat) == [500]
    assert await office.ahead_fen(flat) == 200


async def test_one_occasion_uses_a_balance_once(office: Office) -> None:
    flat = office.site.flats[0]
    scope = await office.period(0)
    await pay_ahead(office, flat, 300)
    office.set(flat, b.ELECTRICITY, 0, 1000)
    await approved(office, scope)
    await worker(office).drain()
    assert await office.open_fen(flat) == [700]
    account_id = await office.account(flat)
    async with office.site.database.view(office.site.tenant) as session:
        bill_id = (await session.execute(text("select bill_id from bill"))).scalar_one()
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        assert await offsets.settle_from_ahead(unit, scope.community_id, [account_id], bill_id) == 0
    assert await office.open_fen(flat) == [700]


async def test_a_credit_of_a_paid_bill_settles_the_next_one(office: Office) -> None:
    flat = office.site.flats[0]
    office.set(flat, b.ELECTRICITY, 0, 1000)
    await approved(office, await office.period(0))
    await worker(office).drain()
    await office.pay(flat, "all")
    office.set(flat, b.ELECTRICITY, 0, 400)
    await office.correct([flat], 0)
    assert await office.ahead_fen(flat) == 600
    office.set(flat, b.ELECTRICITY, 1, 1000)
    await approved(office, await office.period(1))
    await worker(office).drain()
    assert await office.open_fen(flat) == [400]
    assert await office.ahead_fen(flat) == 0


async def test_of_many_changes_that_wait_one_hands_the_kiosks_their_dues_for_all(office: Office) -> None:
    gateway_id = await with_gateway(office)
    office.set(office.site.flats[0], b.ELECTRICITY, 0, 1000)
    await office.bill_month(0)
    changes = [office.site.flats[n][0] for n in range(3)]
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        for change_id in changes:
            unit.enqueue(tasks.dues_job(change_id))
    await worker(office).drain()
    async with office.site.database.view(office.site.tenant) as session:
        waiting = "select count(*) from job where kind = :kind and state <> 'done'"
        assert await session.scalar(text(waiting), {"kind": tasks.PUBLISH_DUES}) == 0
        bundles = await fleet.newer_bundles(session, gateway_id, {}, office.clock.now())
    assert [bundle.version for bundle in bundles if bundle.kind is BundleKind.DUES] == [1]
