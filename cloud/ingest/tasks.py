"""What ingest does with a stored batch beyond its receipt: reports about bundles and health go to the fleet."""

from __future__ import annotations

from uuid import UUID

from cloud.fleet import service as fleet
from cloud.ingest import service
from cloud.ingest.events import BatchStored
from cloud.ingest.service import BatchRef
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobContext
from common.ids import GatewayId
from common.wire.records import BundleEffect, Health

NOTE_REPORTS = "ingest.note_reports"


def batch_job(kind: str, event: BatchStored) -> NewJob:
    """Return the job of one kind for a stored batch; its payload is read back by `ref_of`."""
    ref = f"{event.gateway_id}:{event.epoch}:{event.sequence}"
    payload = {"gateway_id": str(event.gateway_id), "epoch": event.epoch, "sequence": event.sequence}
    return NewJob(kind=kind, key=f"{kind}:{ref}", payload=payload)


def ref_of(context: JobContext) -> BatchRef:
    """Return which batch a job is about."""
    payload = context.job.payload
    return BatchRef(
        gateway_id=GatewayId(UUID(payload["gateway_id"])), epoch=payload["epoch"], sequence=payload["sequence"]
    )


def reports_job(event: BatchStored) -> NewJob:
    """Return the job that reads a batch's reports."""
    return batch_job(NOTE_REPORTS, event)


async def note_reports(context: JobContext) -> None:
    """Keep the bundle effects and the newest health report of a batch."""
    ref = ref_of(context)
    async with context.view() as session:
        content = await service.open_batch(session, ref)
    effects = [(entry.seq, entry.stamp, effect) for entry, effect in content.records(BundleEffect)]
    reports = [(entry.seq, entry.stamp, health) for entry, health in content.records(Health)]
    async with context.finishing_unit() as unit:
        await fleet.note_reports(unit, ref.gateway_id, ref.epoch, effects, reports[-1] if reports else None)
