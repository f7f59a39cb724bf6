"""The jobs of mandates: one look a day, one job a try, and money that arrived is noted."""

from __future__ import annotations

from uuid import UUID

from cloud import flow
from cloud.mandates import debits, tasks
from cloud.mandates.rules import DebitState, try_instant
from cloud.payments.events import DeductionBooked
from tests.cloud.mandates.purse import Purse


async def test_each_try_has_a_job_of_its_own_at_its_hour(purse: Purse) -> None:
    await purse.signed()
    debit = await purse.told()
    jobs = debits.take_jobs(debit)
    assert [job.run_at for job in jobs] == [try_instant(day) for day in debit.plan.tries]
    assert len({job.key for job in jobs}) == 3
    assert len({job.partition for job in jobs}) == 1


async def test_an_amount_that_nobody_tried_in_its_days_is_decided_by_the_next_look(purse: Purse) -> None:
    mandate = await purse.signed()
    await purse.told()
    purse.hall.counter.office.clock.advance(days=20)
    await purse.look()
    assert [one.state for one in await purse.debits(mandate)] == [DebitState.FAILED]
    assert await purse.paid() == []


async def test_a_payment_that_was_no_deduction_notes_nothing(purse: Purse) -> None:
    counter = purse.hall.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await debits.note_booked(unit, UUID(int=4))
        unit.record("looked at", "mandate", UUID(int=4))


def test_the_flow_knows_the_jobs_and_the_event() -> None:
    assert tasks.SCHEDULE in flow.SCHEDULES
    assert flow.ROUTES[DeductionBooked] == (tasks.note_job,)
    event = DeductionBooked(attempt_id=UUID(int=3))
    assert tasks.note_job(event).key == tasks.note_job(event).key
