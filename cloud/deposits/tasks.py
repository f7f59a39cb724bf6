"""The jobs of deposits: hold what arrived for one, note what became of its refund, look each day at what is due."""

from __future__ import annotations

from datetime import date, time
from uuid import UUID

from cloud.deposits import repository, service
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobContext
from cloud.kit.schedules import Schedule
from cloud.payments.events import PaymentBooked
from cloud.tariffs.charge import FundClass
from common.ids import PaymentId

HOLD = "deposits.hold"
NOTE_REFUND = "deposits.note_refund"
LOOK = "deposits.look"
SCHEDULE = Schedule(name="deposits", kind=LOOK, at=time(9, 0))


def hold_job(event: PaymentBooked) -> NewJob | None:
    """Return the job that holds a payment for its deposit; money of another fund is for none."""
    if event.fund_class is not FundClass.DEPOSIT:
        return None
    return NewJob(kind=HOLD, key=f"{HOLD}:{event.payment_id}", payload={"payment_id": str(event.payment_id)})


def note_job(refund_id: UUID, state: str) -> NewJob:
    """Return the job that notes where the refund of an instalment stands."""
    return NewJob(
        kind=NOTE_REFUND,
        key=f"{NOTE_REFUND}:{refund_id}:{state}",
        payload={"refund_id": str(refund_id), "state": state},
        partition=f"deposit_return:{refund_id}",
    )


async def hold(context: JobContext) -> None:
    """Hold a payment for its deposit."""
    async with context.finishing_unit() as unit:
        await service.hold_payment(unit, PaymentId(UUID(str(context.job.payload["payment_id"]))))


async def note_refund(context: JobContext) -> None:
    """Note where the refund of an instalment stands."""
    payload = context.job.payload
    async with context.finishing_unit() as unit:
        await service.note_refund(unit, UUID(str(payload["refund_id"])), str(payload["state"]))


async def look(context: JobContext) -> None:
    """Look at every deposit of which something falls due today, each in a unit of its own."""
    today = date.fromisoformat(str(context.job.payload["day"]))
    async with context.view() as session:
        due = await repository.deposits_to_look_at(session, today)
    for deposit_id in due:
        async with context.unit() as unit:
            await service.look_at(unit, deposit_id)
