"""The store: samples and records in, sealed batches out; what a commit returned for survives power cuts.

One SQLite file (WAL, full sync), one writer thread (`edge.buffer.writer`); this face of it lives in the event loop
and does no I/O of its own. Batches are packed and signed on a thread beside both. The measure lane is bounded: when it
is full, `offer` waits, and a wire waits with it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import structlog
from prometheus_client import Histogram

from common.errors import ensure
from common.ids import MeterId
from common.wire.records import Note
from common.wire.stamp import ClockSource
from edge.buffer import rows, sealing, shelf
from edge.buffer.opening import open_file
from edge.buffer.records import BatchState, Lane, Latest, Record, Sample, SealedBatch, Sealer, StageState, StoredBundle
from edge.buffer.schema import PAGE_BYTES
from edge.buffer.shedding import Budget, pages_used
from edge.buffer.state import WriterState
from edge.buffer.writer import Urgency, Writer, WriterStats
from edge.clock import EdgeClock, monotonic_s

COMMIT_INTERVAL_S = 0.1
SAMPLES_WAITING_MAX = 2_000
RECORDS_PER_CALL_MAX = 1_000
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """How full the store is and what waits in it; counts of rows and batches, bytes of the file in use."""

    epoch: int
    batches_sealed: int
    batches_pending: int
    readings_waiting: int
    events_waiting: int
    bytes_used: int
    bytes_max: int


class Store:
    """The gateway's memory across power cuts."""

    def __init__(self, writer: Writer, state: WriterState, lock: IO[bytes], budget: Budget) -> None:
        self._writer = writer
        self._state = state
        self._lock = lock
        self._budget = budget
        self._sealer: Sealer | None = None
        self._sealing = asyncio.Lock()
        self._room = asyncio.Semaphore(SAMPLES_WAITING_MAX)
        self._rows_wait = asyncio.Event()
        self._rows_wait.set()
        self._gate_rows_wait = asyncio.Event()
        self._gate_rows_wait.set()
        self.epoch = state.epoch

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: EdgeClock,
        entropy: Callable[[int], bytes],
        budget: Budget,
        commit_interval_s: float = COMMIT_INTERVAL_S,
    ) -> Store:
        """Open the store, making it when there is none; call before anything else of the gateway starts.

        Raises:
            RefusalError: another process holds it, the folder cannot be written, or a newer release wrote it.
        """
        opened = open_file(path, entropy, budget.pages_max)
        connection = opened.connection
        connection.execute("BEGIN IMMEDIATE")
        state = WriterState(connection, clock.look, clock.boot_id)
        fresh = state.begin_boot(connection)
        rows.keep_time(connection, state, clock.look())
        if fresh:
            rows.put_records(connection, state, (Note(what="boot", detail=clock.boot_id),), Lane.MEASURE)
        if opened.damaged is not None:
            rows.put_records(connection, state, (Note(what="store_damaged", detail=opened.damaged),), Lane.MEASURE)
        connection.execute("COMMIT")
        writer = Writer(
            connection, state, path=path, budget=budget, monotonic_s=monotonic_s, interval_s=commit_interval_s
        )
        return cls(writer, state, opened.lock, budget)

    def close(self) -> None:
        """Commit what waits and release the file."""
        self._writer.close()
        self._lock.close()

    @property
    def waits(self) -> Histogram:
        """Return how long jobs waited for their commit, for whoever scrapes."""
        return self._writer.waits

    @property
    def stats(self) -> WriterStats:
        """Return the live counters of the writer."""
        return self._writer.stats

    @property
    def alive(self) -> bool:
        """Return whether the writer serves; when it does not, the process must end and be started again."""
        return self._writer.alive

    def trouble(self) -> str | None:
        """Return why the store does not serve, None while it does; for the watchdog."""
        return None if self.alive else "the store's writer ended"

    def cursor(self, meter_id: MeterId) -> int | None:
        """Return the last slot of a meter that is stored or said to be a gap, in milliseconds; None before any."""
        return self._state.cursors.get(meter_id)

    async def offer(self, sample: Sample) -> asyncio.Future[bool]:
        """Hand a sample over, waiting while the lane is full; the future gives whether it was new, once committed."""
        await self._room.acquire()
        try:
            future = self._writer.submit(
                lambda connection, state: rows.put_sample(connection, state, sample), Urgency.MEASURE
            )
        except BaseException:
            self._room.release()
            raise
        future.add_done_callback(self._note_sample)
        return future

    async def record(self, *records: Record, lane: Lane = Lane.MEASURE, states: Sequence[StageState] = ()) -> None:
        """Store records and stage states in one commit, the gate lane at once; returns when they are committed."""
        ensure(len(records) <= RECORDS_PER_CALL_MAX, f"at most {RECORDS_PER_CALL_MAX} records a call")

        def work(connection: sqlite3.Connection, state: WriterState) -> None:
            rows.put_records(connection, state, records, lane)
            rows.put_states(connection, states)

        await self._writer.submit(work, Urgency.GATE if lane is Lane.GATE else Urgency.MEASURE)
        if records:
            self._rows_wait.set()
            if lane is Lane.GATE:
                self._gate_rows_wait.set()

    async def note_clock(self) -> None:
        """Look at the clocks now, as every commit does; a backward step draws the cursors back to the present."""
        await self._writer.submit(lambda _connection, _state: None, Urgency.MEASURE)

    async def stage(self, owner: str) -> Mapping[str, bytes]:
        """Return what a stage stored, by name."""
        return await self._writer.submit(lambda connection, _: shelf.stage(connection, owner), Urgency.READ)

    async def latest(self) -> Sequence[Latest]:
        """Return the newest stored value of every point."""
        return await self._writer.submit(lambda connection, _: shelf.latest(connection), Urgency.READ)

    async def status(self) -> StoreStatus:
        """Return how full the store is."""

        def work(connection: sqlite3.Connection, state: WriterState) -> StoreStatus:
            waiting = shelf.waiting(connection)
            return StoreStatus(
                epoch=state.epoch,
                batches_sealed=state.number,
                batches_pending=waiting.batches,
                readings_waiting=waiting.readings,
                events_waiting=waiting.events,
                bytes_used=pages_used(connection) * PAGE_BYTES,
                bytes_max=self._budget.limit_bytes,
            )

        return await self._writer.submit(work, Urgency.READ)

    def use_sealer(self, sealer: Sealer) -> None:
        """Give the signer, once the gateway is enrolled; until then `seal` returns None and rows wait."""
        self._sealer = sealer
        self._rows_wait.set()
        self._gate_rows_wait.set()

    async def wait_rows(self) -> None:
        """Return when rows wait to be sealed."""
        await self._rows_wait.wait()

    async def wait_gate_rows(self) -> None:
        """Return when rows of the gate lane wait to be sealed."""
        await self._gate_rows_wait.wait()

    async def seal(self, lanes: Sequence[Lane] = tuple(Lane)) -> SealedBatch | None:
        """Move waiting rows of the first lane that has any into one signed batch; None when none or nobody can sign.

        One batch is sealed at a time, beside the writer: its thread only copies the rows and stores the batch.
        """
        async with self._sealing:
            urgency = Urgency.GATE if Lane.GATE in lanes and self._gate_rows_wait.is_set() else Urgency.MEASURE
            if Lane.GATE in lanes:
                self._gate_rows_wait.clear()
            if Lane.MEASURE in lanes:
                self._rows_wait.clear()
            if self._sealer is None:
                return None
            batch = await self._seal(self._sealer, lanes, urgency)
        if batch is not None:
            self._rows_wait.set()
            if batch.lane is Lane.GATE:
                self._gate_rows_wait.set()
        return batch

    async def _seal(self, sealer: Sealer, lanes: Sequence[Lane], urgency: Urgency) -> SealedBatch | None:
        while True:
            draft = await self._writer.submit(lambda c, state: sealing.gather(c, state, lanes), Urgency.READ)
            if draft is None:
                return None
            sealed = await asyncio.to_thread(lambda: sealer(sealing.material_of(draft)))  # noqa: B023 - awaited here
            try:
                return await self._writer.submit(lambda c, state: sealing.keep(c, state, draft, sealed), urgency)  # noqa: B023 - awaited here
            except sealing.StaleDraftError as stale:
                _log.info("sealing_began_anew", reason=str(stale))

    async def pending(self, limit: int) -> Sequence[SealedBatch]:
        """Return batches without a receipt: gate lane first, then oldest first."""
        return await self._writer.submit(
            lambda connection, state: sealing.pending(connection, state.epoch, limit), Urgency.READ
        )

    async def batch(self, number: int) -> SealedBatch | None:
        """Return one batch again, settled or not; None when it is gone."""
        return await self._writer.submit(
            lambda connection, state: sealing.batch(connection, state.epoch, number), Urgency.READ
        )

    async def tried(self, number: int) -> None:
        """Count one attempt to send the batch; the count is kept with the next commit, which nobody waits for."""
        counted = self._writer.submit(lambda connection, _: sealing.tried(connection, number), Urgency.MEASURE)
        counted.add_done_callback(_look_at)

    async def settle(self, number: int, receipt: bytes, state: BatchState) -> None:
        """Keep the verified receipt and end the batch's waiting; purge what outlived its keep-time.

        Committed at once: the next batch of a long drain waits for it.
        """

        def work(connection: sqlite3.Connection, writer_state: WriterState) -> None:
            sealing.settle(connection, writer_state, number, receipt, state)
            sealing.purge(connection, writer_state, self._budget.keep_ms)

        await self._writer.submit(work, Urgency.SOON)

    async def bundle(self, kind: str) -> StoredBundle | None:
        """Return the bundle in force: the newest in trial, else the newest good one."""
        return await self._writer.submit(lambda connection, _: shelf.bundle(connection, kind), Urgency.READ)

    async def save_bundle(self, bundle: StoredBundle) -> None:
        """Keep a bundle or change its state; a newer good one supersedes the older of its kind."""
        await self._writer.submit(lambda connection, _: shelf.save_bundle(connection, bundle), Urgency.MEASURE)

    async def receive_time(self, utc_ms: int, uncertainty_ms: int) -> None:
        """Anchor the clock to the signed time of a receipt when nothing better is known in this boot."""
        stamp = await self._writer.submit(lambda _, state: state.stamp(), Urgency.READ)
        if stamp.source is ClockSource.BOUNDED:
            await self._writer.submit(
                lambda connection, state: rows.receive_time(connection, state, utc_ms, uncertainty_ms),
                Urgency.MEASURE,
            )

    def _note_sample(self, future: asyncio.Future[bool]) -> None:
        self._room.release()
        if not future.cancelled() and future.exception() is None:
            self._rows_wait.set()


def _look_at(done: asyncio.Future[None]) -> None:
    """Take note of a failure that nobody waits for; the writer has logged it."""
    if not done.cancelled():
        done.exception()
