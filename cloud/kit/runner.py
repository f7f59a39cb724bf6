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
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
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

JOB_S_MAX = 600
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

    @asynccontextmanager
    async def finishing_unit(self) -> AsyncIterator[Unit]:
        """Commit the effect of the job and its completion together, if the job is still ours.

        Raises:
            LeaseLostError: another worker has the job; everything in the block is rolled back.
        """
        async with self.database.unit(self.job.tenant, self.actor) as unit:
            yield unit
            await unit.session.flush()
            await jobqueue.finish(unit.session, self.job)
        self.finished = True


Handler = Callable[[JobContext], Awaitable[None]]


class JobMetrics:
    """What the worker counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.jobs = Counter("gatehouse_jobs", "Jobs by kind and outcome", ["kind", "outcome"], registry=registry)
        self.seconds = Histogram("gatehouse_job_seconds", "Time of a job", ["kind"], registry=registry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a runner works: lanes side by side, how often it looks for work, how long it holds a job."""

    lanes: int = 4
    poll_s: float = 0.25
    lease: timedelta = LEASE


@dataclass(slots=True, kw_only=True)
class Runner:
    """A worker: runs due jobs of the kinds it has handlers for."""

    database: Database
    handlers: Mapping[str, Handler]
    metrics: JobMetrics
    name: str
    pace: Pace = field(default_factory=Pace)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stop: asyncio.Event) -> None:
        """Run jobs in every lane until told to stop; a job in hand is done first."""
        async with asyncio.TaskGroup() as lanes:
            for _ in range(self.pace.lanes):
                lanes.create_task(self._lane(stop))

    async def drain(self, jobs_max: int = 100_000) -> int:
        """Run jobs one after another until none is due, and return how many ran."""
        for count in range(jobs_max):
            job = await self._claim()
            if job is None:
                return count
            await self.run_job(job)
        return jobs_max

    async def run_job(self, job: Job) -> None:
        """Run one claimed job to its end, whatever that is."""
        context = JobContext(self.database, job, Actor(kind="worker", id=SYSTEM_ID, name=self.name), self.pace.lease)
        started_s = monotonic_s()
        outcome = await self._attempt(context)
        self.metrics.seconds.labels(job.kind).observe(monotonic_s() - started_s)
        self.metrics.jobs.labels(job.kind, outcome).inc()

    async def _lane(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                job = await self._claim()
            except BusyError:
                _log.warning("claim_postponed")
                await asyncio.sleep(_PAUSE_S)
                continue
            if job is None:
                await self._rest()
            else:
                await self.run_job(job)

    async def _rest(self) -> None:
        self.wake.clear()
        try:
            async with asyncio.timeout(self.pace.poll_s):
                await self.wake.wait()
        except TimeoutError:
            return

    async def _claim(self) -> Job | None:
        async with self.database.directory() as connection:
            claimed = await jobqueue.claim(
                connection,
                worker=self.name,
                now=self.database.clock.now(),
                wanted=1,
                kinds=tuple(self.handlers),
                lease=self.pace.lease,
            )
        return claimed[0] if claimed else None

    async def _attempt(self, context: JobContext) -> str:
        job = context.job
        try:
            if job.attempts > ATTEMPTS_MAX:
                await self._give_back(context, "every attempt ended without an answer: the worker died under it")
                return "dead"
            async with asyncio.timeout(JOB_S_MAX):
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
