"""The statements of the job table: enqueue, claim, renew, finish, fail, archive. Rules: see `kit/jobs.py`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.types import DateTime, Interval, Text, Uuid

from cloud.kit.errors import ConflictError
from cloud.kit.jobs import ATTEMPTS_MAX, LEASE, Job, NewJob
from common.errors import ensure
from common.ids import IdSource, TenantId

CHANNEL = "gatehouse_jobs"
_MACHINERY = {"machinery": True}
_BACKOFF_FIRST_S = 1
_BACKOFF_MAX_S = 600
_ERROR_LENGTH_MAX = 500


class LeaseLostError(ConflictError):
    """Another worker has taken the job over; nothing of ours was kept."""


_INSERT = text("""
    with added as (
        insert into job (tenant_id, job_id, kind, key, partition, payload, run_at, enqueued_at, state, epoch, attempts)
        select :tenant, job_id, kind, key, partition, payload, run_at,
               statement_timestamp() + n * interval '1 microsecond', 'ready', 0, 0
          from unnest(cast(:ids as uuid[]), cast(:kinds as text[]), cast(:keys as text[]), cast(:partitions as text[]),
                      cast(:payloads as jsonb[]), cast(:run_ats as timestamptz[]))
               with ordinality as given (job_id, kind, key, partition, payload, run_at, n)
         where not exists (select from job_archive a where a.tenant_id = :tenant and a.key = given.key)
            on conflict (tenant_id, key) do nothing
        returning run_at)
    select pg_notify(:channel, '') where exists (select from added where run_at <= :now)
""").bindparams(bindparam("tenant", type_=Uuid()), bindparam("now", type_=DateTime(timezone=True)))
_CLAIM = text("select * from directory.claim_jobs(:worker, :now, :wanted, :lease, :kinds)").bindparams(
    bindparam("now", type_=DateTime(timezone=True)),
    bindparam("lease", type_=Interval()),
    bindparam("kinds", type_=ARRAY(Text())),
)
_RENEW = text("""
    update job set lease_until = clock_timestamp() + :lease
     where tenant_id = :tenant and job_id = :id and epoch = :epoch and state = 'leased'
""").bindparams(bindparam("lease", type_=Interval()))
_FINISH = text("""
    update job set state = 'done', done_at = clock_timestamp(), lease_until = null
      from unnest(cast(:ids as uuid[]), cast(:epochs as bigint[])) as held (job_id, epoch)
     where job.tenant_id = :tenant and job.job_id = held.job_id and job.epoch = held.epoch and job.state = 'leased'
""")
_ABSORB = text("""
    update job set state = 'done', done_at = clock_timestamp()
      from job mine
     where mine.tenant_id = :tenant and mine.job_id = :id and job.tenant_id = :tenant and job.kind = mine.kind
       and job.partition = mine.partition and job.job_id <> :id and job.state = 'ready' and job.run_at <= :now
""").bindparams(bindparam("now", type_=DateTime(timezone=True)))
_FAIL = text("""
    update job set state = :state, lease_until = null, last_error = :error, retry_at = clock_timestamp() + :delay
     where tenant_id = :tenant and job_id = :id and epoch = :epoch and state = 'leased'
