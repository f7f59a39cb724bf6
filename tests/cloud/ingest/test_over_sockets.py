"""A real store, courier and listener against the real endpoints over real sockets, with everything going wrong.

The law: every reading that the store committed is in the cloud exactly once, and the store has a verified receipt for
each batch, whatever was cut, lost, doubled, delayed or killed on the way.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from typing_extensions import override

from cloud.fleet import service as fleet
from cloud.ingest import service as ingest
from cloud.ingest.service import BatchRef
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.roles import APP
from common.ids import GatewayId, TenantId
from common.wire.bundle import BundleKind
from edge.buffer.records import BatchState, Lane
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.clock import entropy, monotonic_s
from edge.downlink.listener import Listener
from edge.uplink.backoff import FullJitter
from edge.uplink.courier import Courier, Rhythm
from edge.uplink.enrolment import change_key, enrol
from edge.uplink.errors import LinkError
from edge.uplink.identity import Identity
from edge.uplink.link import CloudLink
from edge.uplink.sealer import BatchSealer
from tests.edge.builders import QUARTER, HandClock, sample, until
from tests.support.postgres import TestServer
from tests.support.randomness import seeded_bytes

START_S = 60
MIB = 1024 * 1024
SLOT_MS = 900_000
FAULTS = ("none", "refused", "lost", "doubled", "late")


class CloudProcess:
    """The gateway endpoints in a process of their own."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._process: asyncio.subprocess.Process | None = None
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]

    async def start(self) -> None:
        """Start and wait until it takes connections."""
        arguments = ["-m", "tests.support.gateway_cloud", "--conninfo", self._conninfo, "--port", str(self.port)]
        self._process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
        async with asyncio.timeout(START_S):
            while not await self._listens():
                assert self._process.returncode is None, "the cloud ended"
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


class BadLine(httpx.AsyncBaseTransport):
    """A transport over real sockets that refuses, loses answers, doubles requests and delivers copies late."""

    def __init__(self, seed: int) -> None:
        self._line = httpx.AsyncHTTPTransport()
        self._bytes = seeded_bytes(seed)
        self._late: list[httpx.Request] = []
        self.up = True
        self.faults: Counter[str] = Counter()
        self.bad = True

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.up:
            raise httpx.ConnectError("the line is cut")
        fault = FAULTS[self._bytes(1)[0] % len(FAULTS)] if self.bad else "none"
        self.faults[fault] += 1
        if fault == "refused":
            raise httpx.ConnectError("refused")
        if fault == "late":
            self._late.append(request)
            raise httpx.ReadTimeout("under way for long")
        if self._late and fault == "doubled":
            await self._send(self._late.pop(0))
        response = await self._send(request)
        if fault == "lost":
            raise httpx.ReadError("the answer was lost")
        return response

    async def _send(self, request: httpx.Request) -> httpx.Response:
        response = await self._line.handle_async_request(request)
        return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())

    @override
    async def aclose(self) -> None:
        await self._line.aclose()


@dataclass(slots=True, kw_only=True)
class Box:
    """A gateway's store and its ways to the cloud, as its composition root would join them."""

    store: Store
    clock: HandClock
    identity: Identity
    link: CloudLink
    line: BadLine
    slot: int = 0
    applied: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    offered: set[tuple[int, int]] = field(default_factory=set)

    def courier(self) -> Courier:
        return Courier(
            store=self.store,
            link=self.link,
            trust=self.identity,
            entropy=entropy,
            monotonic_s=monotonic_s,
            rhythm=Rhythm(gather_s=0.05, probe_s=0.1, hold_s=0.2),
        )

    def listener(self) -> Listener:
        async def apply(kind: str, body: Mapping[str, Any]) -> None:
            self.applied.append((kind, body))

        return Listener(
            shelf=self.store,
            credentials=self.identity,
            apply=apply,
            post=self.link.ask,
            now=self.clock.now,
            wait=FullJitter(entropy, first_s=0.05, most_s=0.2),
            link_errors=(LinkError,),
            reached=lambda: None,
            wait_s=2,
        )

    async def read(self, meters: int = 5) -> None:
        """Commit one reading of each meter at the next slot."""
        self.slot += 1
        self.clock.advance(QUARTER)
        futures = []
        for number in range(meters):
            slot_ms = self.clock.utc_ms - 2_000
            value_milli = 1_000 * self.slot
            futures.append(await self.store.offer(sample(number, slot_ms, value_milli, boot_ms=self.clock.boot_ms)))
            self.offered.add((number, slot_ms))
        for future in futures:
            assert await future


