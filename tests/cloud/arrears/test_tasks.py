"""The jobs of arrears: late charges where a community has a rule, and each agreement looked at."""

from __future__ import annotations

from datetime import UTC, date, datetime

from prometheus_client import CollectorRegistry

from cloud.arrears import agreements, tasks
from cloud.arrears.values import AgreementState
from cloud.billing import service as billing
from cloud.billing.documents import BillView
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobMetrics, Runner
from common.ids import TenantId
from tests.cloud.arrears.test_agreements import agreed
from tests.cloud.charges.street import Street, build_street
from tests.support.clock import SettableClock


async def test_a_community_without_a_rule_is_left_alone(
    street: Street,
    debts: list[BillView],
    worker_database: Database,
    other_tenant: TenantId,
    actor: Actor,
    clock: SettableClock,
) -> None:
    other = await build_street(street.database, other_tenant, actor, clock)
    street.clock.set(datetime(2026, 4, 1, 12, tzinfo=UTC))
    for one in (street, other):
        async with one.database.unit(one.tenant, one.actor) as unit:
            unit.enqueue(NewJob(kind=tasks.LATE_CHARGES, key="late", payload={"day": "2026-04-01"}))
    runner = Runner(
        database=worker_database,
        handlers={tasks.LATE_CHARGES: tasks.charge_late},
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
    )
    assert await runner.drain() == 2
    assert len(debts) == 6
    for one, bills in ((street, 6), (other, 0)):
        async with one.database.view(one.tenant) as session:
            found = await billing.bills_in_cycle(session, one.community, "late:2026-03-31:0")
        assert len(found) == bills
    assert tasks.SCHEDULE.day_of_month == 1


async def test_every_agreement_in_force_is_looked_at_in_the_morning(
    street: Street, debts: list[BillView], worker_database: Database
) -> None:
    one, other = [await agreed(street, bill) for bill in debts[:2]]
    await street.pay(debts[1], 50_000, date(2026, 3, 30))
    street.clock.set(datetime(2026, 4, 4, 12, tzinfo=UTC))
    async with street.database.unit(street.tenant, street.actor) as unit:
        unit.enqueue(NewJob(kind=tasks.LOOK, key="look", payload={"day": "2026-04-04"}))
        unit.record("asked for", "instalment_agreement", one.agreement_id)
    runner = Runner(
        database=worker_database,
        handlers={tasks.LOOK: tasks.look},
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
    )
    assert await runner.drain() == 1
    async with street.database.view(street.tenant) as session:
        states = [(await agreements.agreement(session, found.agreement_id)).state for found in (one, other)]
    assert states == [AgreementState.BROKEN, AgreementState.AGREED]
    assert tasks.MORNING.day_of_month is None
