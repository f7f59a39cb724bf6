"""Jobs of rating: compare what gateways estimated with what the cloud makes of the same month."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobContext
from cloud.metering.events import EstimatesStored
from cloud.rating.service import check_estimates
from common.civil import Period
from common.ids import CommunityId

CHECK_ESTIMATES = "rating.estimates"


def job_of(event: EstimatesStored) -> NewJob:
    """Return the job that compares the estimates of a community and period."""
    return NewJob(
        kind=CHECK_ESTIMATES,
        key=f"estimates:{event.key}",
        payload={
            "community_id": str(event.community_id),
            "start": event.period.start.isoformat(),
            "end": event.period.end.isoformat(),
        },
        partition=f"estimates:{event.community_id}",
    )


async def compare_estimates(context: JobContext) -> None:
    """Compare and finish, in one commit."""
    told = context.job.payload
    period = Period(date.fromisoformat(told["start"]), date.fromisoformat(told["end"]))
    async with context.finishing_unit() as unit:
        await check_estimates(unit, CommunityId(UUID(told["community_id"])), period)
