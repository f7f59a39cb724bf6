"""The courier settles by verified receipts alone, lets no batch block the others, and never stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from common.wire import codec
from common.wire.batch import BatchHeader
from common.wire.receipt import Receipt, SequenceRange, sign_receipt
from common.wire.records import KioskReceipt
from common.wire.refusal import Refusal
from common.wire.sequence import Outcome
from common.wire.signing import Purpose, SigningKey, open_envelope
from edge.buffer.records import BatchState, Lane, Sealed, SealMaterial
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.clock import entropy, monotonic_s
from edge.uplink.courier import Courier, Rhythm
from edge.uplink.errors import LinkError
from edge.uplink.link import COSE, Reply
from edge.uplink.sealer import BatchSealer
from tests.common.wire.builders import CLOUD_KEY, GATEWAY, GATEWAY_KEY, NOW_MS, OTHER_KEY, TRUSTED
from tests.edge.builders import QUARTER, HandClock, sample, until

MIB = 1024 * 1024
PROBLEM = "application/problem+json"


class Signer:
    """An enrolled gateway."""

    gateway_id = GATEWAY
    key = GATEWAY_KEY
    trusted = TRUSTED


def receipt_for(body: bytes, key: SigningKey = CLOUD_KEY, **changes: Any) -> Reply:
    """Return the reply of a cloud that stored the batch, with fields of the receipt changed."""
    header, digest = header_of(body)
    facts: dict[str, Any] = {
        "gateway_id": GATEWAY,
        "epoch": header.epoch,
        "sequence": header.sequence,
        "digest": digest,
        "outcome": Outcome.STORED,
        "contiguous": header.sequence,
        "received_ms": NOW_MS,
    }
    receipt = Receipt(**{**facts, **changes})
    return Reply(status=200, media_type=COSE, body=sign_receipt(receipt, key))


def header_of(body: bytes) -> tuple[BatchHeader, bytes]:
    parcel = codec.unpack_parcel(body)
    return codec.unpack_content(open_envelope(parcel.signed, Purpose.BATCH).payload).header, parcel.digest


def refused(reason: Refusal) -> Callable[[bytes], Reply]:
    return lambda body: receipt_for(body, outcome=Outcome.REFUSED, refusal=reason)


def always(reply: Reply) -> Callable[[bytes], Reply]:
    """Return an answer that does not look at the batch."""

    def answer(body: bytes) -> Reply:
        del body
        return reply

    return answer


class PaperLink:
    """A link whose answers a test writes: by default every batch is stored."""

    def __init__(self) -> None:
        self.answers: list[Callable[[bytes], Reply]] = []
        self.bodies: list[bytes] = []
        self.reachable = True

    async def post(self, path: str, body: bytes) -> Reply:
        assert path == "/gateway/v1/batches"
        if not self.reachable:
            raise LinkError("nobody there", answered=False)
        self.bodies.append(body)
        return (self.answers.pop(0) if self.answers else receipt_for)(body)

    async def probe(self) -> bool:
        return self.reachable

    @property
    def sequences(self) -> list[int]:
        return [header_of(body)[0].sequence for body in self.bodies]


class Bench:
    """A store, a paper link and a courier between them."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        budget = Budget(limit_bytes=64 * MIB, ballast_bytes=MIB, keep_ms=10**12)
        self.store = Store.open(
            folder / "store.db", clock=self.clock, entropy=entropy, budget=budget, commit_interval_s=0.001
        )
        self.store.use_sealer(BatchSealer(Signer(), entropy))
        self.link = PaperLink()
        self.courier = Courier(
            store=self.store,
            link=self.link,
            trust=Signer(),
            entropy=bytes,
            monotonic_s=monotonic_s,
            rhythm=Rhythm(gather_s=0.01, probe_s=0.02, hold_s=0.2),
        )

    async def read(self) -> None:
        self.clock.advance(QUARTER)
        future = await self.store.offer(sample(1, self.clock.utc_ms - 1_000, 5, boot_ms=self.clock.boot_ms))
        assert await future

    async def sealed(self, count: int) -> None:
        """Seal some batches before the courier starts."""
        while await self.store.seal():
            pass
        for _ in range(count):
            await self.read()
            assert await self.store.seal() is not None

    async def state(self, number: int) -> BatchState:
        batch = await self.store.batch(number)
        assert batch is not None
        return batch.state

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.courier.run())
            yield
            task.cancel()


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    with contextlib.closing(made.store):
        yield made


