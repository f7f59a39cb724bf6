"""A power cut before and after every commit of a reconciliation: afterwards all is explained and matched once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from cloud.kit.runner import JobMetrics, Pace, Runner
from cloud.reconciliation import service, tasks
from tests.cloud.payments.counter import Counter
from tests.cloud.payments.test_crashes import DoomedDatabase, Fate, PowerCutError
from tests.cloud.reconciliation.test_service import day_of_payments, today


async def reconcile(counter: Counter, cause: str, fate: Fate) -> None:
    """Fetch and compare the day, with a fate."""
    day = today(counter) - timedelta(days=1)
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        unit.enqueue(tasks.fetch_job(counter.account.merchant_account_id, day, cause))
    runner = Runner(
        database=DoomedDatabase(counter.office.site.worker_database, fate),
        handlers=counter.runner.handlers,
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
        pace=Pace(lease=timedelta(milliseconds=1)),
    )
    with suppress(PowerCutError, BaseExceptionGroup):
        await runner.drain()


@pytest.mark.timeout(120)
async def test_a_power_cut_at_any_commit_neither_loses_nor_doubles_a_match(counter: Counter) -> None:
    await day_of_payments(counter, 10_000, 20_000)
    counter.office.clock.advance(days=1)
    day = today(counter) - timedelta(days=1)
    calm = Fate(commit=0, after=False)
    await counter.channel.control("mischief", kind="bill_drops_row", value=1)
    await reconcile(counter, "calm", calm)
    assert calm.seen >= 2
    for commit in range(1, calm.seen + 1):
        for after in (False, True):
            await counter.channel.control("mischief", kind="bill_drops_row", value=commit % 2)
            await reconcile(counter, f"{commit}{after}", Fate(commit=commit, after=after))
            await asyncio.sleep(0.01)
            await reconcile(counter, f"{commit}{after} again", Fate(commit=0, after=False))
    async with counter.database.view(counter.tenant) as session:
        report = await service.day_report(session, counter.account.merchant_account_id, day)
        doubled = await session.execute(
            text("select statement_id, object_id from match group by 1, 2 having count(*) > 1")
        )
        assert doubled.all() == []
    assert report.figures.explained_basis_points == 10_000
    assert report.figures.matched_rows == 2
