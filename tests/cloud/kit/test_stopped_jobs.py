"""A job that has stopped is shown with its reason, goes on when a person says so, and is done once."""

from __future__ import annotations

from uuid import UUID

import pytest

from cloud.kit import stopped_jobs
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import NotFoundError
from cloud.kit.jobs import ATTEMPTS_MAX, JobState, NewJob
from cloud.kit.runner import JobContext
from cloud.kit.stopped_jobs import StoppedJob
from common.errors import InvariantError
from common.ids import TenantId
from tests.cloud.kit.test_jobs import KIND, enqueue, forget_waiting, merchants, runner, states


async def let_stop(database: Database, worker_database: Database, tenant: TenantId, actor: Actor, *keys: str) -> None:
    async def break_down(context: JobContext) -> None:
        raise InvariantError(f"no such room for {context.job.key}")

    for key in keys:
        await enqueue(database, tenant, actor, NewJob(kind=KIND, key=key))
    breaking = runner(worker_database, break_down)
    for _ in range(ATTEMPTS_MAX):
        assert await breaking.drain() == len(keys)
        await forget_waiting(database, tenant, actor)


async def waiting(database: Database, tenant: TenantId, *, offset: int = 0, limit: int = 10) -> list[StoppedJob]:
    async with database.view(tenant) as session:
        return list(await stopped_jobs.stopped(session, offset=offset, limit=limit))


async def why(database: Database, tenant: TenantId, key_prefix: str) -> str | None:
    async with database.view(tenant) as session:
        return await stopped_jobs.why_stopped(session, key_prefix)


async def again(database: Database, tenant: TenantId, actor: Actor, job_id: UUID) -> None:
    async with database.unit(tenant, actor) as unit:
        await stopped_jobs.try_again(unit, job_id)


async def test_a_stopped_job_is_shown_with_its_reason_and_done_once_when_sent_to_work_again(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    await let_stop(database, worker_database, tenant, actor, "a")
    (one,) = await waiting(database, tenant)
    assert (one.kind, one.key, one.attempts) == (KIND, "a", ATTEMPTS_MAX)
    assert one.reason == "InvariantError: no such room for a"
    for _ in range(2):  # the button pressed twice
        await again(database, tenant, actor, one.job_id)
    assert await states(database, tenant) == {"a": JobState.READY}
    assert await runner(worker_database).drain() == 1
    assert await merchants(database, tenant) == ["a"]
    assert await waiting(database, tenant) == []
    await again(database, tenant, actor, one.job_id)
    assert await runner(worker_database).drain() == 0
    assert await states(database, tenant) == {"a": JobState.DONE}


async def test_a_job_sent_to_work_again_has_all_its_attempts_and_stops_again(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    await let_stop(database, worker_database, tenant, actor, "a")
    (one,) = await waiting(database, tenant)
    await again(database, tenant, actor, one.job_id)
    await let_stop(database, worker_database, tenant, actor, "a")
    assert await states(database, tenant) == {"a": JobState.DEAD}


async def test_the_one_that_has_waited_longest_comes_first_and_other_companies_see_none(
    database: Database, worker_database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    await let_stop(database, worker_database, tenant, actor, "a", "b", "c")
    assert [one.key for one in await waiting(database, tenant)] == ["a", "b", "c"]
    assert [one.key for one in await waiting(database, tenant, offset=1, limit=1)] == ["b"]
    assert await waiting(database, other_tenant) == []
    async with database.view(tenant) as own, database.view(other_tenant) as other:
        assert (await stopped_jobs.count(own), await stopped_jobs.count(other)) == (3, 0)
    (one, *_) = await waiting(database, tenant)
    with pytest.raises(NotFoundError, match="no job"):
        await again(database, other_tenant, actor, one.job_id)


async def test_only_the_newest_job_of_a_matter_tells_whether_it_has_stopped(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    assert await why(database, tenant, "run_1:") is None
    await let_stop(database, worker_database, tenant, actor, "run_1:a", "runs1:b")
    assert await why(database, tenant, "run_1:") == "InvariantError: no such room for run_1:a"
    await enqueue(database, tenant, actor, NewJob(kind=KIND, key="run_1:c"))
    assert await why(database, tenant, "run_1:") is None
    assert await why(database, tenant, "runs1:") == "InvariantError: no such room for runs1:b"
