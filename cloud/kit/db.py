"""The door to the database, and the only place that commits.

    async with database.unit(tenant, actor) as unit:      one read-write transaction under the company's row security
        unit.session                                      SQLAlchemy AsyncSession: add(), execute(), get(), scalars()
        unit.now, unit.new_id()                           business time fixed for the unit; time-ordered ids
        unit.publish(event)                               routed by cloud/flow.py to jobs, in the same transaction
        unit.enqueue(NewJob(kind=..., key=...))           a job, in the same transaction; a known key changes nothing
        unit.record("added", "meter", meter_id, after={...})   audit; a unit that wrote and recorded nothing is refused
        await unit.load(table, columns, rows)             binary COPY into a table flagged bulk (worker only)
    async with database.view(tenant) as session:          read-only, one snapshot, under row security
    async with database.directory() as connection:        no company: only the functions of schema `directory`

Leaving the block cleanly flushes, audits, enqueues and commits; an exception rolls everything back. Never commit or
roll back yourself: a commit of writes from anywhere else is stopped. A deadlock, a restart, a lost connection or a
full disk leaves the block as `BusyError`: nothing was changed, and the caller (or its job) tries the whole unit again.
A violated constraint stays SQLAlchemy's `IntegrityError`; `kit/httpapi.py` answers it as a conflict when it comes from
a race of two requests.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Table, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from cloud.kit import bulk
from cloud.kit.actor import Actor
from cloud.kit.audit import insert_records
from cloud.kit.clock import monotonic_s
from cloud.kit.errors import BusyError
from cloud.kit.events import Event, Router
from cloud.kit.images import ID, Cells, Ids, ids_from
from cloud.kit.jobqueue import insert_jobs
from cloud.kit.jobs import NewJob
from cloud.kit.tables import JsonObject
from common.clock import Clock
from common.errors import InvariantError, ensure
from common.ids import IdSource, TenantId

_COUNTED_BYTES = 3
IDS_MAX = 1 << (8 * _COUNTED_BYTES)
MACHINERY = {"machinery": True}
_MILLI = 1_000
_log = structlog.get_logger()
_WROTE = "gatehouse_wrote"
# Anywhere in a statement, so that a comment or a `with` in front hides nothing; `for update` has no `set`.
_WRITE = re.compile(
    r"\b(insert\s+into|delete\s+from|merge\s+into|truncate|copy\s+\S+.*?\sfrom)\b"
    r"|\bupdate\s+(only\s+)?[\w\".]+\s+(\*\s+)?((as\s+)?[\w\"]+\s+)?set\b",
    re.IGNORECASE | re.DOTALL,
)
_PASSING_STATES = frozenset({"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "57014"})  # deadlock, lock, restart
_FULL_STATES = frozenset({"53100", "58030"})
_BEGIN = "gatehouse_begin"
_WRITING, _READING = "begin", "begin isolation level repeatable read read only"
_SEEN_S = "gatehouse_seen_s"
_IDLE_S_MAX = 1.0  # a connection that rested longer is tried before it is used


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Bounds of a connection pool and of one statement."""

    size: int = 5
    overflow: int = 5
    wait_s: int = 10
    connect_s: int = 5
    statement_s: int = 60


