"""Jobs whose attempts are used up: shown to a person, and sent to work again once what stopped them is mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import Unit
from cloud.kit.errors import NotFoundError
from cloud.kit.jobs import JobRow, JobState


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedJob:
    """A job that waits for a person: what it was to do, since when, how often it was tried, what the last try met."""

    job_id: UUID
    kind: str
    key: str
    enqueued_at: datetime
    attempts: int
    reason: str


async def stopped(session: AsyncSession, *, offset: int, limit: int) -> Sequence[StoppedJob]:
    """Return the stopped jobs of the company, the one that has waited longest first."""
    found = await session.scalars(
        select(JobRow)
        .where(JobRow.state == JobState.DEAD)
        .order_by(JobRow.enqueued_at, JobRow.job_id)
        .offset(offset)
        .limit(limit)
    )
    return [
        StoppedJob(
            job_id=row.job_id,
            kind=row.kind,
            key=row.key,
            enqueued_at=row.enqueued_at,
            attempts=row.attempts,
            reason=row.last_error or "",
        )
        for row in found
    ]


async def count(session: AsyncSession) -> int:
    """Return how many jobs of the company have stopped."""
    return await session.scalar(select(func.count()).where(JobRow.state == JobState.DEAD)) or 0


async def why_stopped(session: AsyncSession, key_prefix: str) -> str | None:
    """Return what stopped the newest job whose key begins so, or None when it has not stopped or there is none."""
    newest = await session.scalar(
        select(JobRow)
        .where(JobRow.key.startswith(key_prefix, autoescape=True))
        .order_by(JobRow.enqueued_at.desc(), JobRow.job_id.desc())
        .limit(1)
    )
    return newest.last_error if newest is not None and newest.state is JobState.DEAD else None


async def try_again(unit: Unit, job_id: UUID) -> None:
    """Let a stopped job be tried as often as a new one; a job that has not stopped, or not any more, is left alone.

    Raises:
        NotFoundError: the company has no such job, or it was done long ago.
    """
    row = await unit.session.scalar(select(JobRow).where(JobRow.job_id == job_id).with_for_update())
    if row is None:
        raise NotFoundError(f"there is no job {job_id}")
    if row.state is not JobState.DEAD:
        return
    unit.record("sent to work again", "job", job_id, before={"kind": row.kind, "attempts": row.attempts})
    row.state, row.attempts, row.retry_at = JobState.READY, 0, None
