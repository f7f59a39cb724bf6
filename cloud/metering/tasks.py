"""Jobs of metering: unpack a stored batch. Batches of one gateway are unpacked one after another."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.ingest.events import BatchStored
from cloud.ingest.service import BatchRef, open_batch
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobContext
from cloud.metering.service import store_readings
from cloud.metering.unpacking import MeterHome
from common.ids import GatewayId, MeterId
from common.wire.batch import BatchContent
from common.wire.records import AnomalyNote, Gap, ProvisionalLine

UNPACK_BATCH = "metering.unpack"


def job_of(event: BatchStored) -> NewJob:
    """Return the job that unpacks a stored batch, once."""
    return NewJob(
        kind=UNPACK_BATCH,
        key=f"unpack:{event.gateway_id}:{event.epoch}:{event.sequence}",
        payload={"gateway_id": str(event.gateway_id), "epoch": event.epoch, "sequence": event.sequence},
        partition=f"unpack:{event.gateway_id}",
    )


async def unpack_batch(context: JobContext) -> None:
    """Store what a batch holds and finish, in one commit."""
    told = context.job.payload
    ref = BatchRef(gateway_id=GatewayId(UUID(told["gateway_id"])), epoch=told["epoch"], sequence=told["sequence"])
    async with context.finishing_unit() as unit:
        content = await open_batch(unit.session, ref)
        await store_readings(unit, content, await homes_of(unit.session, content))


async def homes_of(session: AsyncSession, content: BatchContent) -> dict[MeterId, MeterHome]:
    """Return community and zone of every meter that a batch names; meters nobody knows are left out."""
    named = {series.meter_id for series in content.series}
    named |= {
        entry.record.meter_id
        for entry in content.entries
        if isinstance(entry.record, Gap | AnomalyNote | ProvisionalLine)
    }
    places = await fleet.meter_communities(session, named)
    zones = {community.id: community.zone for community in await estate.communities(session)}
    return {
        meter_id: MeterHome(community_id=community_id, zone=zones[community_id])
        for meter_id, community_id in places.items()
    }