class Unit:
    """One unit of work: see the head of this module."""

    def __init__(self, session: AsyncSession, tenant: TenantId, actor: Actor, now: datetime, ids: IdSource) -> None:
        self.session = session
        self.tenant = tenant
        self.actor = actor
        self.now = now
        self._ids = ids
        self._jobs: list[NewJob] = []
        self._events: list[Event] = []
        self._records: list[dict[str, Any]] = []

    def new_id(self) -> UUID:
        """Return a new time-ordered id."""
        return self._ids.new()

    def new_ids(self, count: int) -> Ids:
        """Return a column of new time-ordered ids, each above the one before."""
        ensure(0 <= count <= IDS_MAX, f"at most {IDS_MAX} ids are made in one go")
        base = self._ids.new().int & ~(IDS_MAX - 1)
        first = np.frombuffer(base.to_bytes(ID.itemsize), dtype=np.uint8)
        made = np.repeat(first[None, :], count, axis=0)
        numbers = np.arange(count, dtype=">u4").view(np.uint8).reshape(-1, 4)
        made[:, -_COUNTED_BYTES:] = numbers[:, 4 - _COUNTED_BYTES :]
        return ids_from(made)

    def publish(self, event: Event) -> None:
        """Tell the rest of the house what happened; heard if and only if this unit commits."""
        self._events.append(event)

    def enqueue(self, job: NewJob) -> None:
        """Add a job to this transaction; a key the company has used before changes nothing."""
        self._jobs.append(job)

    def record(
        self,
        action: str,
        object_kind: str,
        object_id: UUID,
        *,
        before: JsonObject | None = None,
        after: JsonObject | None = None,
    ) -> None:
        """Write an audit row: who (the unit's actor) did what to which thing.

        Args:
            action: a past participle, such as "added" or "issued".
            object_kind: the table's name, such as "meter".
            object_id: the id of the thing.
            before: ids, figures and states as they were; no personal data.
            after: the same as they are now.
        """
        self._records.append(
            {
                "tenant_id": self.tenant,
                "audit_id": self._ids.new(),
                "at": self.now,
                "actor_kind": self.actor.kind,
                "actor_id": self.actor.id,
                "actor_name": self.actor.name,
                "action": action,
                "object_kind": object_kind,
                "object_id": object_id,
                "before": None if before is None else dict(before),
                "after": None if after is None else dict(after),
            }
        )

    async def load(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
        """COPY rows into a table flagged bulk, in this transaction, and return their count.

        `columns` names what each row holds, in order and without `tenant_id`, which the loader puts in front itself.
        The database checks the company of every row once more. Only the worker's role may load.
        """
        await self.session.flush()
        connection = await self.session.connection()
        connection.info[_WROTE] = True
        return await bulk.copy_rows(connection, self.tenant, table, columns, rows)

    async def load_images(self, table: Table, columns: Sequence[str], images: Sequence[Cells]) -> None:
        """COPY rows laid out by `kit/images.py` into a table flagged bulk; `tenant_id` comes first in each row.

        The database compares the company of every row with the transaction's. Only the worker's role may load.
        """
        await self.session.flush()
        connection = await self.session.connection()
        connection.info[_WROTE] = True
        await bulk.copy_images(connection, table, columns, images)

    async def seal(self, route: Router) -> None:
        """Flush, add what must commit together with the domain's rows, and commit; called by `Database.unit` alone."""
        await self.session.run_sync(self._sealed, route)

    def _sealed(self, session: Session, route: Router) -> None:
        session.flush()
        connection = session.connection()
        wrote = connection.info[_WROTE]
        ensure(bool(self._records) or not wrote, "a unit of work wrote rows and recorded no deed in the audit")
        connection.info[_WROTE] = False  # accounted for: the commit may pass
        if self._records:
            insert_records(session, self._records)
        jobs = [*self._jobs, *(job for event in self._events for job in route(event))]
        if jobs:
            insert_jobs(session, tenant=self.tenant, now=self.now, ids=self._ids, jobs=jobs)
        session.commit()


class Database:
    """The database as one role sees it: the API's or the worker's."""

    def __init__(self, conninfo: str, *, clock: Clock, ids: IdSource, route: Router, pool: Pool | None = None) -> None:
        self._engine = _engine(conninfo, pool or Pool())
        self._clock = clock
        self._ids = ids
        self._route = route

    @property
    def clock(self) -> Clock:
        """Return the business clock."""
        return self._clock

    def new_id(self) -> UUID:
        """Return a new time-ordered id, for a company that does not exist yet."""
        return self._ids.new()

    @asynccontextmanager
    async def unit(self, tenant: TenantId, actor: Actor) -> AsyncIterator[Unit]:
        """Run one read-write transaction as a company; commit on a clean exit, roll back on any other."""
        with _as_refusal():
            async with self._session(_WRITING, tenant) as session:
                unit = Unit(session, tenant, actor, self._clock.now(), self._ids)
                yield unit
                await unit.seal(self._route)

    @asynccontextmanager
    async def view(self, tenant: TenantId) -> AsyncIterator[AsyncSession]:
        """Read as a company, from one snapshot, without the power to write."""
        with _as_refusal():
            async with self._session(_READING, tenant) as session:
                yield session

    def _session(self, begin: str, tenant: TenantId) -> AsyncSession:
        """Return a session whose transaction begins as the company, in one message, when it is first needed."""
        engine = self._engine.execution_options(**{_BEGIN: f"{begin}; set local app.tenant = '{UUID(str(tenant))}'"})
        return AsyncSession(engine, expire_on_commit=False)

    @asynccontextmanager
    async def directory(self) -> AsyncIterator[AsyncConnection]:
        """Ask what must be known before the company is: row security shows no row here, only functions answer.

        Each statement stands alone: it is committed as soon as it has answered.
        """
        with _as_refusal():
            async with self._engine.begin() as connection:
                yield connection

    async def ping(self) -> None:
        """Go on once the database answers.

        Raises:
            BusyError: it does not.
        """
        async with self.directory() as connection:
            await connection.execute(text("select 1"))

    async def close(self) -> None:
        """Close every pooled connection."""
        await self._engine.dispose()


@contextmanager
def _as_refusal() -> Iterator[None]:
    """Turn what the database refuses for reasons of the moment into the refusal that says so."""
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        _log.warning("database_refused", reason=type(error).__name__, sqlstate=_sqlstate(error))
        raise refusal from error


def refusal_of(error: DBAPIError | PoolTimeoutError) -> BusyError | None:
    """Return the refusal that an error of the database amounts to, or None when trying again will not help."""
    if isinstance(error, PoolTimeoutError):
        return BusyError("too many are asking the database at once; nothing was changed, try again")
    state = _sqlstate(error)
    not_connected = isinstance(error, OperationalError) and state is None
    if error.connection_invalidated or not_connected or state in _PASSING_STATES:
        return BusyError("the database could not do this now; nothing was changed, try again")
    if state in _FULL_STATES:
        return BusyError("the disk of the database is full; nothing was changed, make room and try again")
    return None


def _sqlstate(error: DBAPIError | PoolTimeoutError) -> str | None:
    original = error.orig if isinstance(error, DBAPIError) else None
    return original.sqlstate if isinstance(original, psycopg.Error) else None


def _engine(conninfo: str, pool: Pool) -> AsyncEngine:
    bound_ms = pool.statement_s * _MILLI
    options = f"-c timezone=UTC -c statement_timeout={bound_ms} -c idle_in_transaction_session_timeout={bound_ms}"
    engine = create_async_engine(
        "postgresql+psycopg://",
        connect_args=conninfo_to_dict(conninfo, options=options, connect_timeout=pool.connect_s),
        pool_size=pool.size,
        max_overflow=pool.overflow,
        pool_timeout=pool.wait_s,
        isolation_level="AUTOCOMMIT",  # the driver begins nothing by itself: `_begin` does, together with the company
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "before_cursor_execute", _note_write)
    event.listen(engine.sync_engine, "commit", _refuse_unsealed)
    event.listen(engine.sync_engine, "checkout", _try_when_rested)
    event.listen(engine.sync_engine, "checkin", _note_rest)
    return engine


def _begin(connection: Connection) -> None:
    connection.info[_WROTE] = False
    begin = connection.get_execution_options().get(_BEGIN)
    if begin is not None:
        connection.exec_driver_sql(begin)


def _note_rest(driver: object, entry: ConnectionPoolEntry) -> None:
    del driver
    entry.info[_SEEN_S] = monotonic_s()


def _try_when_rested(driver: Any, entry: ConnectionPoolEntry, proxy: object) -> None:
    """Try a connection that rested before it is used, so that a restart meanwhile is noticed by nobody."""
    del proxy
    if monotonic_s() - entry.info.get(_SEEN_S, monotonic_s()) <= _IDLE_S_MAX:
        return
    try:
        driver.cursor().execute("select 1")
    except psycopg.OperationalError as error:
        raise InvalidatePoolError("the connection died while it rested") from error


def _refuse_unsealed(connection: Connection) -> None:
    """Stop a commit that did not come through `Unit.seal`: its writes would have no deed in the audit."""
    if connection.info[_WROTE]:
        connection.connection.rollback()
        raise InvariantError("only the end of a unit of work commits what it wrote")


def _note_write(
    connection: Connection,
    cursor: object,
    statement: str,
    parameters: object,
    context: Any,
    executemany: bool,  # noqa: FBT001
) -> None:
    del cursor, parameters, executemany
    machinery = context is not None and context.execution_options.get("machinery", False)
    if not machinery and _writes(statement):
        connection.info[_WROTE] = True


@lru_cache(maxsize=2_048)
def _writes(statement: str) -> bool:
    return _WRITE.search(statement) is not None
