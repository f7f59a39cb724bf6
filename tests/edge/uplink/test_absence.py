"""Ninety days without a cloud, clocks that leap a year, a link that lies: every reading arrives once, in its order."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from common.wire import codec
from common.wire.batch import BatchContent
from common.wire.signing import Purpose, open_envelope
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.clock import entropy, monotonic_s
from edge.uplink.courier import Courier, Rhythm
from edge.uplink.errors import LinkError
from edge.uplink.link import COSE, Reply
from edge.uplink.sealer import BatchSealer
from tests.edge.builders import HandClock, meter, sample
from tests.edge.uplink.test_courier import PROBLEM, Signer, receipt_for
from tests.support.randomness import seeded

pytestmark = pytest.mark.timeout(120)
DAYS = 90
METERS = 3
STEPS = {10: timedelta(days=365), 20: timedelta(days=-365), 30: timedelta(days=-365), 40: timedelta(days=365)}
SEED = 90


class LyingLink:
    """A cloud that keeps every batch once and answers as bad links do: lost, slow, torn, doubled, out of order."""

    def __init__(self) -> None:
        self.up = False
        self.kept: dict[tuple[int, int], bytes] = {}
        self.tries = 0
        self._last = b""
        self._chance = seeded(SEED)

    async def post(self, path: str, body: bytes) -> Reply:
        assert path == "/gateway/v1/batches"
        self.tries += 1
        if not self.up:
            raise LinkError("nobody there", answered=False)
        content = content_of(body)
        answer = receipt_for(body)
        mischief: list[Callable[[], Reply]] = [
            lambda: self._keep(content, body, answer),
            lambda: self._keep(content, body, self._lost()),
            self._lost,
            lambda: self._keep(content, body, Reply(status=200, media_type=COSE, body=answer.body[:40])),
            lambda: Reply(status=200, media_type=COSE, body=self._last or answer.body[:1]),
            lambda: Reply(status=502, media_type=PROBLEM, body=b"{}"),
        ]
        pick = 0 if self._chance.random() < 0.5 else self._chance.randrange(1, len(mischief))
        return mischief[pick]()

    def _keep(self, content: BatchContent, body: bytes, answer: Reply) -> Reply:
        place = (content.header.epoch, content.header.sequence)
        assert self.kept.setdefault(place, body) == body, "the same batch came with other bytes"
        self._last = receipt_for(body).body  # a receipt that may come again, late
        if answer.status == 0:
            raise LinkError("the answer was lost", answered=False)
        return answer

    def _lost(self) -> Reply:
        return Reply(status=0, media_type="", body=b"")

    async def probe(self) -> bool:
        return self.up


class Door(LyingLink):
    """The lying link as the courier sees it: what is lost is a link error."""

    @override
    async def post(self, path: str, body: bytes) -> Reply:
        reply = await super().post(path, body)
        if reply.status in {0, 502}:
            raise LinkError("no answer", answered=reply.status != 0)
        return reply


def content_of(body: bytes) -> BatchContent:
    return codec.unpack_content(open_envelope(codec.unpack_parcel(body).signed, Purpose.BATCH).payload)


async def test_ninety_days_away_with_leaping_clocks_lose_and_double_nothing(tmp_path: Path) -> None:
    clock, link = HandClock(), Door()
    budget = Budget(limit_bytes=64 << 20, ballast_bytes=1 << 20)
    stored: list[tuple[str, int, int]] = []
    with closing(
        Store.open(tmp_path / "store.db", clock=clock, entropy=entropy, budget=budget, commit_interval_s=0.001)
    ) as store:
        store.use_sealer(BatchSealer(Signer(), entropy))
        courier = Courier(
            store=store,
            link=link,
            trust=Signer(),
            entropy=bytes,
            monotonic_s=monotonic_s,
            rhythm=Rhythm(gather_s=0.001, probe_s=0.01, hold_s=0.01),
        )
        task = asyncio.ensure_future(courier.run())
        try:
            await live(store, clock, stored)
            assert link.kept == {}
            link.up = True
            async with asyncio.timeout(60):
                while not await delivered(store):  # noqa: ASYNC110 - the store tells nobody
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            await asyncio.wait([task])
    points = [
        (str(point.series.meter_id), point.slot_ms, point.value_milli)
        for body in link.kept.values()
        for point in content_of(body).points()
    ]
    assert Counter(points) == Counter(stored)
    assert len(stored) > DAYS * METERS * 3
    sequences = sorted(sequence for _, sequence in link.kept)
    assert sequences == list(range(1, len(sequences) + 1))


async def delivered(store: Store) -> bool:
    status = await store.status()
    return status.batches_pending == status.readings_waiting == 0


async def live(store: Store, clock: HandClock, stored: list[tuple[str, int, int]]) -> None:
    """Read some meters six-hourly for ninety days while the wall clock leaps; note what was committed as new."""
    value = 0
    for day in range(DAYS):
        clock.step(STEPS.get(day, timedelta()))
        await store.note_clock()
        for _ in range(4):
            clock.advance(timedelta(hours=6))
            value += 1
            commits = [
                (number, await store.offer(sample(number, clock.utc_ms, value, boot_ms=clock.boot_ms)))
                for number in range(1, METERS + 1)
            ]
            for number, commit in commits:
                if await commit:
                    stored.append((str(meter(number)), clock.utc_ms, value))
