"""The courier: seals what waits, sends what is sealed, settles what a verified receipt answers.

    rows ──seal──► batch ──POST──► receipt that verifies ──settle──► kept for the keep-time, then gone
                     ▲                │ no answer, no receipt: back-off with full jitter, the same bytes again
                     └────────────────┘ a refusal for now: this batch rests, the others go on

Nothing ever waits for the courier. A batch leaves the queue only through a receipt signed by a trusted cloud key that
names its digest; an HTTP status alone means nothing. Gate and money go first, then readings oldest first, and in a
long drain every tenth batch is the newest, so that pages in the cloud live.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from common.wire.receipt import Receipt, open_receipt
from common.wire.refusal import TEMPORARY, WireError
from common.wire.sequence import Outcome
from edge.buffer.ports import Outbox
from edge.buffer.records import BatchState, Lane, SealedBatch
from edge.uplink.backoff import FullJitter
from edge.uplink.errors import LinkError
from edge.uplink.link import COSE, Reply

PATH = "/gateway/v1/batches"
NEWEST_EVERY = 10
ASKED_MAX = 1_000
_ABOUT_THIS_BATCH = frozenset({413, 422})  # what a refusal without a receipt says about these bytes alone
_SECOND_MS = 1_000
_log = structlog.get_logger()


class CourierStore(Outbox, Protocol):
    """What the courier needs of the store."""

    async def receive_time(self, utc_ms: int, uncertainty_ms: int) -> None:
        """Anchor the clock to the signed time of a receipt."""
        ...


class Trust(Protocol):
    """Whose receipts count."""

    @property
    def trusted(self) -> Mapping[bytes, bytes]:
        """Return the public keys of the cloud by key id."""
        ...


class Link(Protocol):
    """The way to the cloud."""

    async def post(self, path: str, body: bytes) -> Reply:
        """Send bytes and return what came back, or raise LinkError."""
        ...

    async def probe(self) -> bool:
        """Return whether the cloud takes connections."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How the courier paces itself, in machine seconds."""

    gather_s: float = 900.0  # how long readings gather before they are sealed
    gather_gate_s: float = 0.2  # and gate rows: a car every moment would else be a batch, a post and two commits each
    probe_s: float = 1.5  # how often a handshake is tried while the cloud is not reached
    hold_s: float = 60.0  # how long a batch rests that was refused for now


@dataclass(slots=True, kw_only=True)
class CourierStats:
    """Live counters of the uplink."""

    sealed: int = 0
    posted: int = 0
    settled: int = 0
    refused: int = 0
    held: int = 0
    link_failures: int = 0
    untrusted_answers: int = 0
    asked_again: int = 0
    contiguous: int = 0
    connected: bool = False


def _nobody() -> None:
    """Tell nobody."""


