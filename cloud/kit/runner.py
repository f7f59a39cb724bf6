"""The worker's loop: claim a job, hand it to its handler, finish it with its effect; give it back when it fails.

    async def issue_bill(context: JobContext) -> None:
        async with context.finishing_unit() as unit:      # effect and completion commit together, or neither does
            ...

A handler that leaves without `finishing_unit` is finished for it. A long job works in chunks, each in
`context.unit()`, which commits the chunk, proves the lease and renews it. A handler may run again from the start
after a crash, so whatever it commits before finishing must be repeatable.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit import jobqueue
from cloud.kit.actor import SYSTEM_ID, Actor
from cloud.kit.clock import monotonic_s
from cloud.kit.db import Database, Unit
from cloud.kit.errors import BusyError
from cloud.kit.jobqueue import LeaseLostError
from cloud.kit.jobs import ATTEMPTS_MAX, LEASE, Job
from common.ids import TenantId

_PAUSE_S = 1.0
_log = structlog.get_logger()


class JobContext:
    """A job in hand: what to do, and the units of work to do it in."""

    def __init__(self, database: Database, job: Job, actor: Actor, lease: timedelta = LEASE) -> None:
        self.database = database
        self.job = job
        self.actor = actor
        self.finished = False
        self._lease = lease
        self._limit: asyncio.Timeout | None = None
        self._rest_s = 0.0

    @asynccontextmanager
    async def limited(self, rest_s: float) -> AsyncIterator[None]:
        """Cut the work off that commits nothing for so long, in s.

        Raises:
            TimeoutError: it was cut off.
        """
        self._rest_s = rest_s
        async with asyncio.timeout(rest_s) as self._limit:
            yield

    def view(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Read as the job's company."""
        return self.database.view(self.job.tenant)

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        """Commit one chunk of a long job, if the job is still ours, and keep it for another lease.

        Raises:
            LeaseLostError: another worker has the job; the chunk is rolled back.
        """
        async with self.database.unit(self.job.tenant, self.actor) as unit:
            yield unit
            await jobqueue.renew(unit.session, self.job, self._lease)
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time() + self._rest_s)

    @asynccontextmanager
    async def finishing_unit(self) -> AsyncIterator[Unit]:
        """Commit the effect of the job and its completion together, if the job is still ours.

        Raises:
            LeaseLostError: another worker has the job; everything in the block is rolled back.
        """
        async with self.database.unit(self.job.tenant, self.actor) as unit:
            yield unit
            await unit.session.flush()
            await jobqueue.finish(unit.session, [self.job])
        self.finished = True


