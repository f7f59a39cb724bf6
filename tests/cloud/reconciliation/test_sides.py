"""Both sides of a day hold refunds as they hold payments."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cloud.kit.events import Routes
from cloud.kit.secretbox import SecretBox
from cloud.payments.events import PaymentBooked
from cloud.reconciliation import service as reconciliation
from cloud.reconciliation import tasks as books
from cloud.reconciliation.service import DayReport
from cloud.reconciliation.tasks import ReconciliationTasks
from cloud.refunds.events import RefundMoved
from cloud.refunds.rules import RefundState
from tests.cloud.payments.counter import Counter
from tests.cloud.refunds.till import CLERK, Till, open_till


@pytest.fixture
def routes() -> Routes:
    return {PaymentBooked: (books.on_payment_booked,), RefundMoved: (books.on_refund_moved,)}


@pytest.fixture
def till(counter: Counter) -> Till:
    opened = open_till(counter)
    recheck = ReconciliationTasks(counter.providers, SecretBox(bytes(range(32)))).recheck_refund
    counter.runner = replace(counter.runner, handlers={**counter.runner.handlers, books.RECHECK_REFUND: recheck})
    return opened


async def compared(till: Till, day: date) -> DayReport:
    """Fetch and compare a day in the morning after it, and return how it stands once nothing more is due."""
    account_id = till.counter.account.merchant_account_id
    async with till.database.unit(till.counter.tenant, CLERK) as unit:
        unit.enqueue(books.fetch_job(account_id, day, "test"))
        unit.record("asked", "merchant_account", account_id)
    await till.counter.work()
    async with till.database.view(till.counter.tenant) as session:
        return await reconciliation.day_report(session, account_id, day)


async def test_a_refund_appears_in_the_day_of_reconciliation_and_is_explained(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    await till.refund(payment, 300)
    day = till.counter.office.clock.now().date()
    till.counter.office.clock.advance(days=1, hours=6)
    report = await compared(till, day)
    assert (report.figures.matched_rows, report.figures.open_breaks) == (2, 0), report.breaks
    assert report.figures.explained_basis_points == 10_000


async def test_a_refund_done_at_the_channel_only_is_a_break_that_asking_closes(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    await till.counter.channel.control("mischief", kind="refund_pending")
    refund = await till.refund(payment, 300)
    await till.counter.channel.control("finish-refund", number=refund.refund_number)
    day = till.counter.office.clock.now().date()
    till.counter.office.clock.advance(days=1, hours=6)
    await till.counter.channel.control("mischief", kind="rate_limited", times=2)
    report = await compared(till, day)
    assert (await till.state(refund)).state is RefundState.ARRIVED
    assert [(broken.kind, broken.closed_at is not None) for broken in report.breaks] == [("state_differs", True)]
    assert report.figures.open_breaks == 0
