"""A site with bills, a merchant account and the channel in the same process, with the whole application over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.billing.lakeside import Lakeside, build_lakeside
from tests.cloud.payments.counter import Counter, open_counter
from tests.cloud.web.front import Front, open_front
from tests.simulation.wechat.in_process import InProcessChannel
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


@pytest_asyncio.fixture
async def front(counter: Counter, tmp_path: Path) -> Front:
    return open_front(counter, tmp_path)


@pytest_asyncio.fixture
async def lakeside(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Lakeside:
    return await build_lakeside(database, tenant, actor, clock)
