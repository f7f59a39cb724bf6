"""Schedules fire once for each civil day, late rather than never, oldest first."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.jobs import JobRow
from cloud.kit.schedules import Schedule, fire_due, next_due
from common.ids import TenantId
from tests.support.clock import SettableClock

SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHTLY = Schedule(name="nightly", kind="bill-run", at=time(2))
MONTHLY = Schedule(name="monthly", kind="close", at=time(3), day_of_month=1)


async def fire(database: Database, tenant: TenantId, actor: Actor, *schedules: Schedule) -> list[str]:
    async with database.unit(tenant, actor) as unit:
        await fire_due(unit, schedules, SHANGHAI)
    async with database.view(tenant) as session:
        return [row.key for row in await session.scalars(select(JobRow).order_by(JobRow.run_at, JobRow.key))]


async def test_a_day_fires_once_and_at_its_civil_time(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    clock.set(datetime(2026, 3, 9, 17, 59, 59, tzinfo=UTC))
    assert await fire(database, tenant, actor, NIGHTLY) == []
    clock.advance(seconds=1)
    assert await fire(database, tenant, actor, NIGHTLY) == ["schedule:nightly:2026-03-10"]
    assert await fire(database, tenant, actor, NIGHTLY) == ["schedule:nightly:2026-03-10"]
    async with database.view(tenant) as session:
        (job,) = await session.scalars(select(JobRow))
    assert (job.run_at, job.payload) == (clock.now(), {"day": "2026-03-10"})


async def test_missed_days_are_made_up_for_oldest_first(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    clock.set(datetime(2026, 3, 30, 0, tzinfo=UTC))
    await fire(database, tenant, actor, NIGHTLY, MONTHLY)
    clock.advance(days=3)
    assert await fire(database, tenant, actor, NIGHTLY, MONTHLY) == [
        "schedule:nightly:2026-03-30",
        "schedule:nightly:2026-03-31",
        "schedule:nightly:2026-04-01",
        "schedule:monthly:2026-04-01",
        "schedule:nightly:2026-04-02",
    ]


async def test_a_clock_that_jumps_back_fires_nothing_twice(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    clock.set(datetime(2026, 3, 10, tzinfo=UTC))
    fired = await fire(database, tenant, actor, NIGHTLY)
    clock.advance(days=-5)
    assert await fire(database, tenant, actor, NIGHTLY) == fired


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (datetime(2026, 3, 9, 17, 0, tzinfo=UTC), datetime(2026, 3, 9, 18, 0, tzinfo=UTC)),
        (datetime(2026, 3, 9, 18, 0, tzinfo=UTC), datetime(2026, 3, 10, 18, 0, tzinfo=UTC)),
    ],
)
def test_the_next_firing_lies_after_the_instant(after: datetime, expected: datetime) -> None:
    assert next_due([NIGHTLY], after, SHANGHAI) == expected
    assert next_due([], after, SHANGHAI) is None


def test_a_monthly_schedule_falls_on_its_day() -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(90)]
    assert [day for day in days if MONTHLY.falls_on(day)] == [date(2026, n, 1) for n in (1, 2, 3)]
