"""The street."""

from __future__ import annotations

import pytest_asyncio

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.charges.street import Street, build_street
from tests.support.clock import SettableClock


@pytest_asyncio.fixture
async def street(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Street:
    return await build_street(database, tenant, actor, clock)
