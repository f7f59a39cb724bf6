"""The worker process: jobs in lanes, schedules by business time, old jobs to the archive, and the figures of all that.

Loops beside the lanes, each alone with its job: one listens for new work, one frees the jobs of workers that died, one
keeps the schedules, one tidies. The session that listens also keeps the worker's name, which is never used twice: when
the worker dies, its jobs are free as soon as another looks, at the latest when their lease ends. A loop that meets a
database that is away waits and goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import structlog
from prometheus_client import Gauge, start_http_server

from cloud import flow
from cloud.kit import jobqueue
from cloud.kit.actor import system_actor
from cloud.kit.errors import BusyError
from cloud.kit.jobs import LEASE
from cloud.kit.runner import JobMetrics, Pace, Runner
from cloud.kit.schedules import fire_due, next_due
from cloud.services import Services
from common.ids import TenantId

ARCHIVE_AFTER = timedelta(minutes=10)
ARCHIVE_BATCH = 5_000
TIDY_S = 15.0
_PAUSE_S = 1.0
_log = structlog.get_logger()


class Worker:
    """A worker process around a runner."""

    def __init__(self, services: Services, conninfo: str, *, name: str, lanes: int, poll_s: float) -> None:
        self._services = services
        self._conninfo = conninfo
        self._poll_s = poll_s
        self._waiting = Gauge(
            "gatehouse_jobs_waiting", "Jobs that are not done", ["kind", "state"], registry=services.registry
        )
        self._next_due: dict[TenantId, datetime] = {}
        self._named = asyncio.Event()
        self.runner = Runner(
            database=services.database,
            handlers=flow.handlers(services),
            together=flow.together(services),
            metrics=JobMetrics(services.registry),
            name=name,
            pace=Pace(lanes=lanes, poll_s=poll_s, lease=LEASE),
        )

    def serve_metrics(self, host: str, port: int) -> None:
        """Answer this worker's metrics on a port of its own."""
        start_http_server(port, host, registry=self._services.registry)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; jobs in hand are done first."""
        async with asyncio.TaskGroup() as loops:
            helpers = [
                loops.create_task(self._forever(self._listen, _PAUSE_S)),
                loops.create_task(self._forever(self._free_jobs, TIDY_S)),
                loops.create_task(self._forever(self._fire_schedules, self._poll_s)),
                loops.create_task(self._forever(self._tidy, TIDY_S)),
            ]
            await self.runner.run(stop)
            for helper in helpers:
                helper.cancel()

    async def fire_schedules(self) -> None:
        """Insert the scheduled jobs of every company that are due by business time."""
        now = self._services.database.clock.now()
        async with self._services.database.directory() as connection:
            companies = await jobqueue.companies(connection)
        for tenant, zone_name in companies:
            if self._next_due.get(tenant, now) > now:
                continue
            zone = ZoneInfo(zone_name)
            async with self._services.database.unit(tenant, system_actor("schedule")) as unit:
                await fire_due(unit, flow.SCHEDULES, zone)
                due = next_due(flow.SCHEDULES, unit.now, zone)
            if due is not None:
                self._next_due[tenant] = due
        self.runner.wake.set()

    async def _forever(self, step: Callable[[], Awaitable[None]], pause_s: float) -> None:
        while True:
            try:
                await step()
            except (BusyError, psycopg.OperationalError) as error:
                _log.warning("worker_waits", step=getattr(step, "__name__", ""), reason=type(error).__name__)
                await asyncio.sleep(_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def _fire_schedules(self) -> None:
        if flow.SCHEDULES:
            await self.fire_schedules()

    async def _listen(self) -> None:
        async with asyncio.timeout(TIDY_S):
            connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        async with connection:
            await connection.execute("select directory.keep_name(%s)", (self.runner.name,))
            self._named.set()
            await connection.execute(f"listen {jobqueue.CHANNEL}")
            while True:
                async for _ in connection.notifies(timeout=TIDY_S, stop_after=1):
                    self.runner.wake.set()
                await connection.execute("select 1")  # a connection that died in silence is noticed here

    async def _free_jobs(self) -> None:
        await self._named.wait()  # else the jobs of this worker would look abandoned
        async with self._services.database.directory() as connection:
            freed = await jobqueue.free_jobs_of_the_gone(connection)
        if freed:
            _log.warning("jobs_freed", count=freed)
            self.runner.wake.set()

    async def _tidy(self) -> None:
        async with self._services.database.directory() as connection:
            await jobqueue.archive(connection, older_than=ARCHIVE_AFTER, limit=ARCHIVE_BATCH)
            counts = await jobqueue.counts(connection)
        self._waiting.clear()
        for kind, state, count in counts:
            self._waiting.labels(kind, state).set(count)
