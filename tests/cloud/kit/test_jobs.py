"""Durable jobs: claimed once, fenced by epoch, finished with their effect, given back when they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from sqlalchemy import select, text

from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind
from cloud.estate.tables import LegalEntityRow
from cloud.kit import jobqueue
from cloud.kit.actor import Actor
from cloud.kit.audit import AuditRow
from cloud.kit.db import Database, Unit
from cloud.kit.jobqueue import LeaseLostError
from cloud.kit.jobs import ATTEMPTS_MAX, LEASE, Job, JobArchiveRow, JobRow, JobState, NewJob
from cloud.kit.runner import Handler, JobContext, JobMetrics, Pace, Runner
from common.errors import InvariantError, RefusalError
from common.ids import TenantId
from tests.support.clock import SettableClock

KIND = "add-merchant"
LONG_AGO = timedelta(seconds=-1)


async def enqueue(database: Database, tenant: TenantId, actor: Actor, *jobs: NewJob) -> None:
    async with database.unit(tenant, actor) as unit:
        for job in jobs:
            unit.enqueue(job)


async def claim(
    database: Database, *, wanted: int = 1, lease: timedelta = LEASE, kinds: Collection[str] = (KIND,)
) -> list[Job]:
    async with database.directory() as connection:
        return await jobqueue.claim(
            connection, worker="w", now=database.clock.now(), wanted=wanted, kinds=tuple(kinds), lease=lease
        )


async def states(database: Database, tenant: TenantId) -> dict[str, JobState]:
    async with database.view(tenant) as session:
        return {row.key: row.state for row in await session.scalars(select(JobRow))}


async def merchants(database: Database, tenant: TenantId) -> list[str]:
    async with database.view(tenant) as session:
        query = select(LegalEntityRow.name).where(LegalEntityRow.kind == EntityKind.MERCHANT)
        return sorted(await session.scalars(query))


async def add_merchant(context: JobContext) -> None:
    async with context.finishing_unit() as unit:
        await estate.add_legal_entity(unit, kind=EntityKind.MERCHANT, name=context.job.key)


def runner(database: Database, handler: Handler = add_merchant, *, name: str = "w", pace: Pace | None = None) -> Runner:
    metrics = JobMetrics(CollectorRegistry())
    return Runner(database=database, handlers={KIND: handler}, metrics=metrics, name=name, pace=pace or Pace())


def outcome(made: Runner, word: str) -> float:
    (family,) = made.metrics.jobs.collect()
    wanted = {"kind": KIND, "outcome": word}
    return sum(one.value for one in family.samples if one.name.endswith("_total") and one.labels == wanted)


async def test_a_job_runs_once_and_its_effect_and_completion_stand_together(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="a"), NewJob(kind=KIND, key="b"))
    assert await runner(worker_database).drain() == 2
    assert await runner(worker_database).drain() == 0
    assert await merchants(database, tenant) == ["a", "b"]
    assert await states(database, tenant) == {"a": JobState.DONE, "b": JobState.DONE}


async def test_the_deed_of_a_job_is_audited_under_the_workers_name(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="a"))
    await runner(worker_database, name="worker-7").drain()
    async with database.view(tenant) as session:
        rows = await session.scalars(select(AuditRow).where(AuditRow.actor_kind == "worker"))
        assert [row.actor_name for row in rows] == ["worker-7"]


async def test_a_key_enqueued_again_changes_nothing_before_during_and_after_the_job_and_in_the_archive(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    again = NewJob(kind=KIND, key="a", payload={"later": True})
    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="a"))
    await enqueue(database, tenant, actor, again)
    (job,) = await claim(worker_database)
    assert job.payload == {}
    await enqueue(database, tenant, actor, again)
    await runner(worker_database).run_job(job)
    await enqueue(database, tenant, actor, again)
    async with worker_database.directory() as connection:
        assert await jobqueue.archive(connection, older_than=timedelta(0), limit=10) == 1
    await enqueue(database, tenant, actor, again)
    assert await states(database, tenant) == {}
    assert await claim(worker_database) == []
    async with database.view(tenant) as session:
        assert list(await session.scalars(select(JobArchiveRow.key))) == ["a"]


async def test_the_same_key_belongs_to_each_company_apart(
    database: Database, worker_database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    for company in (tenant, other_tenant):
        await enqueue(database, company, actor, NewJob(kind=KIND, key="a"))
    assert await runner(worker_database).drain() == 2
    assert await merchants(database, tenant) == await merchants(database, other_tenant) == ["a"]


async def test_a_job_waits_for_its_business_time(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="a", run_at=clock.now() + timedelta(days=30)))
    clock.advance(days=29, hours=23)
    assert await claim(worker_database) == []
    clock.advance(hours=1)
    assert [job.key for job in await claim(worker_database)] == ["a"]


async def test_jobs_are_claimed_oldest_first_and_only_of_the_kinds_asked_for(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    clock.advance(days=1)
    jobs = [NewJob(kind=KIND, key=f"{n}", run_at=clock.now() - timedelta(minutes=n)) for n in (1, 3, 2)]
    await enqueue(database, tenant, actor, *jobs, NewJob(kind="other", key="x"))
    assert [(await claim(worker_database))[0].key for _ in range(3)] == ["3", "2", "1"]
    assert await claim(worker_database) == []


async def test_jobs_of_one_partition_are_never_in_hand_together(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    jobs = [NewJob(kind=KIND, key=f"{lane}{n}", partition=lane) for lane in ("p", "q") for n in (1, 2)]
    await enqueue(database, tenant, actor, *jobs)
    first = await claim(worker_database, wanted=10)
    assert sorted(job.key for job in first) == ["p1", "q1"]
    assert await claim(worker_database, wanted=10) == []
    await runner(worker_database).run_job(first[0])
    assert [job.key for job in await claim(worker_database, wanted=10)] == [f"{first[0].key[0]}2"]


async def test_a_worker_whose_lease_ran_out_can_write_nothing_once_another_has_the_job(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="a"))
    (stale,) = await claim(worker_database, lease=LONG_AGO)
    (fresh,) = await claim(worker_database)
    assert fresh.epoch == stale.epoch + 1

    async def write(step: Callable[[JobContext], AbstractAsyncContextManager[Unit]]) -> None:
        async with step(JobContext(worker_database, stale, actor)) as unit:
            await estate.add_legal_entity(unit, kind=EntityKind.MERCHANT, name="stale")

    for step in (JobContext.finishing_unit, JobContext.unit):
        with pytest.raises(LeaseLostError):
            await write(step)
    assert await merchants(database, tenant) == []
    await runner(worker_database).run_job(fresh)
    assert await merchants(database, tenant) == ["a"]


async def test_a_lease_that_nobody_took_over_still_finishes(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="a"))
    (late,) = await claim(worker_database, lease=LONG_AGO)
    await runner(worker_database).run_job(late)
    assert await merchants(database, tenant) == ["a"]


async def test_a_long_job_commits_chunks_and_keeps_its_lease(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    async def in_chunks(context: JobContext) -> None:
        for n in range(3):
            async with context.unit() as unit:
                await estate.add_legal_entity(unit, kind=EntityKind.MERCHANT, name=f"chunk {n}")
            assert await claim(worker_database) == []

    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="a"))
    (job,) = await claim(worker_database, lease=LONG_AGO)
    await runner(worker_database, in_chunks).run_job(job)
    assert await merchants(database, tenant) == ["chunk 0", "chunk 1", "chunk 2"]
    assert await states(database, tenant) == {"a": JobState.DONE}


async def test_a_failed_job_waits_by_the_machines_clock_and_comes_back(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    async def refuse(context: JobContext) -> None:
        async with context.finishing_unit() as unit:
            await estate.add_legal_entity(unit, kind=EntityKind.MERCHANT, name="half done")
            raise RefusalError("the printer is out of paper")

    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="a"))
    failing = runner(worker_database, refuse)
    assert await failing.drain() == 1
    assert outcome(failing, "failed") == 1
    assert await merchants(database, tenant) == []
    clock.advance(days=365)
    assert await claim(worker_database) == []
    async with database.view(tenant) as session:
        row = (await session.scalars(select(JobRow))).one()
    assert (row.state, row.attempts) == (JobState.READY, 1)
    assert row.last_error == "RefusalError: the printer is out of paper"
    await forget_waiting(database, tenant, actor)
    assert await runner(worker_database).drain() == 1
    assert await merchants(database, tenant) == ["a"]


async def forget_waiting(database: Database, tenant: TenantId, actor: Actor) -> None:
    async with database.unit(tenant, actor) as unit:
        await unit.session.execute(text("update job set retry_at = null"))
        unit.record("hurried", "job", UUID(int=0))


async def test_a_job_whose_attempts_are_used_up_waits_for_a_person(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    async def break_down(context: JobContext) -> None:
        raise InvariantError(f"no such room for {context.job.key}")

    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="a"))
    breaking = runner(worker_database, break_down)
    for _ in range(ATTEMPTS_MAX):
        assert await breaking.drain() == 1
        await forget_waiting(database, tenant, actor)
    assert await breaking.drain() == 0
    assert await states(database, tenant) == {"a": JobState.DEAD}
    assert outcome(breaking, "failed") == ATTEMPTS_MAX - 1
    assert outcome(breaking, "dead") == 1


async def test_a_job_under_which_every_worker_died_is_not_tried_for_ever(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="a"))
    for _ in range(ATTEMPTS_MAX):
        assert await claim(worker_database, lease=LONG_AGO)
    assert await runner(worker_database).drain() == 1
    assert await states(database, tenant) == {"a": JobState.DEAD}
    assert await merchants(database, tenant) == []


async def test_lanes_share_the_work_wake_on_demand_and_stop_when_told(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    stop = asyncio.Event()

    async def add_and_stop_after_the_last(context: JobContext) -> None:
        await add_merchant(context)
        if len(await merchants(database, tenant)) == 20:
            stop.set()

    working = runner(worker_database, add_and_stop_after_the_last, pace=Pace(lanes=3, poll_s=0.05))
    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        group.create_task(working.run(stop))
        await enqueue(database, tenant, actor, *(NewJob(kind=KIND, key=f"{n:02}") for n in range(20)))
        working.wake.set()
    assert await merchants(database, tenant) == [f"{n:02}" for n in range(20)]


async def test_workers_side_by_side_do_each_job_exactly_once(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    await enqueue(database, tenant, actor, *(NewJob(kind=KIND, key=f"{n:02}") for n in range(30)))
    workers = [runner(worker_database, name=f"w{n}") for n in range(4)]
    async with asyncio.TaskGroup() as group:
        drained = [group.create_task(worker.drain()) for worker in workers]
    assert sum(task.result() for task in drained) == 30
    assert await merchants(database, tenant) == [f"{n:02}" for n in range(30)]


async def test_jobs_are_counted_by_kind_and_state_and_finished_ones_are_not(
    database: Database, worker_database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="a"), NewJob(kind=KIND, key="b"))
    await enqueue(database, other_tenant, actor, NewJob(kind=KIND, key="c"))
    (job,) = await claim(worker_database)
    await runner(worker_database).run_job(job)
    await claim(worker_database)
    async with worker_database.directory() as connection:
        assert sorted(await jobqueue.counts(connection)) == [(KIND, "leased", 1), (KIND, "ready", 1)]


@given(st.integers(1, 100))
def test_waiting_grows_with_each_attempt_and_is_bounded(attempts: int) -> None:
    assert timedelta(seconds=1) <= jobqueue.backoff(attempts) <= jobqueue.backoff(attempts + 1) <= timedelta(minutes=10)


async def test_a_job_absorbs_those_like_it_that_are_due_and_no_others(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    tomorrow = clock.now() + timedelta(days=1)
    await enqueue(
        database,
        tenant,
        actor,
        NewJob(kind=KIND, key="a", partition="one"),
        NewJob(kind=KIND, key="b", partition="one"),
        NewJob(kind=KIND, key="c", partition="one", run_at=tomorrow),
        NewJob(kind=KIND, key="d", partition="other"),
    )
    ran = []

    async def absorb(context: JobContext) -> None:
        async with context.finishing_unit() as unit:
            await jobqueue.absorb(unit.session, context.job, unit.now)
        ran.append(context.job.key)

    await runner(worker_database, absorb).drain()
    assert ran == ["a", "d"]
    assert await states(database, tenant) == {
        "a": JobState.DONE,
        "b": JobState.DONE,
        "c": JobState.READY,
        "d": JobState.DONE,
    }