class JobBatch:
    """Jobs of one company and one kind in hand together."""

    def __init__(self, database: Database, jobs: Sequence[Job], actor: Actor) -> None:
        self.database = database
        self.jobs = tuple(jobs)
        self.actor = actor
        self.finished = False

    def view(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Read as the company of the jobs."""
        return self.database.view(self.jobs[0].tenant)

    @asynccontextmanager
    async def finishing_unit(self) -> AsyncIterator[Unit]:
        """Commit the effect of all jobs and their completion together, if all are still ours.

        Raises:
            LeaseLostError: another worker has one of them; everything in the block is rolled back.
        """
        async with self.database.unit(self.jobs[0].tenant, self.actor) as unit:
            yield unit
            await unit.session.flush()
            await jobqueue.finish(unit.session, self.jobs)
        self.finished = True


Handler = Callable[[JobContext], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """How jobs of a kind are done many at once; should that fail, each is done alone by its handler.

    `gather_ms` is how long the jobs that come after some were done may gather before they are looked at, in ms.
    """

    handle: Callable[[JobBatch], Awaitable[None]]
    gather_ms: int
    most: int = 64


class Bell:
    """Wakes whoever waits for work; a ring while somebody is still looking is not lost on him."""

    def __init__(self) -> None:
        self.rung = 0
        self._next = asyncio.Event()

    def set(self) -> None:
        """Ring."""
        self.rung += 1
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, heard: int) -> None:
        """Go on once it rang more often than was heard."""
        if self.rung == heard:
            await self._next.wait()


class JobMetrics:
    """What the worker counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.jobs = Counter("gatehouse_jobs", "Jobs by kind and outcome", ["kind", "outcome"], registry=registry)
        self.seconds = Histogram("gatehouse_job_seconds", "Time of a job", ["kind"], registry=registry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a runner works: lanes side by side, how often it looks for work, how long it holds a job.

    `rest_s_max` is how long a job may go on without committing a chunk, in s; a longer one is cut off and tried again.
    """

    lanes: int = 4
    poll_s: float = 0.25
    lease: timedelta = LEASE
    rest_s_max: float = 600


@dataclass(slots=True, kw_only=True)
class Runner:
    """A worker: runs due jobs of the kinds it has handlers for."""

    database: Database
    handlers: Mapping[str, Handler]
    metrics: JobMetrics
    name: str
    pace: Pace = field(default_factory=Pace)
    wake: Bell = field(default_factory=Bell)
    together: Mapping[str, Together] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Run jobs side by side until told to stop; a job in hand is done first."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._lanes(stop, group))
            for kind, together in self.together.items():
                group.create_task(self._gathered(stop, kind, together))

    async def drain(self, jobs_max: int = 100_000) -> int:
        """Run jobs one after another, or together where that is their way, until none is due; return how many ran."""
        count = 0
        while count < jobs_max:
            jobs = await self._claim(tuple(self.handlers), 1)
            if not jobs:
                break
            together = self.together.get(jobs[0].kind)
            if together is None:
                await self.run_job(jobs[0])
            else:
                jobs += await self._claim((jobs[0].kind,), together.most)
                await self.run_together(together, jobs)
            count += len(jobs)
        return count

    async def run_together(self, together: Together, jobs: Sequence[Job]) -> None:
        """Run claimed jobs of one kind together, those of each company in one go, or else each alone."""
        by_company: dict[TenantId, list[Job]] = {}
        for job in jobs:
            by_company.setdefault(job.tenant, []).append(job)
        for own in by_company.values():
            if len(own) == 1 or not await self._done_together(together, own):
                for job in own:
                    await self.run_job(job)

    async def _done_together(self, together: Together, jobs: Sequence[Job]) -> bool:
        """Return whether jobs are done; when anything went wrong with them nothing is, and nothing is counted."""
        batch = JobBatch(self.database, jobs, self._actor())
        started_s = monotonic_s()
        try:
            async with asyncio.timeout(self.pace.rest_s_max):
                await together.handle(batch)
                if not batch.finished:
                    async with batch.finishing_unit():
                        pass
        except Exception as error:  # noqa: BLE001 - each job is done alone, where its own fault is told
            _log.warning("jobs_parted", kind=jobs[0].kind, count=len(jobs), reason=type(error).__name__)
            return batch.finished
        self.metrics.seconds.labels(jobs[0].kind).observe(monotonic_s() - started_s)
        self.metrics.jobs.labels(jobs[0].kind, "done").inc(len(jobs))
        return True

    async def run_job(self, job: Job) -> None:
        """Run one claimed job to its end, whatever that is."""
        context = JobContext(self.database, job, self._actor(), self.pace.lease)
        started_s = monotonic_s()
        outcome = await self._attempt(context)
        self.metrics.seconds.labels(job.kind).observe(monotonic_s() - started_s)
        self.metrics.jobs.labels(job.kind, outcome).inc()

    async def _lanes(self, stop: asyncio.Event, group: asyncio.TaskGroup) -> None:
        """Keep the lanes filled: one looks for all of them."""
        kinds = tuple(kind for kind in self.handlers if kind not in self.together)
        busy: set[asyncio.Task[None]] = set()

        def leave(task: asyncio.Task[None]) -> None:
            busy.discard(task)
            self.wake.set()

        while not stop.is_set():
            heard, free = self.wake.rung, self.pace.lanes - len(busy)
            jobs = await self._claim_patiently(kinds, free) if free else []
            for job in jobs:
                task = group.create_task(self.run_job(job))
                busy.add(task)
                task.add_done_callback(leave)
            if not jobs:
                await self._rest(heard)

    async def _gathered(self, stop: asyncio.Event, kind: str, together: Together) -> None:
        """Do the jobs of one kind as they gather."""
        while not stop.is_set():
            heard = self.wake.rung
            jobs = await self._claim_patiently((kind,), together.most)
            if jobs:
                await self.run_together(together, jobs)
            else:
                await self._rest(heard)
            if len(jobs) < together.most:
                await asyncio.sleep(together.gather_ms / 1_000)

    async def _rest(self, heard: int) -> None:
        try:
            async with asyncio.timeout(self.pace.poll_s):
                await self.wake.wait(heard)
        except TimeoutError:
            return

    async def _claim_patiently(self, kinds: Sequence[str], wanted: int) -> list[Job]:
        try:
            return await self._claim(kinds, wanted)
        except BusyError:
            _log.warning("claim_postponed")
            await asyncio.sleep(_PAUSE_S)
            return []

    async def _claim(self, kinds: Sequence[str], wanted: int) -> list[Job]:
        async with self.database.directory() as connection:
            return await jobqueue.claim(
                connection,
                worker=self.name,
                now=self.database.clock.now(),
                wanted=wanted,
                kinds=kinds,
                lease=self.pace.lease,
            )

    def _actor(self) -> Actor:
        return Actor(kind="worker", id=SYSTEM_ID, name=self.name)

    async def _attempt(self, context: JobContext) -> str:
        job = context.job
        try:
            if job.attempts > ATTEMPTS_MAX:
                await self._give_back(context, "every attempt ended without an answer: the worker died under it")
                return "dead"
            async with context.limited(self.pace.rest_s_max):
                await self.handlers[job.kind](context)
                if not context.finished:
                    async with context.finishing_unit():
                        pass
        except LeaseLostError:
            _log.warning("job_lost", kind=job.kind, job=str(job.id))
            return "lost"
        except Exception as error:  # noqa: BLE001 - the loop's edge: counted, logged once, tried again later
            _log.warning("job_failed", kind=job.kind, job=str(job.id), attempts=job.attempts, exc_info=error)
            return await self._give_back(context, f"{type(error).__name__}: {error}")
        return "done"

    async def _give_back(self, context: JobContext, reason: str) -> str:
        try:
            async with self.database.unit(context.job.tenant, context.actor) as unit:
                await jobqueue.fail(unit.session, context.job, reason)
        except (BusyError, LeaseLostError):
            return "lost"  # the lease runs out by itself
        return "dead" if context.job.attempts >= ATTEMPTS_MAX else "failed"
