"""A community of twelve with its whole application, and browsers without a screen that are signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio
from fastapi import FastAPI

from cloud.identity.policy import RoleName
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import reading, sign_in
from tests.cloud.web.manager.site import open_office, running_pages
from tests.support import api
from tests.support.clock import SettableClock


@pytest_asyncio.fixture
async def office(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> Office:
    async with database.unit(tenant, actor) as unit:
        return await open_office(database, worker_database, unit, clock)


@pytest_asyncio.fixture
async def app(office: Office, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with running_pages(office.site.database, tmp_path, office.book) as built:
        yield built


@pytest_asyncio.fixture
async def manager(app: FastAPI, database: Database, tenant: TenantId) -> AsyncIterator[httpx.AsyncClient]:
    async with reading(app) as opened:
        await sign_in(opened, await api.add_person(database, tenant, "manager", RoleName.MANAGER))
        yield opened


@pytest_asyncio.fixture
async def technician(app: FastAPI, database: Database, tenant: TenantId) -> AsyncIterator[httpx.AsyncClient]:
    async with reading(app) as opened:
        await sign_in(opened, await api.add_person(database, tenant, "technician", RoleName.TECHNICIAN))
        yield opened
