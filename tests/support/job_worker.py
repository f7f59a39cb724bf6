"""A worker process for kill tests: one job kind whose effect is a row, done slowly enough to be killed in the middle.

python -m tests.support.job_worker CONNINFO NAME
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from datetime import timedelta

from prometheus_client import CollectorRegistry

from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind
from cloud.kit.clock import SystemClock
from cloud.kit.db import Database
from cloud.kit.events import no_listeners
from cloud.kit.runner import JobContext, JobMetrics, Pace, Runner
from common.ids import TimeOrderedIds

KIND = "add-merchant"
SLOW_S = 0.1
LEASE = timedelta(seconds=1)


async def add_merchant_slowly(context: JobContext) -> None:
    """Add a legal entity named by the job's key."""
    async with context.finishing_unit() as unit:
        await estate.add_legal_entity(unit, kind=EntityKind.MERCHANT, name=context.job.key)
        await asyncio.sleep(SLOW_S)


async def work(conninfo: str, name: str) -> None:
    """Work until killed."""
    clock = SystemClock()
    ids = TimeOrderedIds(clock.now, secrets.token_bytes)
    database = Database(conninfo, clock=clock, ids=ids, route=no_listeners)
    runner = Runner(
        database=database,
        handlers={KIND: add_merchant_slowly},
        metrics=JobMetrics(CollectorRegistry()),
        name=name,
        pace=Pace(lanes=2, poll_s=0.05, lease=LEASE),
    )
    sys.stdout.write("working\n")
    sys.stdout.flush()
    await runner.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2]))
