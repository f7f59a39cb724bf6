"""The one thread that writes: it groups jobs into commits, gate lane first, and checkpoints.

Invariants: a job's future is resolved after the commit that holds its work returned, never before; gate jobs commit
at once, alone or with what was done of a group when they came; other jobs commit at most once an interval; an idle
writer commits nothing. Each statement gives up the interpreter's lock and may wait for it again behind a busy loop, so
a gate commit has as few of them as can be.
A full or failing disk refuses the jobs of the moment, says so, and the thread goes on.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Generic, TypeVar

import structlog
from prometheus_client import Histogram

from common.errors import GatehouseError, InvariantError
from edge.buffer.opening import set_page_limit
from edge.buffer.rows import keep_time
from edge.buffer.shedding import Budget, pages_used, shed
from edge.buffer.state import WriterState

T = TypeVar("T")
Work = Callable[[sqlite3.Connection, WriterState], T]

JOBS_PER_COMMIT_MAX = 4_000
WAL_BYTES_MAX = 4 * 1024 * 1024
WAIT_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
_log = structlog.get_logger()


class StoreUnavailableError(GatehouseError):
    """The disk is full or failing: nothing of this job was stored, and it may be tried again later."""


class Urgency(Enum):
    """How soon a job is done."""

    READ = "read"  # at once, outside any write transaction
    GATE = "gate"  # committed at once
    SOON = "soon"  # committed at once together with whatever waits, gate jobs excepted
    MEASURE = "measure"  # committed with its group, at most once an interval


@dataclass(slots=True, kw_only=True)
class WriterStats:
    """Counters since start; the writer's thread counts, metrics read."""

    commits: int = 0
    jobs: int = 0
    failures: int = 0
    sheds: int = 0
    checkpoints: int = 0
    last_commit_us: int = 0
    worst_commit_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job(Generic[T]):
    work: Work[T]
    urgency: Urgency
    future: asyncio.Future[T]
    handed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    job: _Job[Any]
    value: Any = None
    error: GatehouseError | None = None


