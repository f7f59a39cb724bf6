"""A vault over a site with bills, and the channel in the same process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.events import Routes
from common.ids import TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.deposits.vault import ROUTES, Vault, open_vault
from tests.cloud.payments.counter import open_counter
from tests.cloud.refunds.till import open_till
from tests.simulation.wechat.in_process import InProcessChannel
from tests.support.clock import SettableClock


@pytest.fixture
def routes() -> Routes:
    return ROUTES


@pytest_asyncio.fixture
async def office(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> Office:
    site = await b.build_site(database, worker_database, tenant, actor, flats=2)
    return Office(site, clock)


@pytest_asyncio.fixture
async def vault(office: Office, clock: SettableClock, tmp_path: Path) -> AsyncIterator[Vault]:
    channel = InProcessChannel(tmp_path / "wechat", clock.now, hurry=1_000_000)
    async with open_counter(office, channel) as counter:
        till = open_till(counter)
        await till.set_policy()
        yield await open_vault(till)
    await channel.close()
