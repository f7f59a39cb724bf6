"""What stands beside bill runs in `make bench-billing`: journals, corrections far back, the figures of the dashboard.

Each answers with figures and the limit that issue and facts set. Journals are posted by two processes of clients over
the book of the town just billed; the dashboard is asked over its communities; corrections have a community of their own
with two years of bills, made by bill runs.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from time import perf_counter

from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import corrections, runs, tasks
from cloud.billing.corrections import Cause, CorrectionScope
from cloud.billing.service import MONTHLY, RunScope
from cloud.insights import collection, operations
from cloud.kit.actor import system_actor
from cloud.kit.db import Database
from cloud.kit.roles import APP, WORKER
from cloud.kit.runner import JobMetrics, Runner
from cloud.metering.corrections import Correction, revise_reading
from cloud.rating.column_run import prepare
from cloud.rating.service import rate_period
from common.civil import Period, midnight, month_of
from common.ids import CommunityId, MeterId, PremisesId
from common.reading.reading import Quantity
from tests.bench.billing_stand import DATABASE, Measure, Town, connect, in_step
from tests.bench.billing_town import NOW, PERIOD, ZONE, Filler, History, price_community

CLIENTS, PROCESSES = 8, 2
JOURNALS, BATCHED, AT_ONCE = 800, 4_000, 500
ONE_BY_ONE_MIN, BATCHED_MIN = 1_500, 15_000
DASHBOARD_S_MAX, DASHBOARD_ROUNDS = 0.2, 20
TREND_PERIODS, DEBTORS = 6, 10
CORRECTION_S_MAX = 0.1
HOUSEHOLDS, CORRECTED, MONTHS_BACK = 20, 8, 24
HISTORY = History(
    starts=date(2024, 1, 1),
    days=tuple(date(2024 + month // 12, month % 12 + 1, 1) for month in range(28)),
    periods=tuple(
        Period(date(2024 + month // 12, month % 12 + 1, 1), date(2024 + (month + 1) // 12, (month + 1) % 12 + 1, 1))
        for month in range(27 - MONTHS_BACK, 27)
    ),
)


def share(seconds: list[float], part: float) -> float:
    """Return the time that a part of all takes at most."""
    return sorted(seconds)[min(int(len(seconds) * part), len(seconds) - 1)]


def journals(town: Town) -> list[Measure]:
    """Measure how many journals a second the book takes, one in a commit and many."""
    single = _posted(town, JOURNALS // CLIENTS, 1)
    batched = _posted(town, BATCHED // CLIENTS // AT_ONCE, AT_ONCE)
    return [
        Measure(name=f"journals, one a commit, {CLIENTS} clients", value=single, unit="/s", least=ONE_BY_ONE_MIN),
        Measure(name=f"journals, {AT_ONCE} a commit", value=batched, unit="/s", least=BATCHED_MIN),
    ]


def _posted(town: Town, commits: int, at_once: int) -> float:
    place = [town.server.conninfo(role=APP, database=DATABASE), NOW.isoformat(), str(town.tenant)]
    command = [sys.executable, "-m", "tests.bench.billing_clients", *place]
    plan = [str(CLIENTS // PROCESSES), str(commits), str(at_once)]
    books = [[str(one.community_id), str(town.entity)] for one in [town.communities[0]] * PROCESSES]
    seconds, answers = in_step([[*command, *book, *plan] for book in books])
    return sum(int(answer[0]) for answer in answers) / seconds


def dashboard(town: Town) -> list[Measure]:
    """Measure how long all figures of a community's dashboard take, over the communities of the town in turn."""
    return asyncio.run(_dashboard(town))


async def _dashboard(town: Town) -> list[Measure]:
    database = connect(town.server, APP)
    seconds = []
    for number in range(DASHBOARD_ROUNDS):
        community = town.communities[number % len(town.communities)]
        start = perf_counter()
        async with database.view(town.tenant) as session:
            today = PERIOD.end + timedelta(days=45)
            periods = await collection.last_periods(session, community.community_id, today, TREND_PERIODS)
            await collection.by_period(session, community.community_id, periods)
            await collection.by_building(session, community.community_id, periods[0].start)
            await collection.receipts(session, community.community_id, month_of(NOW.date()))
            await collection.debtors(session, community.community_id, today, DEBTORS)
            await operations.open_cases(session, community.community_id)
            await operations.occupancy(session, community.community_id)
        seconds.append(perf_counter() - start)
    await database.close()
    return [Measure(name="dashboard of a community, p95", value=share(seconds, 0.95), unit="s", most=DASHBOARD_S_MAX)]


