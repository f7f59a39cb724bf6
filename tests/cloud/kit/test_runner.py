"""Jobs done together: one commit for those of a company, each alone when one is bad; and how long a job may rest."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.jobs import JobState, NewJob
from cloud.kit.runner import Bell, JobBatch, JobContext, Pace, Runner, Together
from common.errors import RefusalError
from common.ids import TenantId
from tests.cloud.kit.test_jobs import KIND, add_merchant, claim, enqueue, merchants, outcome, runner, states

REST_S = 3.0  # a job of these tests may rest so long


def gathering(database: Database, crowds: list[list[str]], bad: str = "") -> Runner:
    """Return a runner that does jobs together, and notes with whom; together with a bad one nothing is done."""

    async def add_all(batch: JobBatch) -> None:
        crowds.append([job.key for job in batch.jobs])
        async with batch.finishing_unit() as unit:
            for job in batch.jobs:
                await estate.add_legal_entity(unit, kind=EntityKind.MERCHANT, name=job.key)
                if job.key == bad:
                    raise RefusalError("bad")

    async def add_alone(context: JobContext) -> None:
        if context.job.key == bad:
            raise RefusalError("bad")
        await add_merchant(context)

    made = runner(database, add_alone, pace=Pace(poll_s=0.05))
    made.together = {KIND: Together(handle=add_all, gather_ms=0)}
    return made


async def test_jobs_of_a_company_are_done_together_in_one_commit(
    database: Database, worker_database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    await enqueue(database, tenant, actor, *(NewJob(kind=KIND, key=key) for key in "abc"))
    await enqueue(database, other_tenant, actor, *(NewJob(kind=KIND, key=key) for key in "xy"))
    crowds: list[list[str]] = []
    assert await gathering(worker_database, crowds).drain() == 5
    assert sorted(map(sorted, crowds)) == [["a", "b", "c"], ["x", "y"]]
    assert await merchants(database, tenant) == ["a", "b", "c"]
    assert await merchants(database, other_tenant) == ["x", "y"]
    assert set((await states(database, tenant)).values()) == {JobState.DONE}


async def test_a_bad_job_among_others_holds_none_of_them_up(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    await enqueue(database, tenant, actor, *(NewJob(kind=KIND, key=key) for key in "abc"))
    working = gathering(worker_database, [], bad="b")
    await working.drain(3)
    assert await merchants(database, tenant) == ["a", "c"]
    assert await states(database, tenant) == {"a": JobState.DONE, "b": JobState.READY, "c": JobState.DONE}
    assert (outcome(working, "done"), outcome(working, "failed")) == (2, 1)


async def test_a_job_among_others_that_was_taken_over_takes_nothing_with_it(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    await enqueue(database, tenant, actor, *(NewJob(kind=KIND, key=key) for key in "abc"))
    jobs = await claim(worker_database, wanted=3)
    working = gathering(worker_database, [])
    stale = [replace(job, epoch=job.epoch - (job.key == "b")) for job in jobs]
    await working.run_together(working.together[KIND], stale)
    assert await merchants(database, tenant) == ["a", "c"]
    assert await states(database, tenant) == {"a": JobState.DONE, "b": JobState.LEASED, "c": JobState.DONE}


async def test_jobs_that_arrive_while_a_worker_waits_are_done_together_and_it_stops_when_told(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    stop, crowds = asyncio.Event(), list[list[str]]()
    working = gathering(worker_database, crowds)
    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        group.create_task(working.run(stop))
        await enqueue(database, tenant, actor, *(NewJob(kind=KIND, key=key) for key in "abcd"))
        working.wake.set()
        while len(await merchants(database, tenant)) < 4:  # noqa: ASYNC110 - rows of another connection raise no event
            await asyncio.sleep(0.01)
        stop.set()
    assert sum(map(len, crowds)) == 4


async def test_a_long_job_that_commits_its_chunks_is_not_cut_off(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    async def add_slowly(context: JobContext) -> None:
        for part in "abcd":
            await asyncio.sleep(REST_S * 2 / 5)
            async with context.unit() as unit:
                await estate.add_legal_entity(unit, kind=EntityKind.MERCHANT, name=part)

    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="long"))
    working = runner(worker_database, add_slowly, pace=Pace(rest_s_max=REST_S))
    await working.drain()
    assert await merchants(database, tenant) == ["a", "b", "c", "d"]
    assert outcome(working, "done") == 1


async def test_a_job_that_rests_too_long_is_cut_off_and_tried_again(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    async def add_one_and_hang(context: JobContext) -> None:
        async with context.unit() as unit:
            await estate.add_legal_entity(unit, kind=EntityKind.MERCHANT, name="a")
        await asyncio.Event().wait()

    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="hangs"))
    working = runner(worker_database, add_one_and_hang, pace=Pace(rest_s_max=REST_S / 10))
    async with asyncio.timeout(30):
        assert await working.drain(1) == 1
    assert await merchants(database, tenant) == ["a"]
    assert await states(database, tenant) == {"hangs": JobState.READY}
    assert outcome(working, "failed") == 1


async def test_a_bell_that_rang_while_nobody_waited_is_heard() -> None:
    bell = Bell()
    heard = bell.rung
    bell.set()
    async with asyncio.timeout(1):
        await bell.wait(heard)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await bell.wait(bell.rung)
