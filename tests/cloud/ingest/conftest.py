"""Fixtures of ingest's tests: an enrolled gateway that seals true batches, and the endpoint that takes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import httpx
import psycopg
import pytest
import pytest_asyncio
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from cloud.fleet import enrolment
from cloud.fleet import service as fleet
from cloud.fleet.counters import GatewayMetrics
from cloud.ingest.endpoints import build_router
from cloud.ingest.service import Ingest
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.httpapi import install_error_handlers
from cloud.kit.postgres import SUPERUSER
from common.ids import TenantId
from common.wire.receipt import Receipt, open_receipt
from common.wire.refusal import Refusal
from common.wire.requests import EnrolmentRequest
from common.wire.signing import SigningKey
from tests.support.clock import SettableClock
from tests.support.gateway import PaperGateway
from tests.support.postgres import TestServer

CLOUD_KEY = SigningKey(b"c" * 32)
TRUSTED = {CLOUD_KEY.key_id: CLOUD_KEY.public_key}
Post = Callable[[bytes], Awaitable[httpx.Response]]
AsSuperuser = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The endpoint, what stands behind it, and what it counted."""

    post: Post
    database: Database
    tenant: TenantId
    registry: CollectorRegistry

    def counted(self, reason: Refusal) -> float | None:
        """Return how many batches were refused for a reason."""
        labels = {"endpoint": "batches", "reason": str(reason)}
        return self.registry.get_sample_value("gatehouse_gateway_refusals_total", labels)


def receipt(answer: httpx.Response) -> Receipt:
    """Return the receipt of an answer, verified as a gateway would."""
    assert answer.headers["content-type"] == "application/cose", answer.text
    return open_receipt(answer.content, TRUSTED)


async def enrolled(
    database: Database, tenant: TenantId, clock: SettableClock, *, label: str = "building 1", seed: bytes = b"g"
) -> PaperGateway:
    """Return a gateway of the company that may send batches."""
    actor = Actor(kind="system", id=tenant, name="set-up")
    key = SigningKey(seed * 32)
    async with database.unit(tenant, actor) as unit:
        _, code = await fleet.create_gateway(unit, label=label)
    async with database.unit(tenant, actor) as unit:
        request = EnrolmentRequest(code=code, public_key=key.public_key, epoch=1, hardware="")
        gateway_id = await enrolment.enrol(unit, request, TRUSTED)
    return PaperGateway(gateway_id=gateway_id, key=key, clock=clock)


@pytest_asyncio.fixture
async def gateway(database: Database, tenant: TenantId, clock: SettableClock) -> PaperGateway:
    return await enrolled(database, tenant, clock)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest_asyncio.fixture
async def post(database: Database, registry: CollectorRegistry) -> AsyncIterator[Post]:
    app = FastAPI()
    install_error_handlers(app)
    app.include_router(build_router(Ingest(database, CLOUD_KEY), GatewayMetrics(registry)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://cloud") as client:

        async def send(body: bytes) -> httpx.Response:
            return await client.post("/gateway/v1/batches", content=body)

        yield send


@pytest.fixture
def door(post: Post, database: Database, tenant: TenantId, registry: CollectorRegistry) -> Door:
    return Door(post=post, database=database, tenant=tenant, registry=registry)


@pytest.fixture
def as_superuser(server: TestServer, database_name: str) -> AsSuperuser:
    """Damage the store behind everybody's back, past row security and triggers."""

    def run(statements: str) -> None:
        conninfo = server.server.conninfo(role=SUPERUSER, database=database_name)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(statements.encode())

    return run