def corrected(town: Town) -> list[Measure]:
    """Measure corrections of a reading two years back, one household each."""
    return asyncio.run(_corrected(town))


async def _corrected(town: Town) -> list[Measure]:
    database = connect(town.server, APP)
    community = await price_community(database, town.tenant, town.entity, len(town.communities), HISTORY.starts)
    with town.superuser() as connection:
        Filler(connection, town.tenant, HISTORY).fill(community, HOUSEHOLDS)
        rows = connection.execute(
            "select i.premises_id, i.meter_id from meter_installation i join meter m using (tenant_id, meter_id)"
            " where i.community_id = %s and m.resource = 'water' and i.premises_id is not null order by 1",
            [community.community_id],
        ).fetchall()
    await _bill_all(town, database, community.community_id)
    previews, applied = [], []
    for premises, meter in rows[:CORRECTED]:
        one = _Household(community_id=community.community_id, premises_id=PremisesId(premises), meter_id=MeterId(meter))
        previewed, done = await _correct(town, database, one)
        previews.append(previewed)
        applied.append(done)
    await database.close()
    slowest = f"{MONTHS_BACK} months back, slowest of {CORRECTED}"
    return [
        Measure(name=f"preview {slowest}", value=max(previews), unit="s"),
        Measure(name=f"correction {slowest}", value=max(applied), unit="s", most=CORRECTION_S_MAX),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Household:
    """A household whose water was misread two years ago."""

    community_id: CommunityId
    premises_id: PremisesId
    meter_id: MeterId


async def _bill_all(town: Town, database: Database, community_id: CommunityId) -> None:
    """Run every period of the history, as a worker does."""
    for period in HISTORY.periods:
        scope = RunScope(community_id=community_id, cycle=MONTHLY, period_start=period.start)
        async with database.unit(town.tenant, system_actor("bench")) as unit:
            await runs.request_run(unit, scope)
    worker = connect(town.server, WORKER)
    handlers = {tasks.BILL_RUN: tasks.bill_run_handler(rate_period, prepare)}
    runner = Runner(database=worker, handlers=handlers, metrics=JobMetrics(CollectorRegistry()), name="bench")
    await runner.drain()
    await worker.close()


async def _correct(town: Town, database: Database, one: _Household) -> tuple[float, float]:
    """Correct the reading that ended the first period; return the seconds of the preview and of the application."""
    first = HISTORY.periods[0]
    actor = system_actor("bench")
    async with database.unit(town.tenant, actor) as unit:
        fix = Correction(
            community_id=one.community_id,
            meter_id=one.meter_id,
            quantity=Quantity.VOLUME,
            read_at=midnight(first.end, ZONE),
            value_milli=await _read(unit.session, one, first.end) + 1_000,
            reason="misread",
        )
        await revise_reading(unit, fix)
    async with database.unit(town.tenant, actor) as unit:
        scope = CorrectionScope(
            community_id=one.community_id, premises=frozenset({one.premises_id}), first_day=first.start
        )
        case_id = await corrections.open_correction(unit, scope, cause=Cause.READING, reason="misread")
    start = perf_counter()
    async with database.view(town.tenant) as session:
        preview = await corrections.preview(session, rate_period, case_id, NOW)
    middle = perf_counter()
    async with database.unit(town.tenant, actor) as unit:
        issued = await corrections.apply(unit, rate_period, case_id, preview_sha=preview.sha)
    if not issued:
        raise RuntimeError("a correction of the bench issued nothing")
    return middle - start, perf_counter() - middle


async def _read(session: AsyncSession, one: _Household, day: date) -> int:
    statement = text("select first_milli from meter_day_block where meter_id = :meter and day = :day")
    return int(await session.scalar(statement, {"meter": one.meter_id, "day": day}) or 0)
