"""Durable work: a small table of jobs whose effect and completion commit together.

    ready --claim--> leased --finish--> done --archive--> job_archive
      ^                 |
      +---- fail -------+---- attempts used up ----> dead (a person looks, and lets it be tried again: it is ready)

- `run_at` is business time: when the work is due. Lease, back-off and archive age are the database's own clock.
- A claim raises the job's epoch. Whoever holds an older epoch can write nothing: `finish` and `renew` touch the row
  only where the epoch is still theirs, in the same transaction as the domain's writes, else everything rolls back.
- The key is unique per company: enqueueing it again changes nothing, finished or not.
- Jobs with the same non-empty partition never run at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import JsonObject, TenantRow, table_flags
from common.errors import ensure
from common.ids import TenantId

KEY_LENGTH_MAX = 200
ATTEMPTS_MAX = 12
LEASE = timedelta(seconds=60)


class JobState(StrEnum):
    """Where a job stands."""

    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """Work to be done once: `key` makes it so, `run_at` (business) says when, None means now."""

    kind: str
    key: str
    payload: JsonObject = field(default_factory=dict)
    run_at: datetime | None = None
    partition: str = ""

    def __post_init__(self) -> None:
        """Check the bounds of the key."""
        ensure(0 < len(self.key) <= KEY_LENGTH_MAX, f"a job key has 1 to {KEY_LENGTH_MAX} characters")
        ensure(self.kind != "", "a job has a kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job in the hands of a worker, with the epoch that proves it."""

    tenant: TenantId
    id: UUID
    kind: str
    key: str
    payload: JsonObject
    run_at: datetime
    attempts: int
    epoch: int


class JobRow(TenantRow):
    """A job that is not archived yet."""

    __tablename__ = "job"

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    key: Mapped[str]
    partition: Mapped[str]
    payload: Mapped[dict[str, Any]]
    run_at: Mapped[datetime]
    state: Mapped[JobState]
    epoch: Mapped[int]
    attempts: Mapped[int]
    enqueued_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    retry_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    worker: Mapped[str | None]
    last_error: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint("(state = 'leased') = (lease_until is not null)", name="lease_iff_leased"),
        CheckConstraint("(state = 'done') = (done_at is not null)", name="done_at_iff_done"),
        Index("ix_job_due", "run_at", postgresql_where=text("state in ('ready', 'leased')")),
        Index("ix_job_done", "done_at", postgresql_where=text("state = 'done'")),
        table_flags(machinery=True),
    )


class JobArchiveRow(TenantRow):
    """A finished job, kept so that its key stays taken."""

    __tablename__ = "job_archive"

    key: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[UUID]
    kind: Mapped[str]
    run_at: Mapped[datetime]
    done_at: Mapped[datetime]
    attempts: Mapped[int]
    worker: Mapped[str | None]

    __table_args__ = (table_flags(append_only=True, machinery=True),)
