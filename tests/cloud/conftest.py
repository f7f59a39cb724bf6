"""Fixtures of every cloud test.

    database         cloud.kit.db.Database of the API's role, on a fresh migrated database
    worker_database  the same database as the worker's role sees it (may claim jobs, may load in bulk)
    clock            SettableClock: `clock.now()`, `clock.advance(days=1)`, `clock.set(instant)`; from 2026-01-01T00:00Z
    ids              time-ordered ids on that clock from a seed: the same ids in every run
    tenant, other_tenant   two companies that exist (`TenantId`), each with its own rows
    actor            Actor of kind user, for `database.unit(tenant, actor)`
    published        every event published in units of this test, in order (events also go to `routes`)
    routes           override in a module to route events to jobs: dict[type[Event], sequence of makers]
    hamlet           a priced community of twelve households with readings, due for a month (see hamlet.py)
    server, database_name   the embedded server and the name of the test's database, for raw connections

Write rows through `async with database.unit(tenant, actor) as unit:` and record at least one deed in each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
import pytest_asyncio

from cloud.estate import service as estate
from cloud.kit.actor import Actor, system_actor
from cloud.kit.db import Database
from cloud.kit.events import Event, Router, Routes, router
from cloud.kit.jobs import NewJob
from cloud.kit.roles import APP, WORKER
from common.ids import TenantId, TimeOrderedIds
from tests.cloud.hamlet import Hamlet, build_hamlet
from tests.support.clock import SettableClock
from tests.support.postgres import TestServer, test_server
from tests.support.randomness import seeded_bytes


@pytest.fixture(scope="session")
def server() -> Iterator[TestServer]:
    with test_server() as running:
        yield running


@pytest.fixture
def database_name(server: TestServer) -> Iterator[str]:
    with server.fresh_database() as name:
        yield name


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def ids(clock: SettableClock) -> TimeOrderedIds:
    return TimeOrderedIds(clock.now, seeded_bytes(20260101))


@pytest.fixture
def actor() -> Actor:
    return Actor(kind="user", id=UUID(int=1), name="tester")


@pytest.fixture
def routes() -> Routes:
    return {}


@pytest.fixture
def published() -> list[Event]:
    return []


@pytest_asyncio.fixture
async def database(
    server: TestServer,
    database_name: str,
    clock: SettableClock,
    ids: TimeOrderedIds,
    routes: Routes,
    published: list[Event],
) -> AsyncIterator[Database]:
    conninfo = server.server.conninfo(role=APP, database=database_name)
    opened = Database(conninfo, clock=clock, ids=ids, route=_listening(routes, published))
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def worker_database(
    server: TestServer,
    database_name: str,
    clock: SettableClock,
    ids: TimeOrderedIds,
    routes: Routes,
    published: list[Event],
) -> AsyncIterator[Database]:
    conninfo = server.server.conninfo(role=WORKER, database=database_name)
    opened = Database(conninfo, clock=clock, ids=ids, route=_listening(routes, published))
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def tenant(database: Database, ids: TimeOrderedIds) -> TenantId:
    return await _company(database, ids, "east", "东方物业")


@pytest_asyncio.fixture
async def other_tenant(database: Database, ids: TimeOrderedIds) -> TenantId:
    return await _company(database, ids, "west", "西城物业")


@pytest_asyncio.fixture
async def hamlet(
    server: TestServer,
    database_name: str,
    database: Database,
    worker_database: Database,
    tenant: TenantId,
    clock: SettableClock,
) -> Hamlet:
    return await build_hamlet(server, database_name, database, worker_database, tenant, clock)


async def _company(database: Database, ids: TimeOrderedIds, code: str, name: str) -> TenantId:
    tenant = TenantId(ids.new())
    async with database.unit(tenant, system_actor("set-up")) as unit:
        await estate.create_tenant(unit, code=code, name=name)
    return tenant


def _listening(routes: Routes, published: list[Event]) -> Router:
    inner = router(routes)

    def route(event: Event) -> Sequence[NewJob]:
        published.append(event)
        return inner(event)

    return route
