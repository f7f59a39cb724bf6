"""The worker process around the runner: schedules by business time, wake-up, tidying, figures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from prometheus_client import generate_latest
from sqlalchemy import text

from cloud import flow
from cloud.kit import jobqueue
from cloud.kit.db import Database
from cloud.kit.roles import WORKER
from cloud.services import Services
from cloud.worker import Worker
from common.ids import TenantId
from tests.support import api
from tests.support.clock import SettableClock
from tests.support.postgres import TestServer


@pytest_asyncio.fixture
async def services(worker_database: Database, tmp_path: Path) -> AsyncIterator[Services]:
    async with api.running_services(worker_database, tmp_path) as built:
        yield built


def worker(services: Services, server: TestServer, database_name: str) -> Worker:
    conninfo = server.server.conninfo(role=WORKER, database=database_name)
    return Worker(services, conninfo, name="w", lanes=2, poll_s=0.05)


async def job_keys(database: Database, tenant: TenantId) -> list[str]:
    async with database.view(tenant) as session:
        return list(await session.scalars(text("select key from job where key like 'schedule:%' order by key")))


async def test_schedules_fire_for_every_company_once_a_day(
    services: Services,
    server: TestServer,
    database_name: str,
    tenant: TenantId,
    other_tenant: TenantId,
    clock: SettableClock,
) -> None:
    working = worker(services, server, database_name)
    database = services.database
    clock.advance(hours=12)
    await working.fire_schedules()
    await working.fire_schedules()
    first = await job_keys(database, tenant)
    assert first == sorted(f"schedule:{schedule.name}:2026-01-01" for schedule in flow.SCHEDULES)
    clock.advance(days=2)
    await working.fire_schedules()
    assert await job_keys(database, tenant) == await job_keys(database, other_tenant)
    days = (date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3))
    due = [f"schedule:{each.name}:{day}" for each in flow.SCHEDULES for day in days if each.falls_on(day)]
    assert await job_keys(database, tenant) == sorted(due)


async def test_a_running_worker_does_what_is_due_and_stops_when_told(
    services: Services, server: TestServer, database_name: str, tenant: TenantId, clock: SettableClock
) -> None:
    working = worker(services, server, database_name)
    clock.advance(hours=12)
    stop = asyncio.Event()
    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        group.create_task(working.run(stop))
        await until_done(services.database, tenant, count=len(flow.SCHEDULES))
        stop.set()
    text_of = generate_latest(services.registry).decode()
    assert 'gatehouse_jobs_total{kind="tariffs.publish",outcome="done"} 1.0' in text_of


async def until_done(database: Database, tenant: TenantId, *, count: int) -> None:
    """Wait until so many scheduled jobs are finished."""
    finished = text("select count(*) from job where key like 'schedule:%' and state = 'done'")
    done = 0
    while done < count:
        async with database.view(tenant) as session:
            done = await session.scalar(finished) or 0
        await asyncio.sleep(0.05)


@pytest.mark.usefixtures("tenant")
async def test_waiting_jobs_are_counted_by_kind_and_state_and_no_longer_once_done(
    services: Services, server: TestServer, database_name: str, clock: SettableClock
) -> None:
    working = worker(services, server, database_name)
    clock.advance(hours=12)
    await working.fire_schedules()
    await working._tidy()
    figures = generate_latest(services.registry).decode()
    assert 'gatehouse_jobs_waiting{kind="tariffs.publish",state="ready"} 1.0' in figures
    await working.runner.drain()
    await working._tidy()
    assert 'kind="tariffs.publish",state="ready"' not in generate_latest(services.registry).decode()


async def test_the_jobs_of_a_dead_worker_are_done_at_once_and_those_of_a_living_one_are_not_taken(
    services: Services, server: TestServer, database_name: str, tenant: TenantId, clock: SettableClock
) -> None:
    working, database = worker(services, server, database_name), services.database
    clock.advance(hours=12)
    await working.fire_schedules()
    conninfo = server.server.conninfo(role=WORKER, database=database_name)
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as life:
        await life.execute("select directory.keep_name('living')")
        async with database.directory() as connection:
            for name in ("living", "dead"):
                await jobqueue.claim(
                    connection,
                    worker=name,
                    now=clock.now(),
                    wanted=1,
                    kinds=tuple(working.runner.handlers),
                    lease=timedelta(hours=1),
                )
        stop = asyncio.Event()
        async with asyncio.timeout(15), asyncio.TaskGroup() as group:
            group.create_task(working.run(stop))
            await until_done(database, tenant, count=len(flow.SCHEDULES) - 1)
            stop.set()
    async with database.view(tenant) as session:
        found = await session.execute(text("select distinct worker, state from job where key like 'schedule:%'"))
    assert {(row.worker, row.state) for row in found} == {("living", "leased"), ("w", "done")}