@contextlib.asynccontextmanager
async def running(*parts: Any) -> AsyncIterator[None]:
    """Run parts of the gateway in a task group while the block runs."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part.run()) for part in parts]
        yield
        for task in tasks:
            task.cancel()


async def drained(box: Box, seconds: int = 60) -> None:
    """Wait until every row is sealed and every batch has its receipt."""
    async with asyncio.timeout(seconds):
        while True:
            status = await box.store.status()
            if not (status.batches_pending or status.readings_waiting or status.events_waiting):
                return
            await asyncio.sleep(0.05)


async def in_the_cloud(database: Database, tenant: TenantId, box: Box) -> Counter[tuple[int, int]]:
    """Return how often each reading stands in the batches of the cloud."""
    counted: Counter[tuple[int, int]] = Counter()
    async with database.view(tenant) as session:
        for mark in await ingest.watermarks(session, box.identity.gateway_id):
            assert mark.contiguous == mark.highest
            for sequence in range(1, mark.highest + 1):
                ref = BatchRef(gateway_id=box.identity.gateway_id, epoch=mark.epoch, sequence=sequence)
                content = await ingest.open_batch(session, ref)
                counted.update((point.series.meter_id.int & 0xFFFF, point.slot_ms) for point in content.points())
    return counted


@pytest_asyncio.fixture
async def cloud(server: TestServer, database_name: str) -> AsyncIterator[CloudProcess]:
    process = CloudProcess(server.server.conninfo(role=APP, database=database_name))
    await process.start()
    yield process
    await process.kill()


@pytest_asyncio.fixture
async def box(
    cloud: CloudProcess, database: Database, tenant: TenantId, actor: Actor, tmp_path: Path
) -> AsyncIterator[Box]:
    async with database.unit(tenant, actor) as unit:
        _, code = await fleet.create_gateway(unit, label="building 1")
    clock = HandClock()
    budget = Budget(limit_bytes=64 * MIB, ballast_bytes=MIB, keep_ms=SLOT_MS)
    store = Store.open(tmp_path / "store.db", clock=clock, entropy=entropy, budget=budget, commit_interval_s=0.01)
    line = BadLine(seed=7)
    line.bad = False
    async with httpx.AsyncClient(transport=line) as http:
        link = CloudLink(http, f"http://127.0.0.1:{cloud.port}")
        identity = Identity.load(tmp_path / "keys", entropy)
        with contextlib.closing(store):
            await enrol(link, identity, code=code, epoch=store.epoch, hardware="test")
            store.use_sealer(BatchSealer(identity, entropy))
            yield Box(store=store, clock=clock, identity=identity, link=link, line=line)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_nothing_is_lost_or_doubled_on_a_bad_line(box: Box, database: Database, tenant: TenantId) -> None:
    box.line.bad = True
    async with running(box.courier()):
        for slot in range(40):
            box.line.up = not 10 <= slot < 20
            await box.read()
            await asyncio.sleep(0.08)
        await drained(box)
    counted = await in_the_cloud(database, tenant, box)
    assert counted == Counter(dict.fromkeys(box.offered, 1))
    assert min(box.line.faults[fault] for fault in ("refused", "lost", "doubled", "late")) > 0


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_nothing_is_lost_or_doubled_when_the_cloud_is_killed(
    box: Box, cloud: CloudProcess, database: Database, tenant: TenantId
) -> None:
    courier = box.courier()
    async with running(courier):
        for _ in range(3):
            for _ in range(8):
                await box.read()
                await asyncio.sleep(0.03)
            await cloud.kill()
            await box.read()
            await cloud.start()
        await drained(box)
    assert await in_the_cloud(database, tenant, box) == Counter(dict.fromkeys(box.offered, 1))
    assert courier.stats.link_failures > 0


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_store_that_was_killed_between_receipt_and_settling_sends_the_same_bytes_again(
    box: Box, database: Database, tenant: TenantId
) -> None:
    await box.read()
    batch = await box.store.seal()
    assert batch is not None
    await box.link.post("/gateway/v1/batches", batch.body)
    assert batch.state is BatchState.PENDING
    async with running(box.courier()):
        await drained(box)
    assert await in_the_cloud(database, tenant, box) == Counter(dict.fromkeys(box.offered, 1))


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_first_receipt_comes_soon_after_the_link_is_back(box: Box) -> None:
    box.line.up = False
    courier = box.courier()
    async with running(courier):
        await box.read()
        await until(lambda: courier.stats.link_failures > 3, seconds=20)
        box.line.up = True
        started_s = monotonic_s()
        await until(lambda: courier.stats.settled > 0, seconds=10)
    assert monotonic_s() - started_s <= 3


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_bundle_reaches_the_gateway_and_its_effect_the_cloud(
    box: Box, database: Database, tenant: TenantId, actor: Actor
) -> None:
    listener = box.listener()
    async with running(box.courier(), listener):
        await until(lambda: listener.stats.connected, seconds=20)
        async with database.unit(tenant, actor) as unit:
            body = {"zone": "Asia/Shanghai"}
            await fleet.publish_bundle(unit, GatewayId(box.identity.gateway_id), BundleKind.SITE, body)
        await until(lambda: len(box.applied) == 1, seconds=20)
        await until(lambda: listener.stats.applied == 2, seconds=20)
        await drained(box)
    assert box.applied == [("site", {"zone": "Asia/Shanghai"})]
    stored = await box.store.bundle("site")
    assert stored is not None
    assert stored.version == 1


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_key_is_changed_without_a_visit_and_nothing_on_its_way_is_lost(
    box: Box, database: Database, tenant: TenantId
) -> None:
    await box.read()
    assert await box.store.seal() is not None
    old = box.identity.key
    await change_key(box.link, box.identity, entropy)
    assert box.identity.key.key_id != old.key_id
    await box.read()
    async with running(box.courier()):
        await drained(box)
    assert await in_the_cloud(database, tenant, box) == Counter(dict.fromkeys(box.offered, 1))
    assert (await box.store.seal((Lane.GATE,))) is None