async def test_a_reading_is_sealed_sent_and_settled(bench: Bench) -> None:
    async with bench.running():
        await bench.read()
        await until(lambda: bench.courier.stats.settled == bench.courier.stats.sealed > 0)
    assert await bench.state(1) is BatchState.SETTLED
    assert bench.courier.stats.connected


async def test_readings_that_come_while_a_batch_is_made_gather_for_the_next_round(bench: Bench) -> None:
    """Sealing after every commit of a busy gateway would make batches of a handful of readings each."""
    loop, signer = asyncio.get_running_loop(), BatchSealer(Signer(), entropy)

    def sealed_while_one_more_is_read(material: SealMaterial) -> Sealed:
        asyncio.run_coroutine_threadsafe(bench.read(), loop).result(10)
        return signer(material)

    await bench.sealed(0)
    bench.store.use_sealer(sealed_while_one_more_is_read)
    await bench.read()

    await bench.courier._seal_all(tuple(Lane))

    assert bench.courier.stats.sealed == 1
    assert (await bench.store.status()).readings_waiting == 1


async def test_a_batch_of_the_gate_does_not_end_the_round_of_the_readings(bench: Bench) -> None:
    await bench.sealed(0)
    paid = KioskReceipt(event_id=UUID(int=1), kiosk="k", bill_number="1", amount_fen=1, channel="wechat")
    await bench.store.record(paid, lane=Lane.GATE)
    await bench.read()

    await bench.courier._seal_all(tuple(Lane))

    assert bench.courier.stats.sealed == 2
    assert (await bench.store.status()).readings_waiting == 0


@pytest.mark.parametrize(
    "answer",
    [
        always(Reply(status=200, media_type="text/html", body=b"<html>Welcome to the hotel network")),
        always(Reply(status=202, media_type="", body=b"")),
        always(Reply(status=200, media_type=COSE, body=b"not a receipt")),
        lambda body: receipt_for(body, OTHER_KEY),
        lambda body: receipt_for(body, digest=bytes(32)),
        always(Reply(status=401, media_type=PROBLEM, body=b"{}")),
        always(Reply(status=404, media_type=PROBLEM, body=b"{}")),
    ],
    ids=["a portal", "arrived only", "garbage", "a stranger's", "for another batch", "unknown key", "wrong address"],
)
async def test_nothing_but_a_trusted_receipt_for_this_batch_settles_it(
    bench: Bench, answer: Callable[[bytes], Reply]
) -> None:
    await bench.sealed(1)
    last = (await bench.store.status()).batches_sealed
    bench.link.answers = [answer] * 3
    async with bench.running():
        await until(lambda: bench.courier.stats.link_failures >= 3)
        assert bench.courier.stats.settled == 0
        await until(lambda: bench.courier.stats.settled == last)
    assert bench.courier.stats.untrusted_answers == 3
    assert len(set(bench.link.bodies[:4])) == 1


async def test_a_refusal_for_good_keeps_the_batch_for_a_person_and_the_others_go_on(bench: Bench) -> None:
    await bench.sealed(2)
    bench.link.answers = [refused(Refusal.ALTERED)]
    async with bench.running():
        await until(lambda: bench.courier.stats.settled >= 1 and bench.courier.stats.refused == 1)
    assert await bench.state(1) is BatchState.REFUSED
    assert bench.link.sequences.count(1) == 1


