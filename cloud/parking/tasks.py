"""Jobs of parking: take the acts of a batch, tell a gateway its permits, state a night to those who stood there."""

from __future__ import annotations

from datetime import date, time
from uuid import UUID

from cloud.estate import service as estate
from cloud.ingest.service import BatchRef, open_batch
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobContext
from cloud.kit.schedules import Schedule
from cloud.metering.events import ParkingReported
from cloud.parking.events import PermitsChanged
from cloud.parking.night import state_night
from cloud.parking.service import publish_permits, take_acts
from common.ids import GatewayId

TAKE_ACTS = "parking.acts"
PUBLISH_PERMITS = "parking.permits"
STATE_NIGHT = "parking.night"
MORNING = Schedule(name="parking_night", kind=STATE_NIGHT, at=time(6, 15))


def acts_job(event: ParkingReported) -> NewJob:
    """Return the job that takes the acts of a batch, once."""
    return NewJob(
        kind=TAKE_ACTS,
        key=f"parking:{event.gateway_id}:{event.store_epoch}:{event.sequence}",
        payload={"gateway_id": str(event.gateway_id), "epoch": event.store_epoch, "sequence": event.sequence},
        partition=f"parking:{event.gateway_id}",
    )


def permits_job(event: PermitsChanged) -> NewJob:
    """Return the job that tells a gateway its permits."""
    return NewJob(
        kind=PUBLISH_PERMITS,
        key=f"permits:{event.change_id}",
        payload={"gateway_id": str(event.gateway_id)},
        partition=f"permits:{event.gateway_id}",
    )


async def take_batch_acts(context: JobContext) -> None:
    """Take the acts of a batch and finish, in one commit."""
    told = context.job.payload
    ref = BatchRef(gateway_id=GatewayId(UUID(told["gateway_id"])), epoch=told["epoch"], sequence=told["sequence"])
    async with context.finishing_unit() as unit:
        await take_acts(unit, await open_batch(unit.session, ref))


async def tell_permits(context: JobContext) -> None:
    """Publish the permits of a gateway and finish, in one commit."""
    async with context.finishing_unit() as unit:
        await publish_permits(unit, GatewayId(UUID(context.job.payload["gateway_id"])))


async def state_nights(context: JobContext) -> None:
    """State the night that ended on the day, in every community, and finish."""
    day = date.fromisoformat(context.job.payload["day"])
    async with context.finishing_unit() as unit:
        for community in await estate.communities(unit.session):
            await state_night(unit, community.id, day)
