"""The daily work of the book: every community's days are sealed once late movements have had time to come in."""

from __future__ import annotations

from datetime import date, time, timedelta

from cloud.estate import service as estate
from cloud.kit.runner import JobContext
from cloud.kit.schedules import Schedule
from cloud.ledger.closing import seal_through

SEAL = "ledger.seal"
SCHEDULE = Schedule(name="ledger seal", kind=SEAL, at=time(3, 0))
OPEN_FOR = timedelta(days=3)


async def seal_days(context: JobContext) -> None:
    """Seal every community's days up to the end of their open time, one commit a community."""
    through = date.fromisoformat(context.job.payload["day"]) - OPEN_FOR
    async with context.view() as session:
        communities = await estate.communities(session)
    for community in communities:
        async with context.unit() as unit:
            await seal_through(unit, community.id, through)
