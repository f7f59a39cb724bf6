"""The daily look back finds in stored blocks what the rules say, and opens a case by jobs alone, once a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from prometheus_client import CollectorRegistry

from cloud import flow
from cloud.cases import service as cases
from cloud.cases import tasks as case_tasks
from cloud.estate import service as estate
from cloud.estate.kinds import PremisesKind
from cloud.estate.values import NewPremises
from cloud.fleet import service as fleet
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.events import Routes
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobMetrics, Runner
from cloud.metering import daily
from cloud.metering.events import OddityFound
from cloud.metering.service import store_readings
from cloud.metering.unpacking import MeterHome
from common.ids import CommunityId, MeterId, TenantId
from common.reading.reading import Quality, Resource
from common.wire.batch import Series
from tests.cloud.metering.building import HOUR_MS, ZONE, at, batch, column
from tests.cloud.metering.test_anomalies import Hours, usual, weeks
from tests.support.clock import SettableClock

TODAY = date(2026, 3, 30)
START = date(2025, 1, 1)


@pytest.fixture
def routes() -> Routes:
    return {OddityFound: (case_tasks.job_of,)}


class Lake:
    """A community whose meters count what a test says."""

    def __init__(self, database: Database, tenant: TenantId, actor: Actor, community: CommunityId) -> None:
        self.database, self.tenant, self.actor = database, tenant, actor
        self.community = community
        self.sequence = 0

    async def meter(
        self, serial: str, *, resource: Resource = Resource.WATER, home: bool = True, parent: MeterId | None = None
    ) -> MeterId:
        async with self.database.unit(self.tenant, self.actor) as unit:
            flat = NewPremises(label=f"1-{serial}", kind=PremisesKind.RESIDENCE, effective_from=START)
            premises = await estate.add_premises(unit, self.community, flat) if home else None
            meter = await fleet.add_meter(unit, serial=serial, resource=resource)
            await unit.session.flush()
            await fleet.install_meter(
                unit,
                meter_id=meter,
                community_id=self.community,
                premises_id=premises,
                start=START,
                parent_meter_id=parent,
            )
        return meter

    async def count(
        self,
        meter: MeterId,
        first: date,
        registers: Sequence[int | None],
        *,
        hours: int = 1,
        flags: Sequence[tuple[int, int]] = (),
    ) -> None:
        self.sequence += 1
        made = at(first, hours * len(registers))
        told = column(0, at(first), registers, step_ms=hours * HOUR_MS, flags=flags)
        series = Series(meter_id=meter, quantity="volume", unit="m3", profile="p@1")
        content = replace(batch(self.sequence, made, [told]), series=(series,))
        home = {meter: MeterHome(community_id=self.community, zone=ZONE)}
        async with self.database.unit(self.tenant, self.actor) as unit:
            await store_readings(unit, content, home)

    async def hourly(self, meter: MeterId, days: Sequence[Hours]) -> None:
        register, registers = 100_000, [100_000]
        for hour in (hour or 0 for day in days for hour in day):
            register += hour
            registers.append(register)
        await self.count(meter, TODAY - timedelta(days=len(days)), registers)

    async def odd(self, today: date = TODAY) -> list[tuple[str, MeterId]]:
        async with self.database.view(self.tenant) as session:
            (community,) = await estate.communities(session)
            found = await daily.odd_of(session, community, today, self.database.clock.now())
        return [(one.reason, MeterId(one.object_id)) for one in found]


@pytest.fixture
async def lake(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Lake:
    clock.set(at(TODAY, 5))
    async with database.unit(tenant, actor) as unit:
        community = await estate.create_community(unit, code="lake", name="湖畔", starts=START, zone=str(ZONE))
    return Lake(database, tenant, actor, community)


async def test_a_leaking_household_is_found_among_sound_ones(lake: Lake) -> None:
    sound, leaking = await lake.meter("W1"), await lake.meter("W2")
    await lake.hourly(sound, [usual(day) for day in range(28)])
    await lake.hourly(leaking, weeks(lambda _: 3))
    assert await lake.odd() == [("small_leak", leaking)]


async def test_hours_that_are_held_or_missing_are_not_known(lake: Lake) -> None:
    meter = await lake.meter("W1")
    days = weeks(lambda _: 3)
    registers = [100_000]
    for hour in (hour or 0 for day in days for hour in day):
        registers.append(registers[-1] + hour)
    last = len(registers)
    flags = [(n, int(Quality.JUMP)) for n in range(last - 10, last)]
    await lake.count(meter, TODAY - timedelta(days=28), registers, flags=flags)
    assert await lake.odd() == []


async def test_a_meter_read_once_a_day_is_not_judged_by_hours(lake: Lake) -> None:
    meter = await lake.meter("W1")
    await lake.count(meter, TODAY - timedelta(days=28), [100_000 + 300 * day for day in range(29)], hours=24)
    assert await lake.odd() == []


async def test_a_total_is_held_against_its_sub_meters_and_a_hole_is_no_zero(lake: Lake) -> None:
    total = await lake.meter("T", home=False)
    one, two = await lake.meter("W1", parent=total), await lake.meter("W2", parent=total)
    first = TODAY - timedelta(days=4)
    await lake.count(total, first, [10_000 * day for day in range(5)], hours=24)
    await lake.count(one, first, [4_000 * day for day in range(5)], hours=24)
    assert await lake.odd() == []
    await lake.count(two, first, [4_000 * day for day in range(5)], hours=24)
    assert await lake.odd() == [("building_loss", total)]


async def test_three_months_are_looked_at_on_the_first_of_a_month_only(lake: Lake) -> None:
    meter = await lake.meter("W1")
    register, months = 0, []
    for n in range(10):
        months.append(register)
        register += 9_000 if n < 6 else 20_000
    for n, value in enumerate(months):
        await lake.count(meter, date(2025 + (5 + n) // 12, (5 + n) % 12 + 1, 1), [value], hours=24)
    assert await lake.odd(date(2026, 3, 1)) == [("abnormal_months", meter)]
    assert await lake.odd(date(2026, 3, 2)) == []


async def test_the_job_opens_one_case_for_one_day(lake: Lake, worker_database: Database) -> None:
    leaking = await lake.meter("W2")
    await lake.hourly(leaking, weeks(lambda _: 3))
    assert daily.SCHEDULE in flow.SCHEDULES
    for attempt in ("first", "again"):
        job = NewJob(kind=daily.LOOK_BACK, key=f"look:{attempt}", payload={"day": TODAY.isoformat()})
        async with lake.database.unit(lake.tenant, lake.actor) as unit:
            unit.enqueue(job)
        runner = Runner(
            database=worker_database,
            handlers={daily.LOOK_BACK: daily.look_back, case_tasks.OPEN_CASE: case_tasks.open_case},
            metrics=JobMetrics(CollectorRegistry()),
            name="tests",
        )
        await runner.drain()
    async with lake.database.view(lake.tenant) as session:
        (case,) = await cases.open_cases(session)
        history = await cases.case_history(session, case.case_id)
    assert (case.reason, case.object_id, case.subject) == ("small_leak", leaking, "volume")
    assert "3 升" in case.detail_zh
    assert len(history) == 1
