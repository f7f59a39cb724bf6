"""What ingest does beyond receipts: reports of a batch go to the fleet, personal bodies expire by their class."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from uuid import UUID

from cloud.fleet import service as fleet
from cloud.ingest import service
from cloud.ingest.events import BatchStored
from cloud.ingest.service import BatchRef
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobContext
from cloud.kit.schedules import Schedule
from common.ids import GatewayId
from common.wire.records import BundleEffect, Health

NOTE_REPORTS = "ingest.note_reports"
EXPIRE_PERSONAL = "ingest.expire_personal"
SCHEDULE = Schedule(name="personal_expiry", kind=EXPIRE_PERSONAL, at=time(3, 30))
# How long the body of a personal item is kept, by retention class; a class not listed here is kept the shortest time.
RETENTION: Mapping[str, timedelta] = {"parking": timedelta(days=90), "access": timedelta(days=30)}


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


async def expire_personal(context: JobContext) -> None:
    """Forget the personal bodies whose time has run out by the day of the job."""
    async with context.finishing_unit() as unit:
        await service.expire_personal(unit, RETENTION, min(RETENTION.values()), context.job.run_at)
