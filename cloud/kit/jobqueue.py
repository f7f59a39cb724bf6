"""The statements of the job table: enqueue, claim, renew, finish, fail, archive. Rules: see `kit/jobs.py`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
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
    insert into job (tenant_id, job_id, kind, key, partition, payload, run_at, state, epoch, attempts)
    select :tenant, :id, :kind, :key, :partition, :payload, :run_at, 'ready', 0, 0
     where not exists (select from job_archive a where a.tenant_id = :tenant and a.key = :key)
    on conflict (tenant_id, key) do nothing
""").bindparams(
    bindparam("tenant", type_=Uuid()),
    bindparam("id", type_=Uuid()),
    bindparam("kind", type_=Text()),
    bindparam("key", type_=Text()),
    bindparam("partition", type_=Text()),
    bindparam("payload", type_=JSONB()),
    bindparam("run_at", type_=DateTime(timezone=True)),
)
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
     where tenant_id = :tenant and job_id = :id and epoch = :epoch and state = 'leased'
""")
_FOLLOWED = text("""
    select exists (select from job mine join job later using (tenant_id, kind, partition)
                    where tenant_id = :tenant and mine.job_id = :id and later.job_id <> :id
                      and later.state = 'ready' and later.run_at <= :now)
""").bindparams(bindparam("now", type_=DateTime(timezone=True)))
_FAIL = text("""
    update job set state = :state, lease_until = null, last_error = :error, retry_at = clock_timestamp() + :delay
     where tenant_id = :tenant and job_id = :id and epoch = :epoch and state = 'leased'
""").bindparams(bindparam("delay", type_=Interval()))


async def insert_jobs(
    session: AsyncSession, *, tenant: TenantId, now: datetime, ids: IdSource, jobs: Sequence[NewJob]
) -> None:
    """Insert jobs whose keys are new, and wake the workers when the transaction commits."""
    rows = [
        {
            "tenant": tenant,
            "id": ids.new(),
            "kind": job.kind,
            "key": job.key,
            "partition": job.partition,
            "payload": dict(job.payload),
            "run_at": job.run_at or now,
        }
        for job in jobs
    ]
    await session.execute(_INSERT, rows, execution_options=_MACHINERY)
    await session.execute(text("select pg_notify(:channel, '')"), {"channel": CHANNEL})


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


async def followed(session: AsyncSession, job: Job, now: datetime) -> bool:
    """Return whether a job of the same kind and partition is due after this one: it will see all that this one sees."""
    found = await session.execute(_FOLLOWED, {"tenant": job.tenant, "id": job.id, "now": now})
    return bool(found.scalar_one())


async def finish(session: AsyncSession, job: Job) -> None:
    """Mark the job done, in the transaction of its effect.

    Raises:
        LeaseLostError: the job is no longer ours; the transaction must roll back.
    """
    await _touch(session, _FINISH, job, {})


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
