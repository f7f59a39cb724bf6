"""What recurs in arrears: late charges on the first of each month, and each morning a look at every agreement."""

from __future__ import annotations

from datetime import date, time, timedelta
from uuid import UUID

from cloud.arrears import agreements, late, repository
from cloud.estate import service as estate
from cloud.kit.runner import JobContext
from cloud.kit.schedules import Schedule
from cloud.tariffs import service as tariffs
from cloud.tariffs.charge import ChargeBasis

LATE_CHARGES = "arrears.late_charges"
LOOK = "arrears.look"
SCHEDULE = Schedule(name="late_charges", kind=LATE_CHARGES, at=time(1, 30), day_of_month=1)
MORNING = Schedule(name="agreements", kind=LOOK, at=time(1, 0))


async def charge_late(context: JobContext) -> None:
    """Charge what overdue lines have come to through the day before, community by community, one commit each."""
    through = date.fromisoformat(context.job.payload["day"]) - timedelta(days=1)
    async with context.view() as session:
        wanted = [
            community.id
            for community in await estate.communities(session)
            if any(item.basis is ChargeBasis.LATE for item in await tariffs.charge_items(session, community.id))
        ]
    for community_id in wanted:
        async with context.unit() as unit:
            await late.charge(unit, community_id, through)


async def look(context: JobContext) -> None:
    """Note which agreements to instalments are kept to their end or broken, one commit each."""
    today = date.fromisoformat(str(context.job.payload["day"]))
    async with context.view() as session:
        standing = await repository.agreements_in_force(session)
    for agreement_id in standing:
        async with context.unit() as unit:
            await agreements.look(unit, UUID(str(agreement_id)), today)
