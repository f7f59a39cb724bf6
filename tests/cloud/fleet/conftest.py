"""Fixtures of the fleet's tests: one company with a planned gateway, the cloud's key, its gateway endpoints."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from cloud.fleet import service as fleet
from cloud.fleet.counters import GatewayMetrics
from cloud.fleet.downlink import Downlink
from cloud.fleet.endpoints import build_gateway_router
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.httpapi import install_error_handlers
from common.ids import GatewayId, TenantId
from common.wire.signing import SigningKey
from tests.support.clock import SettableClock


@pytest.fixture
def cloud_key() -> SigningKey:
    return SigningKey(b"c" * 32)


@pytest.fixture
def gateway_key() -> SigningKey:
    return SigningKey(b"g" * 32)


@pytest_asyncio.fixture
async def planned(database: Database, tenant: TenantId, actor: Actor) -> tuple[GatewayId, str]:
    async with database.unit(tenant, actor) as unit:
        return await fleet.create_gateway(unit, label="building 1")


@pytest.fixture
def downlink(database: Database, cloud_key: SigningKey, clock: SettableClock) -> Downlink:
    return Downlink(database=database, key=cloud_key, machine_clock=clock, look_s=0.02)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest_asyncio.fixture
async def http(downlink: Downlink, registry: CollectorRegistry) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_error_handlers(app)
    app.include_router(build_gateway_router(downlink, GatewayMetrics(registry)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://cloud") as client:
        yield client
