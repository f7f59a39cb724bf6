"""A worker process of the billing bench: the product's own runner and handler over a database that is given.

It says `ready`, waits for a line, does the bill runs and changes of prices that wait, and says how many they
were, its peak memory in kibibytes and the seconds of a processor that they took.
"""

from __future__ import annotations

import asyncio
import resource
import secrets
import sys
from datetime import datetime
from time import process_time

import structlog
from prometheus_client import CollectorRegistry

from cloud.billing import tasks
from cloud.kit.db import Database
from cloud.kit.events import router
from cloud.kit.runner import JobMetrics, Runner
from cloud.rating.column_run import prepare
from cloud.rating.service import rate_period
from common.ids import TimeOrderedIds
from tests.support.clock import SettableClock


async def work(conninfo: str, now: datetime, name: str) -> None:
    """Do the jobs of a database once."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    clock = SettableClock(now)
    ids = TimeOrderedIds(clock.now, secrets.token_bytes)
    database = Database(conninfo, clock=clock, ids=ids, route=router({}))
    await database.ping()
    runner = Runner(
        database=database,
        handlers={
            tasks.BILL_RUN: tasks.bill_run_handler(rate_period, prepare),
            tasks.PRICE_CORRECTION: tasks.price_correction_handler(rate_period),
        },
        metrics=JobMetrics(CollectorRegistry()),
        name=name,
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    before_s = process_time()
    count = await runner.drain()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(f"{count} {peak} {process_time() - before_s}\n")
    await database.close()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], datetime.fromisoformat(sys.argv[2]), sys.argv[3]))
