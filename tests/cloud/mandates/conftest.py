"""A purse: a hall with the channels in the same process, and a worker that takes by mandates at each that can."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.events import Routes
from cloud.mandates import tasks
from cloud.payments.channel import Channel
from cloud.payments.events import AgreementNoticed, DeductionBooked
from common.ids import TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.mandates.purse import Purse, open_purse
from tests.support.clock import SettableClock


@pytest.fixture
def routes() -> Routes:
    return {DeductionBooked: (tasks.note_job,), AgreementNoticed: (tasks.check_job,)}


@pytest_asyncio.fixture
async def office(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> Office:
    site = await b.build_site(database, worker_database, tenant, actor, flats=3)
    return Office(site, clock)


@pytest_asyncio.fixture(params=[Channel.ALIPAY, Channel.WECHAT])
async def purse(request: pytest.FixtureRequest, office: Office, tmp_path: Path) -> AsyncIterator[Purse]:
    async with open_purse(office, tmp_path, request.param) as opened:
        yield opened
