"""The jobs of mandates: look each morning, make the try of a day, note what was booked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, time
from uuid import UUID

from cloud.kit.jobs import NewJob
from cloud.kit.runner import Handler, JobContext
from cloud.kit.schedules import Schedule
from cloud.mandates import debits, service
from cloud.mandates.clerk import MandateClerk
from cloud.mandates.debits import TAKE
from cloud.mandates.rules import today_at_channel
from cloud.payments.events import AgreementNoticed, DeductionBooked
from cloud.payments.providers import Providers

LOOK = "mandates.look"
NOTE = "mandates.note"
CHECK = "mandates.check"
SCHEDULE = Schedule(name="mandates", kind=LOOK, at=time(8, 30))


def note_job(event: DeductionBooked) -> NewJob:
    """Return the job that notes that the money of a try arrived."""
    payload = {"attempt_id": str(event.attempt_id)}
    return NewJob(kind=NOTE, key=f"{NOTE}:{event.attempt_id}", payload=payload)


def check_job(event: AgreementNoticed) -> NewJob:
    """Return the job that asks the channel about an agreement it told of."""
    payload = {"number": event.agreement_number, "merchant_account_id": str(event.merchant_account_id)}
    return NewJob(kind=CHECK, key=f"{CHECK}:{event.notification_id}", payload=payload)


class MandateTasks:
    """The handlers of mandate jobs, with the clients they call."""

    def __init__(self, providers: Providers, public_url: str, random_bytes: Callable[[int], bytes]) -> None:
        self._providers = providers
        self._public_url = public_url
        self._random_bytes = random_bytes

    def handlers(self) -> Mapping[str, Handler]:
        """Return who does which kind of mandate job."""
        return {LOOK: self.look, TAKE: self.take, NOTE: self.note, CHECK: self.check}

    async def look(self, context: JobContext) -> None:
        """Look at every standing mandate, and at every amount whose last day has passed without an end."""
        clerk, tenant = self._clerk(context), context.job.tenant
        async with context.view() as session:
            standing, undecided = await service.standing(session), await debits.undecided(session)
        for mandate_id in standing:
            await clerk.look(tenant, context.actor, mandate_id)
        today = today_at_channel(context.database.clock.now())
        for debit in undecided:
            if debit.execute_on < today:
                await clerk.take(tenant, context.actor, debit.debit_id, today)

    async def take(self, context: JobContext) -> None:
        """Make the try of a day."""
        payload = context.job.payload
        day = date.fromisoformat(str(payload["day"]))
        await self._clerk(context).take(context.job.tenant, context.actor, UUID(str(payload["debit_id"])), day)

    async def note(self, context: JobContext) -> None:
        """Note that the money of a try arrived."""
        async with context.finishing_unit() as unit:
            await debits.note_booked(unit, UUID(str(context.job.payload["attempt_id"])))

    async def check(self, context: JobContext) -> None:
        """Ask about the agreement of a notification; one that is another merchant account's is left alone."""
        payload = context.job.payload
        async with context.view() as session:
            mandate = await service.mandate_numbered(session, str(payload["number"]))
        if mandate is not None and str(mandate.merchant_account_id) == payload["merchant_account_id"]:
            await self._clerk(context).check(context.job.tenant, context.actor, mandate.mandate_id)

    def _clerk(self, context: JobContext) -> MandateClerk:
        return MandateClerk(context.database, self._providers, self._public_url, self._random_bytes)
