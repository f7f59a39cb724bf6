"""Jobs of prices: tell the gateways what changed, and every day what begins to hold."""

from __future__ import annotations

from datetime import time

from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobContext
from cloud.kit.schedules import Schedule
from cloud.tariffs.bundles import publish_everywhere
from cloud.tariffs.events import PricesChanged

PUBLISH_PRICES = "tariffs.publish"
# An assignment or revision that was recorded ahead begins to hold at midnight.
DAILY = Schedule(name="prices", kind=PUBLISH_PRICES, at=time(0, 5))


def job_of(event: PricesChanged) -> NewJob:
    """Return the job that tells the gateways of a change."""
    return NewJob(kind=PUBLISH_PRICES, key=f"prices:{event.change_id}", partition="prices")


async def publish_prices(context: JobContext) -> None:
    """Publish the prices of every gateway; where nothing changed nothing is published."""
    async with context.finishing_unit() as unit:
        await publish_everywhere(unit)