@pytest.mark.parametrize(
    "answer",
    [
        refused(Refusal.TOO_FAR),
        refused(Refusal.UNKNOWN_VERSION),
        always(Reply(status=413, media_type=PROBLEM, body=b"{}")),
    ],
)
async def test_a_batch_refused_for_now_rests_while_the_others_go_on(
    bench: Bench, answer: Callable[[bytes], Reply]
) -> None:
    bench.courier.rhythm = Rhythm(gather_s=0.01, probe_s=0.02, hold_s=2.0)
    await bench.sealed(3)
    last = (await bench.store.status()).batches_sealed
    bench.link.answers = [answer]
    async with bench.running():
        await until(lambda: bench.courier.stats.settled == last - 1)
        assert await bench.state(1) is BatchState.PENDING
        await until(lambda: bench.courier.stats.settled == last)
    assert await bench.state(1) is BatchState.SETTLED


async def test_money_and_gate_go_before_readings(bench: Bench) -> None:
    await bench.sealed(2)
    paid = KioskReceipt(event_id=UUID(int=1), kiosk="k", bill_number="1", amount_fen=1, channel="wechat")
    await bench.store.record(paid, lane=Lane.GATE)
    gate = await bench.store.seal()
    assert gate is not None
    async with bench.running():
        await until(lambda: bench.courier.stats.settled == gate.number)
    assert bench.link.sequences[0] == gate.number


async def test_in_a_long_drain_every_tenth_batch_is_the_newest(bench: Bench) -> None:
    bench.courier.rhythm = Rhythm(gather_s=0.3, probe_s=0.02, hold_s=0.2)
    await bench.sealed(30)
    await bench.read()
    async with bench.running():
        bench.link.reachable = False
        await until(lambda: bench.courier.stats.sealed == 1)
        bench.link.reachable = True
        last = (await bench.store.status()).batches_sealed
        await until(lambda: bench.courier.stats.settled == last)
    assert last in bench.link.sequences[:11]


async def test_what_the_cloud_lacks_is_sent_again(bench: Bench) -> None:
    await bench.sealed(3)
    last = (await bench.store.status()).batches_sealed
    bench.link.answers = [receipt_for] * (last - 1) + [
        lambda body: receipt_for(body, asked=(SequenceRange(first=2, last=2), SequenceRange(first=900, last=901)))
    ]
    async with bench.running():
        await until(lambda: len(bench.link.bodies) == last + 1)
    assert bench.link.sequences[-1] == 2
    assert bench.link.bodies[-1] == bench.link.bodies[1]
    assert await bench.state(2) is BatchState.SETTLED


async def test_a_nudge_ends_the_waiting_at_once(bench: Bench) -> None:
    bench.courier.entropy = lambda count: b"\xff" * count
    await bench.sealed(1)
    bench.link.answers = [always(Reply(status=202, media_type="", body=b""))] * 4
    async with bench.running():
        for failures in range(1, 5):
            await until(lambda failures=failures: bench.courier.stats.link_failures == failures)  # type: ignore[misc]
            await asyncio.sleep(0.05)
            bench.courier.nudge()
        await until(lambda: bench.courier.stats.settled > 0)


async def test_the_cloud_may_ask_for_a_slower_pace(bench: Bench) -> None:
    await bench.sealed(2)
    bench.link.answers = [lambda body: receipt_for(body, pace_ms=300)]
    async with bench.running():
        await until(lambda: bench.courier.stats.settled == 1)
        started_s = monotonic_s()
        await until(lambda: bench.courier.stats.settled >= 2)
    assert monotonic_s() - started_s >= 0.2


async def test_a_receipt_sets_a_clock_that_knows_nothing_better(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with contextlib.closing(bench.store):
        async with bench.running():
            await bench.read()
            await until(lambda: bench.courier.stats.settled > 0)
    assert bench.courier.stats.contiguous > 0
