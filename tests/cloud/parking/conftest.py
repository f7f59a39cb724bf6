"""The yard of the tests of parking."""

from __future__ import annotations

import pytest_asyncio

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.parking.yard import Yard, open_yard
from tests.support.clock import SettableClock


@pytest_asyncio.fixture
async def yard(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Yard:
    return await open_yard(database, tenant, actor, clock)
