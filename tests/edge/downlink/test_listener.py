"""A good bundle is applied once, kept and reported; a bad one is refused and the last good one stays."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from common.errors import RefusalError
from common.ids import GatewayId
from common.wire.bundle import Bundle, BundleKind, sign_bundle
from common.wire.records import BundleEffect
from common.wire.requests import PollAnswer, open_request, pack_answer, read_poll
from common.wire.signing import Purpose, SigningKey, verify
from edge.buffer.records import BundleState
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.clock import entropy
from edge.downlink.listener import Listener
from edge.uplink.backoff import FullJitter
from edge.uplink.errors import LinkError
from tests.common.wire.builders import CLOUD_KEY, GATEWAY, GATEWAY_KEY, NOW, NOW_MS, OTHER_KEY, TRUSTED
from tests.edge.builders import HandClock, OpenSealer, until

CHALLENGE = b"c" * 16
MIB = 1024 * 1024


class Credentials:
    """An enrolled gateway."""

    gateway_id = GATEWAY
    key = GATEWAY_KEY
    trusted = TRUSTED

    def __init__(self) -> None:
        self.renewed: list[bytes] = []

    def renew(self, signed: bytes) -> None:
        self.renewed.append(signed)


def bundle(version: int, *, signer: SigningKey = CLOUD_KEY, **changes: Any) -> bytes:
    facts: dict[str, Any] = {
        "gateway_id": GATEWAY,
        "kind": BundleKind.SITE,
        "version": version,
        "made_ms": NOW_MS,
        "body": {"version": version},
    }
    return sign_bundle(Bundle(**{**facts, **changes}), signer)


class Bench:
    """A store and a listener over a cloud on paper."""

    def __init__(self, folder: Path) -> None:
        budget = Budget(limit_bytes=64 * MIB, ballast_bytes=MIB, keep_ms=10**12)
        self.store = Store.open(
            folder / "store.db", clock=HandClock(), entropy=entropy, budget=budget, commit_interval_s=0.001
        )
        self.sealer = OpenSealer()
        self.store.use_sealer(self.sealer)
        self.now: datetime | None = NOW
        self.applied: list[Mapping[str, Any]] = []
        self.news: list[bytes] = []
        self.polled: list[Mapping[str, int]] = []
        self.failing = 0
        self.credentials = Credentials()
        self.listener = self.make()

    def make(self) -> Listener:
        return Listener(
            shelf=self.store,
            credentials=self.credentials,
            apply=self.apply,
            post=self.post,
            now=lambda: self.now,
            wait=FullJitter(entropy, first_s=0.01, most_s=0.02),
            link_errors=(LinkError,),
            reached=lambda: None,
            wait_s=1,
        )

    async def apply(self, kind: str, body: Mapping[str, Any]) -> None:
        if body.get("bad"):
            raise RefusalError(f"{kind}: two meters on one address; give each its own")
        self.applied.append(body)

    async def post(self, path: str, body: bytes, wait_s: float) -> bytes:
        assert (path, wait_s > 1) == ("/gateway/v1/downlink", True)
        if self.failing:
            self.failing -= 1
            raise LinkError("cut", answered=False)
        poll = read_poll(verify(open_request(body, Purpose.POLL), GATEWAY_KEY.public_key))
        self.polled.append(poll.have)
        if poll.challenge != CHALLENGE:
            return pack_answer(CHALLENGE, ())
        news, self.news = self.news, []
        return pack_answer(CHALLENGE, news)

    async def take(self, *signed: bytes) -> int:
        return await self.listener.take(PollAnswer(challenge=CHALLENGE, bundles=signed))

    async def in_force(self) -> int:
        stored = await self.store.bundle("site")
        return stored.version if stored else 0

    async def effects(self) -> list[tuple[int, str, str]]:
        """Return the effect reports on their way to the cloud."""
        while await self.store.seal():
            pass
        return [
            (event.record.version, event.record.effect, event.record.detail)
            for material in self.sealer.materials
            for event in material.events
            if isinstance(event.record, BundleEffect)
        ]


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    with contextlib.closing(made.store):
        yield made


async def test_a_good_bundle_is_applied_kept_and_reported(bench: Bench) -> None:
    assert await bench.take(bundle(3)) == 1
    assert bench.applied == [{"version": 3}]
    assert await bench.in_force() == 3
    assert await bench.effects() == [(3, "good", "")]


async def test_a_bad_bundle_is_refused_and_the_last_good_one_stays(bench: Bench) -> None:
    await bench.take(bundle(3))
    await bench.take(bundle(4, body={"bad": True}))
    assert await bench.in_force() == 3
    assert bench.applied == [{"version": 3}]
    assert (await bench.effects())[1][:2] == (4, BundleState.REFUSED)
    assert "two meters on one address" in (await bench.effects())[1][2]
    assert (bench.listener.stats.applied, bench.listener.stats.refused) == (1, 1)


@pytest.mark.parametrize(
    "signed",
    [
        bundle(4, signer=OTHER_KEY),
        bundle(4)[:-1] + b"\x00",
        bundle(3),
        bundle(2),
        bundle(4, expires_ms=NOW_MS),
        bundle(4, gateway_id=GatewayId(UUID(int=7))),
        b"garbage",
    ],
    ids=["forged", "altered", "the same again", "replayed", "expired", "for another gateway", "garbage"],
)
async def test_what_cannot_be_trusted_changes_nothing(bench: Bench, signed: bytes) -> None:
    await bench.take(bundle(3))
    assert await bench.take(signed, bundle(5)) == 1
    assert bench.applied == [{"version": 3}, {"version": 5}]
    assert [version for version, _, _ in await bench.effects()] == [3, 5]
    assert bench.listener.stats.distrusted == 1


async def test_without_a_trusted_clock_nothing_counts_as_expired(bench: Bench) -> None:
    bench.now = None
    assert await bench.take(bundle(1, expires_ms=NOW_MS - 1)) == 1
    bench.now = NOW + timedelta(days=1)
    assert await bench.take(bundle(2, expires_ms=NOW_MS)) == 0


async def test_a_certificate_renews_the_identity_and_is_no_configuration(bench: Bench) -> None:
    signed = bundle(1, kind=BundleKind.CERTIFICATE, body={})
    await bench.take(signed)
    assert bench.credentials.renewed == [signed]
    assert bench.applied == []


async def test_polling_goes_on_through_failures_and_asks_for_nothing_twice(bench: Bench) -> None:
    bench.failing = 3
    bench.news = [bundle(3), bundle(4, kind=BundleKind.TARIFFS, body={"bad": True})]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.listener.run())
        await until(lambda: len(bench.polled) >= 3)
        task.cancel()
    assert bench.listener.stats.failures == 3
    assert bench.polled[:2] == [{}, {}]
    assert bench.polled[2] == {"site": 3, "tariffs": 4}


async def test_a_nudge_ends_the_waiting_after_a_failure(bench: Bench) -> None:
    bench.listener.wait = FullJitter(lambda count: b"\xff" * count, first_s=300)
    bench.failing = 1
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.listener.run())
        await until(lambda: bench.listener.stats.failures == 1)
        await asyncio.sleep(0.05)
        bench.listener.nudge()
        await until(lambda: bench.listener.stats.connected)
        task.cancel()


async def test_after_a_restart_only_news_are_asked_for(bench: Bench) -> None:
    await bench.take(bundle(3))
    bench.listener = bench.make()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.listener.run())
        await until(lambda: len(bench.polled) >= 1)
        task.cancel()
    assert bench.polled[0] == {"site": 3}
