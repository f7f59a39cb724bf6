"""A worker process for faults under a bill run: the run's own handler, its prices worked out slowly enough to be hit.

python -m tests.support.bill_worker CONNINFO NAME
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import tasks
from cloud.kit.db import Database
from cloud.kit.events import no_listeners
from cloud.kit.runner import JobMetrics, Pace, Runner
from cloud.rating.lines import RatingOutcome
from cloud.rating.service import rate_period
from common.civil import Period
from common.ids import CommunityId, PremisesId, TimeOrderedIds
from tests.bench.billing_town import NOW
from tests.support.clock import SettableClock

SLOW_S = 0.3
LEASE = timedelta(seconds=8)


async def rate_slowly(
    session: AsyncSession,
    *,
    community_id: CommunityId,
    period: Period,
    known_at: datetime,
    premises: frozenset[PremisesId] | None = None,
) -> RatingOutcome:
    """Rate as always, and take a while."""
    outcome = await rate_period(session, community_id=community_id, period=period, known_at=known_at, premises=premises)
    await asyncio.sleep(SLOW_S)
    return outcome


async def work(conninfo: str, name: str) -> None:
    """Work until killed."""
    clock = SettableClock(NOW)
    ids = TimeOrderedIds(clock.now, secrets.token_bytes)
    runner = Runner(
        database=Database(conninfo, clock=clock, ids=ids, route=no_listeners),
        handlers={tasks.BILL_RUN: tasks.bill_run_handler(rate_slowly)},
        metrics=JobMetrics(CollectorRegistry()),
        name=name,
        pace=Pace(lanes=1, poll_s=0.05, lease=LEASE),
    )
    sys.stdout.write("working\n")
    sys.stdout.flush()
    await runner.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2]))