class Writer:
    """Owner of the writing connection and its thread."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        state: WriterState,
        *,
        path: Path,
        budget: Budget,
        monotonic_s: Callable[[], float],
        interval_s: float,
    ) -> None:
        self._connection = connection
        self._state = state
        self._path = path
        self._wal = path.with_name(path.name + "-wal")
        self._budget = budget
        self._page_limit = 0
        self._monotonic_s = monotonic_s
        self._interval_s = interval_s
        self._changed = threading.Condition()
        self._queues: dict[Urgency, deque[_Job[Any]]] = {urgency: deque() for urgency in Urgency}
        self._stopping = False
        self._dozing = False  # asleep until the next commit is due: one more measure job changes nothing
        self._next_commit_s = monotonic_s()
        self.stats = WriterStats()
        self.waits = Histogram(
            "gatehouse_store_wait_seconds",
            "From a job's handing over to its commit, the first job of each commit, by urgency",
            labelnames=("urgency",),
            buckets=WAIT_BUCKETS_S,
            registry=None,
        )
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T], urgency: Urgency) -> asyncio.Future[T]:
        """Hand a job over; the future gives its value once committed.

        Raises:
            StoreUnavailableError: the store is closed.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._changed:
            if self._stopping:
                raise StoreUnavailableError("the store is closed")
            job = _Job(work=work, urgency=urgency, future=future, handed_s=self._monotonic_s())
            self._queues[urgency].append(job)
            if urgency is not Urgency.MEASURE or not self._dozing:
                self._changed.notify()
        return future

    @property
    def alive(self) -> bool:
        """Return whether the thread still serves."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Finish what waits, checkpoint and end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    def _run(self) -> None:
        """Serve until closed; a broken invariant ends the store, and with it the gateway, rather than hang it."""
        group: list[_Job[Any]] = []
        try:
            while group := self._next_group():
                if group[0].urgency is Urgency.READ:
                    _deliver([self._read(job) for job in group])
                else:
                    self._commit(group)
                    self._tend()
        except Exception as error:  # noqa: BLE001 - the edge of the thread: counted, logged once, said to all
            _log.exception("store_writer_failed")
            broken = InvariantError(f"the store's writer failed: {error!r}")
            with self._changed:
                self._stopping = True
                waiting = [job for queue in self._queues.values() for job in queue]
            _deliver([_Done(job=job, error=broken) for job in (*group, *waiting)])

    def _next_group(self) -> list[_Job[Any]]:
        """Wait for work that is due and return it: gate jobs, reads, or the others."""
        reads, gate, soon, measure = (self._queues[urgency] for urgency in Urgency)
        with self._changed:
            while True:
                if gate:
                    return _take(gate)
                if reads:
                    return _take(reads)
                wait_s = self._next_commit_s - self._monotonic_s()
                if soon or (measure and (wait_s <= 0 or self._stopping)):
                    return _take(soon) + _take(measure)
                if self._stopping:
                    return []
                self._dozing = bool(measure)
                self._changed.wait(wait_s if measure else None)
                self._dozing = False

    def _commit(self, group: list[_Job[Any]]) -> None:
        """Commit a group; when the disk refuses, make room and try again, at last the gate lane alone."""
        started_s = self._monotonic_s()
        if group[0].urgency is not Urgency.GATE:
            self._next_commit_s = started_s + self._interval_s
        trouble = self._attempt(group, self._budget.pages_measure)
        if trouble is not None:
            self._make_room()
            trouble = self._attempt(group, self._budget.pages_measure)
        if trouble is None:
            ended_s = self._monotonic_s()
            self.stats.last_commit_us = int((ended_s - started_s) * 1_000_000)
            self._tell_wait(group, ended_s)
            self.stats.worst_commit_us = max(self.stats.worst_commit_us, self.stats.last_commit_us)
            return
        gate = [job for job in group if job.urgency is Urgency.GATE]
        refused = [job for job in group if job.urgency is not Urgency.GATE]
        error = StoreUnavailableError(
            f"the store {self._path} took nothing: {trouble}; `gatehouse edge doctor` says what fills its disk"
        )
        _log.error("store_refused_commit", reason=str(error), jobs=len(group), gate_jobs=len(gate))
        if gate and self._attempt(gate, self._budget.pages_max) is not None:
            refused = group
        _deliver([_Done(job=job, error=error) for job in refused])

    def _tell_wait(self, group: list[_Job[Any]], ended_s: float) -> None:
        """Count how long the first of a group waited, and the first gate job that was let in behind it."""
        first = [group[0]]
        if first[0].urgency is not Urgency.GATE and group[-1].urgency is Urgency.GATE:
            first.append(next(job for job in group if job.urgency is Urgency.GATE))
        for job in first:
            self.waits.labels(job.urgency.value).observe(ended_s - job.handed_s)

    def _attempt(self, jobs: list[_Job[Any]], pages: int) -> sqlite3.Error | None:
        """Do jobs in one transaction and deliver their values after its commit; return what the disk said instead."""
        try:
            self._limit(pages)
            self._begin()
            done = self._do_all(jobs)
            self._connection.execute("COMMIT")
        except (sqlite3.Error, InvariantError) as error:
            self._roll_back()
            self.stats.failures += 1
            if isinstance(error, InvariantError):
                raise
            return error
        self.stats.commits += 1
        self.stats.jobs += len(done)
        _deliver(done)
        return None

    def _begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        keep_time(self._connection, self._state, self._state.look())

    def _limit(self, pages: int) -> None:
        if pages != self._page_limit:
            set_page_limit(self._connection, pages)
            self._page_limit = pages

    def _do_all(self, jobs: list[_Job[Any]]) -> list[_Done]:
        """Do jobs plainly, and all of them anew with a savepoint around each when one of them was refused."""
        done: list[_Done] = []
        while len(done) < len(jobs):
            if jobs[len(done)].urgency is Urgency.MEASURE and self._queues[Urgency.GATE]:
                self._let_in_gate(jobs, len(done))
            done.append(self._do(jobs[len(done)]))
        if any(one.error is not None for one in done):
            self._roll_back()
            self._begin()
            done = [self._guarded(one.job) for one in done]
        return done

    def _let_in_gate(self, jobs: list[_Job[Any]], count: int) -> None:
        """Put gate jobs that have come in the place of what is not yet done, which waits a little longer, in order.

        They share the sync of what was done already, so a barrier waits for one job and one sync at most.
        """
        with self._changed:
            self._queues[Urgency.MEASURE].extendleft(reversed(jobs[count:]))
            jobs[count:] = _take(self._queues[Urgency.GATE])
        self._next_commit_s = self._monotonic_s()

    def _guarded(self, job: _Job[Any]) -> _Done:
        """Do one job inside a savepoint, so that a refused one leaves no trace and costs the others nothing."""
        self._connection.execute("SAVEPOINT job")
        done = self._do(job)
        if done.error is not None:
            self._connection.execute("ROLLBACK TO job")
            self._state.load(self._connection)
        self._connection.execute("RELEASE job")
        return done

    def _do(self, job: _Job[Any]) -> _Done:
        try:
            return _Done(job=job, value=job.work(self._connection, self._state))
        except GatehouseError as error:
            return _Done(job=job, error=error)

    def _read(self, job: _Job[Any]) -> _Done:
        try:
            return self._do(job)
        except sqlite3.Error as error:
            return _Done(job=job, error=StoreUnavailableError(f"the store cannot be read: {error}"))

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._state.load(self._connection)

    def _tend(self) -> None:
        """Keep the log short and the file inside its budget; trouble here is only counted, the data is safe."""
        try:
            if self._wal.exists() and self._wal.stat().st_size > WAL_BYTES_MAX:
                self._checkpoint()
            if pages_used(self._connection) > self._budget.pages_shed:
                self._shed()
        except sqlite3.Error as error:
            self.stats.failures += 1
            _log.error("store_upkeep_failed", error=str(error))

    def _make_room(self) -> None:
        """Give the disk back what the log holds, and shed once."""
        with suppress(sqlite3.Error):
            self._checkpoint()
            self._shed()

    def _checkpoint(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.stats.checkpoints += 1

    def _shed(self) -> None:
        self._limit(self._budget.pages_max)
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            what = shed(self._connection, self._state)
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self._roll_back()
            raise
        if what is not None:
            self.stats.sheds += 1
            _log.warning("store_shed", what=what)


def _take(queue: deque[_Job[Any]]) -> list[_Job[Any]]:
    return [queue.popleft() for _ in range(min(len(queue), JOBS_PER_COMMIT_MAX))]


def _deliver(done: list[_Done]) -> None:
    """Resolve futures on their own loops; a loop that ended no longer wants its answers."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Done]] = {}
    for item in done:
        by_loop.setdefault(item.job.future.get_loop(), []).append(item)
    for loop, items in by_loop.items():
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, items)


def _resolve(items: list[_Done]) -> None:
    for item in items:
        if item.job.future.done():
            continue
        if item.error is not None:
            item.job.future.set_exception(item.error)
        else:
            item.job.future.set_result(item.value)