@dataclass(slots=True, kw_only=True)
class Courier:
    """Moves batches from the store to the cloud for as long as it runs; `reached` is called when a receipt has come."""

    store: CourierStore
    link: Link
    trust: Trust
    entropy: Callable[[int], bytes]
    monotonic_s: Callable[[], float]
    rhythm: Rhythm = field(default_factory=Rhythm)
    stats: CourierStats = field(default_factory=CourierStats)
    reached: Callable[[], None] = _nobody
    _fresh: asyncio.Event = field(default_factory=asyncio.Event)
    _awake: asyncio.Event = field(default_factory=asyncio.Event)
    _answered: bool = False
    _newest: int = 0
    _resting: dict[int, float] = field(default_factory=dict)
    _asked: dict[int, None] = field(default_factory=dict)

    async def run(self) -> None:
        """Seal and send until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._seal_gate())
            group.create_task(self._seal_measures())
            group.create_task(self._send())

    def nudge(self) -> None:
        """Try again at once: something else has just reached the cloud."""
        self._awake.set()

    async def _seal_gate(self) -> None:
        while True:
            await self.store.wait_gate_rows()
            await asyncio.sleep(self.rhythm.gather_gate_s)
            await self._seal_all((Lane.GATE,))

    async def _seal_measures(self) -> None:
        while True:
            await self.store.wait_rows()
            await asyncio.sleep(self.rhythm.gather_s)
            await self._seal_all(tuple(Lane))

    async def _seal_all(self, lanes: Sequence[Lane]) -> None:
        """Seal what waits in the lanes; what comes while the last batch is made gathers for the next round.

        A busy gateway would else seal a handful of rows after every commit, and a small batch costs as much as a large.
        """
        while batch := await self.store.seal(lanes):
            self.stats.sealed += 1
            self._newest = max(self._newest, batch.number)
            self._fresh.set()
            if batch.lane is lanes[-1] and not batch.full:
                return

    async def _send(self) -> None:
        while True:
            self._fresh.clear()
            if not await self._send_one():
                await _first_of(self._fresh.wait, self.rhythm.hold_s)

    async def _send_one(self) -> bool:
        """Send one batch, however often it takes; return False when none waits."""
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(LinkError),
            wait=FullJitter(self.entropy),
            sleep=self._rest,
            before_sleep=self._note_failure,
        )
        async for attempt in attempts:
            with attempt:
                batch = await self._next()
                if batch is None:
                    return False
                await self._deliver(batch)
        return True

    async def _next(self) -> SealedBatch | None:
        """Return the batch to send now; asked anew before each attempt, because gate rows go first."""
        now_s = self.monotonic_s()
        self._resting = {number: until for number, until in self._resting.items() if until > now_s}
        if self._newest and self.stats.posted % NEWEST_EVERY == NEWEST_EVERY - 1:
            newest = await self.store.batch(self._newest)
            if newest is not None and newest.state is BatchState.PENDING and newest.number not in self._resting:
                return newest
        for batch in await self.store.pending(1 + len(self._resting)):
            if batch.number not in self._resting:
                return batch
        return await self._asked_batch()

    async def _asked_batch(self) -> SealedBatch | None:
        while self._asked:
            number = next(iter(self._asked))
            del self._asked[number]
            batch = await self.store.batch(number)
            if batch is None:
                _log.warning("asked_batch_gone", number=number)
            elif batch.state is BatchState.SETTLED:
                self.stats.asked_again += 1
                return batch
        return None

    async def _deliver(self, batch: SealedBatch) -> None:
        await self.store.tried(batch.number)
        started_s = self.monotonic_s()
        self.stats.posted += 1
        reply = await self.link.post(PATH, batch.body)
        round_trip_ms = int((self.monotonic_s() - started_s) * _SECOND_MS)
        receipt = self._receipt(batch, reply)
        if receipt is None:
            self._rest_batch(batch, f"status {reply.status}")
            return
        if not self.stats.connected:
            _log.info("uplink_connected", batch=batch.number)
            self.reached()
        self.stats.connected = True
        await self.store.receive_time(receipt.received_ms, round_trip_ms // 2 + 1)
        await self._settle(batch, receipt, reply.body)
        if receipt.pace_ms:
            await asyncio.sleep(receipt.pace_ms / _SECOND_MS)

    def _receipt(self, batch: SealedBatch, reply: Reply) -> Receipt | None:
        """Return the receipt of a reply; None when this batch alone was not understood.

        Raises:
            LinkError: whoever answered is not the cloud, or does not know this gateway's key now.
        """
        if reply.media_type != COSE:
            self.stats.untrusted_answers += 1
            if reply.status not in _ABOUT_THIS_BATCH:
                raise LinkError(f"no receipt came, but status {reply.status}", answered=True)
            return None
        try:
            receipt = open_receipt(reply.body, self.trust.trusted)
        except WireError as error:
            self.stats.untrusted_answers += 1
            raise LinkError(f"the receipt does not verify: {error}", answered=True) from error
        if receipt.digest != batch.digest:
            self.stats.untrusted_answers += 1
            raise LinkError(f"the receipt is for another batch than {batch.number}", answered=True)
        return receipt

    async def _settle(self, batch: SealedBatch, receipt: Receipt, signed: bytes) -> None:
        if receipt.outcome is not Outcome.REFUSED:
            await self.store.settle(batch.number, signed, BatchState.SETTLED)
            self.stats.settled += 1
            self.stats.contiguous = receipt.contiguous
            self._note_asked(receipt)
        elif receipt.refusal in TEMPORARY:
            self._rest_batch(batch, str(receipt.refusal))
        else:
            await self.store.settle(batch.number, signed, BatchState.REFUSED)
            self.stats.refused += 1
            _log.error("batch_refused", batch=batch.number, reason=str(receipt.refusal))

    def _note_asked(self, receipt: Receipt) -> None:
        for missing in receipt.asked:
            for number in range(missing.first, missing.last + 1):
                if len(self._asked) >= ASKED_MAX:
                    return
                self._asked[number] = None

    def _rest_batch(self, batch: SealedBatch, reason: str) -> None:
        self.stats.held += 1
        self._resting[batch.number] = self.monotonic_s() + self.rhythm.hold_s
        _log.warning("batch_rests", batch=batch.number, reason=reason)

    def _note_failure(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self.stats.link_failures += 1
        if self.stats.connected or state.attempt_number == 1:
            _log.warning("uplink_lost", reason=str(error))
        self.stats.connected = False
        self._answered = isinstance(error, LinkError) and error.answered

    async def _rest(self, seconds: float) -> None:
        """Wait before the next attempt; a nudge or, where nobody was reached, a handshake ends it early."""
        end_s = self.monotonic_s() + seconds
        self._awake.clear()
        while (left_s := end_s - self.monotonic_s()) > 0:
            if await _first_of(self._awake.wait, min(left_s, self.rhythm.probe_s)):
                return
            if not self._answered and await self.link.probe():
                return


async def _first_of(wait: Callable[[], Awaitable[object]], seconds: float) -> bool:
    """Wait for something for at most some seconds; return whether it came."""
    try:
        async with asyncio.timeout(seconds):
            await wait()
    except TimeoutError:
        return False
    return True