""").bindparams(bindparam("delay", type_=Interval()))


def insert_jobs(session: Session, *, tenant: TenantId, now: datetime, ids: IdSource, jobs: Sequence[NewJob]) -> None:
    """Insert jobs whose keys are new, and wake the workers for what is due when the transaction commits."""
    values = {
        "tenant": tenant,
        "now": now,
        "channel": CHANNEL,
        "ids": [ids.new() for _ in jobs],
        "kinds": [job.kind for job in jobs],
        "keys": [job.key for job in jobs],
        "partitions": [job.partition for job in jobs],
        "payloads": [json.dumps(dict(job.payload)) for job in jobs],
        "run_ats": [job.run_at or now for job in jobs],
    }
    session.execute(_INSERT, values, execution_options=_MACHINERY)


async def claim(
    connection: AsyncConnection,
    *,
    worker: str,
    now: datetime,
    wanted: int,
    kinds: Sequence[str],
    lease: timedelta = LEASE,
) -> list[Job]:
    """Lease due jobs of any company, oldest first, at most one of each partition; each claim raises the epoch.

    Args:
        connection: a `Database.directory()` connection of the worker's role.
        worker: the name of this worker, for the record.
        now: the business time up to which jobs are due.
        wanted: how many jobs to take at most.
        kinds: the kinds of jobs this worker can do.
        lease: how long the jobs are ours, in machine time.
    """
    ensure(wanted > 0, "a claim asks for at least one job")
    found = await connection.execute(
        _CLAIM, {"worker": worker, "now": now, "wanted": wanted, "lease": lease, "kinds": list(kinds)}
    )
    return [
        Job(
            tenant=TenantId(row.tenant_id),
            id=row.job_id,
            kind=row.kind,
            key=row.key,
            payload=row.payload,
            run_at=row.run_at,
            attempts=row.attempts,
            epoch=row.epoch,
        )
        for row in found
    ]


async def free_jobs_of_the_gone(connection: AsyncConnection) -> int:
    """Let go of the jobs whose worker keeps its name no more (see `Worker`), and return how many they were.

    Should such a worker still live, its epoch is old once another has claimed the job, and nothing it does commits.
    """
    freed = await connection.scalar(text("select directory.free_jobs_of_the_gone()"))
    return int(freed or 0)


async def renew(session: AsyncSession, job: Job, lease: timedelta = LEASE) -> None:
    """Keep the job for another lease, in the caller's transaction.

    Raises:
        LeaseLostError: the job is no longer ours.
    """
    await _touch(session, _RENEW, job, {"lease": lease})


async def absorb(session: AsyncSession, job: Job, now: datetime) -> None:
    """Mark done the due jobs of the same kind and partition that wait: this one, which reads afterwards, does for all.

    Whatever they were enqueued for is committed, so that a statement after this one sees it.
    """
    values = {"tenant": job.tenant, "id": job.id, "now": now}
    await session.execute(_ABSORB, values, execution_options=_MACHINERY)


async def finish(session: AsyncSession, jobs: Sequence[Job]) -> None:
    """Mark jobs of one company done, in the transaction of their effect.

    Raises:
        LeaseLostError: one of them is no longer ours; the transaction must roll back.
    """
    values = {"tenant": jobs[0].tenant, "ids": [job.id for job in jobs], "epochs": [job.epoch for job in jobs]}
    outcome = await session.execute(_FINISH, values, execution_options=_MACHINERY)
    if not isinstance(outcome, CursorResult) or outcome.rowcount != len(jobs):
        raise LeaseLostError(f"job {jobs[0].key} or one beside it was taken over; this worker's work on it is dropped")


async def fail(session: AsyncSession, job: Job, reason: str) -> None:
    """Give the job back for a later try, or to a person once its attempts are used up.

    Raises:
        LeaseLostError: the job is no longer ours.
    """
    state = "dead" if job.attempts >= ATTEMPTS_MAX else "ready"
    values = {"state": state, "error": reason[:_ERROR_LENGTH_MAX], "delay": backoff(job.attempts)}
    await _touch(session, _FAIL, job, values)


def backoff(attempts: int) -> timedelta:
    """Return the machine time to wait after so many attempts: doubled each time, bounded."""
    return timedelta(seconds=min(_BACKOFF_FIRST_S << min(attempts - 1, 30), _BACKOFF_MAX_S))


async def archive(connection: AsyncConnection, *, older_than: timedelta, limit: int) -> int:
    """Move finished jobs of all companies to the archive and return how many moved."""
    statement = text("select directory.archive_jobs(:age, :limit)").bindparams(bindparam("age", type_=Interval()))
    moved = await connection.execute(statement, {"age": older_than, "limit": limit})
    return int(moved.scalar_one())


async def counts(connection: AsyncConnection) -> list[tuple[str, str, int]]:
    """Return how many jobs of all companies are not done, by kind and state."""
    found = await connection.execute(text("select kind, state, count from directory.job_counts()"))
    return [(kind, state, waiting) for kind, state, waiting in found]


async def companies(connection: AsyncConnection) -> list[tuple[TenantId, str]]:
    """Return every company and the name of its zone, for schedules."""
    found = await connection.execute(text("select tenant_id, zone from directory.companies()"))
    return [(TenantId(row.tenant_id), row.zone) for row in found]


async def _touch(session: AsyncSession, statement: Any, job: Job, values: dict[str, Any]) -> None:
    owned = {"tenant": job.tenant, "id": job.id, "epoch": job.epoch}
    outcome = await session.execute(statement, owned | values, execution_options=_MACHINERY)
    if not isinstance(outcome, CursorResult) or outcome.rowcount != 1:
        raise LeaseLostError(f"job {job.key} was taken over by another worker; its work of this worker is dropped")
