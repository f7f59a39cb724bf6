"""A site with bills, a merchant account and the channel in the same process, with the whole application over it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from cloud.documents.printer import Printer
from cloud.identity.policy import RoleName
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.billing.lakeside import Lakeside, build_lakeside
from tests.cloud.payments.counter import Counter, open_counter
from tests.cloud.web.broken import with_broken_page
from tests.cloud.web.browsing import reading, sign_in
from tests.cloud.web.front import Front, open_front
from tests.cloud.web.garden import open_garden, running_pages
from tests.simulation.wechat.in_process import InProcessChannel
from tests.support import api
from tests.support.clock import SettableClock


@pytest_asyncio.fixture
async def office(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> Office:
    site = await b.build_site(database, worker_database, tenant, actor, flats=3)
    return Office(site, clock)


@pytest_asyncio.fixture
async def channel(tmp_path: Path, clock: SettableClock) -> AsyncIterator[InProcessChannel]:
    opened = InProcessChannel(tmp_path / "wechat", clock.now, hurry=1_000_000)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def counter(office: Office, channel: InProcessChannel) -> AsyncIterator[Counter]:
    async with open_counter(office, channel) as opened:
        yield opened


@pytest.fixture(scope="session")
def printer() -> Iterator[Printer]:
    made = Printer()
    yield made
    made.close()


@pytest_asyncio.fixture
async def front(counter: Counter, tmp_path: Path, printer: Printer) -> Front:
    return open_front(counter, tmp_path, printer)


@pytest_asyncio.fixture
async def lakeside(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Lakeside:
    return await build_lakeside(database, tenant, actor, clock)


@pytest_asyncio.fixture
async def garden(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> Office:
    """Return a community of twelve for the manager's pages."""
    async with database.unit(tenant, actor) as unit:
        return await open_garden(database, worker_database, unit, clock)


@pytest_asyncio.fixture
async def garden_app(garden: Office, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with running_pages(garden.site.database, tmp_path, garden.book) as built:
        yield built


@pytest_asyncio.fixture
async def manager(garden_app: FastAPI, database: Database, tenant: TenantId) -> AsyncIterator[httpx.AsyncClient]:
    async with reading(garden_app) as opened:
        await sign_in(opened, await api.add_person(database, tenant, "manager", RoleName.MANAGER))
        yield opened


@pytest_asyncio.fixture
async def technician(garden_app: FastAPI, database: Database, tenant: TenantId) -> AsyncIterator[httpx.AsyncClient]:
    async with reading(garden_app) as opened:
        await sign_in(opened, await api.add_person(database, tenant, "technician", RoleName.TECHNICIAN))
        yield opened


@pytest_asyncio.fixture
async def whole_app(database: Database, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with api.running_services(database, tmp_path) as services:
        yield with_broken_page(services)


@pytest_asyncio.fixture
async def stranger(whole_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with reading(whole_app) as opened:
        yield opened
