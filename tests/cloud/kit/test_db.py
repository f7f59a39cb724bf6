"""The door to the database: transactions, row security, audit, what a unit refuses."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind
from cloud.estate.tables import LegalEntityRow, TenantRecord
from cloud.kit.actor import Actor
from cloud.kit.audit import AuditRow
from cloud.kit.db import Database, Pool, Unit, refusal_of
from cloud.kit.errors import BusyError
from cloud.kit.events import Event, Routes, no_listeners
from cloud.kit.jobs import JobRow, NewJob
from cloud.kit.postgres import SUPERUSER
from cloud.kit.roles import APP
from common.errors import InvariantError
from common.ids import LegalEntityId, TenantId, TimeOrderedIds
from tests.support.clock import SettableClock
from tests.support.postgres import TestServer


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPainted(Event):
    """Something happened."""

    door: str


@pytest.fixture
def routes() -> Routes:
    return {DoorPainted: (lambda event: NewJob(kind="dry", key=f"dry:{event.door}"),)}


def entity(unit: Unit, name: str, tenant: TenantId | None = None) -> LegalEntityRow:
    return LegalEntityRow(
        tenant_id=tenant or unit.tenant,
        legal_entity_id=LegalEntityId(unit.new_id()),
        kind=EntityKind.MERCHANT,
        name=name,
        name_key=name,
        created_at=unit.now,
    )


async def merchants(database: Database, tenant: TenantId) -> list[str]:
    async with database.view(tenant) as session:
        query = select(LegalEntityRow.name).where(LegalEntityRow.kind == EntityKind.MERCHANT)
        return list(await session.scalars(query))


async def test_a_company_sees_its_own_rows_and_no_others(
    database: Database, tenant: TenantId, other_tenant: TenantId
) -> None:
    for company in (tenant, other_tenant):
        async with database.view(company) as session:
            assert list(await session.scalars(select(TenantRecord.tenant_id))) == [company]


async def test_a_company_cannot_write_a_row_of_another(
    database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    async def smuggle() -> None:
        async with database.unit(tenant, actor) as unit:
            unit.session.add(entity(unit, "smuggled", other_tenant))
            unit.record("added", "legal_entity", tenant)

    with pytest.raises(ProgrammingError, match="row-level security"):
        await smuggle()
    assert await merchants(database, other_tenant) == []


async def test_a_connection_used_before_shows_no_row_when_no_company_is_set(
    server: TestServer, database_name: str, clock: SettableClock, ids: TimeOrderedIds, tenant: TenantId
) -> None:
    conninfo = server.server.conninfo(role=APP, database=database_name)
    single = Database(conninfo, clock=clock, ids=ids, route=no_listeners, pool=Pool(size=1, overflow=0))
    try:
        async with single.view(tenant) as session:
            assert len(list(await session.scalars(select(TenantRecord)))) == 1
            backend = await session.scalar(text("select pg_backend_pid()"))
        async with single.directory() as connection:
            assert await connection.scalar(text("select pg_backend_pid()")) == backend
            assert await connection.scalar(text("select current_setting('app.tenant', true)")) == ""
            assert await connection.scalar(text("select count(*) from tenant")) == 0
    finally:
        await single.close()


async def test_a_view_cannot_write(database: Database, tenant: TenantId) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with database.view(tenant) as session:
            await session.execute(text("update tenant set name = 'x'"))


@pytest.mark.parametrize(
    "statement",
    [
        "insert into legal_entity select tenant_id, gen_random_uuid(), 'merchant', 'x', 'x', null, now() from tenant",
        "update tenant set code = 'other'",
        "delete from legal_entity",
        "with gone as (delete from legal_entity returning *) select count(*) from gone",
        "  UPDATE tenant SET code = 'other'",
        "/* quietly */ update tenant set code = 'other'",
        "-- quietly\n update only public.tenant as t set code = 'other'",
        "update \"tenant\" set code = 'other'",
        "with seen as materialized (select 1) update tenant t set code = 'other'",
        "merge into tenant using (select 1) as one on true when matched then update set code = 'other'",
    ],
)
async def test_a_unit_that_wrote_without_recording_is_refused(
    database: Database, tenant: TenantId, actor: Actor, statement: str
) -> None:
    with pytest.raises(InvariantError, match="recorded no deed"):
        async with database.unit(tenant, actor) as unit:
            await unit.session.execute(text(statement))
    async with database.view(tenant) as session:
        assert await session.scalar(select(TenantRecord.code)) == "east"


async def test_a_commit_in_the_middle_of_a_unit_is_refused_and_nothing_of_it_stays(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async def commit_early() -> None:
        async with database.unit(tenant, actor) as unit:
            unit.session.add(entity(unit, "silent"))
            await unit.session.commit()

    with pytest.raises(InvariantError, match="only the end of a unit"):
        await commit_early()
    assert await merchants(database, tenant) == []
    await database.ping()


async def test_a_unit_that_added_rows_without_recording_is_refused(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    with pytest.raises(InvariantError, match="recorded no deed"):
        async with database.unit(tenant, actor) as unit:
            unit.session.add(entity(unit, "silent"))
    assert await merchants(database, tenant) == []


async def test_reading_and_locking_need_no_record(database: Database, tenant: TenantId, actor: Actor) -> None:
    async with database.unit(tenant, actor) as unit:
        await unit.session.scalar(select(TenantRecord).with_for_update())


async def test_the_audit_says_who_did_what_when(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    thing = UUID(int=77)
    async with database.unit(tenant, actor) as unit:
        unit.record("painted", "door", thing, before={"colour": "red"}, after={"colour": "green"})
    async with database.view(tenant) as session:
        row = (await session.scalars(select(AuditRow).where(AuditRow.object_id == thing))).one()
    assert (row.at, row.actor_id, row.actor_name, row.action) == (clock.now(), actor.id, "tester", "painted")
    assert (row.before, row.after) == ({"colour": "red"}, {"colour": "green"})


async def test_an_event_becomes_a_job_if_and_only_if_the_unit_commits(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    async def jobs() -> list[tuple[str, object]]:
        async with database.view(tenant) as session:
            return [(row.key, row.run_at) for row in await session.scalars(select(JobRow))]

    with pytest.raises(ZeroDivisionError):
        await _publish_and_fail(database, tenant, actor)
    assert await jobs() == []
    for _ in range(2):
        async with database.unit(tenant, actor) as unit:
            unit.publish(DoorPainted(door="front"))
    assert await jobs() == [("dry:front", clock.now())]


async def _publish_and_fail(database: Database, tenant: TenantId, actor: Actor) -> None:
    async with database.unit(tenant, actor) as unit:
        unit.publish(DoorPainted(door="back"))
        _ = 1 // 0


async def test_a_constraint_refuses_and_nothing_of_the_unit_stays(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async def add_twice() -> None:
        async with database.unit(tenant, actor) as unit:
            await estate.add_legal_entity(unit, kind=EntityKind.MERCHANT, name="twice")
            await estate.add_legal_entity(unit, kind=EntityKind.MERCHANT, name="twice")

    with pytest.raises(IntegrityError, match="uq_legal_entity"):
        await add_twice()
    assert await merchants(database, tenant) == []


async def test_a_connection_that_the_server_ends_is_a_refusal_to_try_again_and_the_next_unit_works(
    server: TestServer, database_name: str, database: Database, tenant: TenantId, actor: Actor
) -> None:
    async def be_cut_off() -> None:
        async with database.unit(tenant, actor) as unit:
            await _end_other_connections(server, database_name)
            await unit.session.execute(select(TenantRecord))

    with pytest.raises(BusyError):
        await be_cut_off()
    assert await merchants(database, tenant) == []


async def test_when_every_connection_is_taken_the_next_caller_is_told_to_try_again(
    server: TestServer, database_name: str, clock: SettableClock, ids: TimeOrderedIds, tenant: TenantId
) -> None:
    conninfo = server.server.conninfo(role=APP, database=database_name)
    narrow = Database(conninfo, clock=clock, ids=ids, route=no_listeners, pool=Pool(size=1, overflow=0, wait_s=0))
    async with narrow.view(tenant) as session:
        await session.execute(select(TenantRecord))
        with pytest.raises(BusyError, match="at once"):
            await narrow.ping()
    await narrow.close()


async def _end_other_connections(server: TestServer, database_name: str) -> None:
    conninfo = server.server.conninfo(role=SUPERUSER, database=database_name)
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and pid <> pg_backend_pid()",
            [database_name],
        )


@pytest.mark.parametrize(
    ("error", "busy"),
    [
        (psycopg.errors.DeadlockDetected(), True),
        (psycopg.errors.SerializationFailure(), True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.DiskFull(), True),
        (psycopg.errors.UniqueViolation(), False),
        (psycopg.errors.SyntaxError(), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_only_errors_of_the_moment_are_to_be_tried_again(error: psycopg.Error, busy: bool) -> None:  # noqa: FBT001 - a column of the table
    assert (refusal_of(DBAPIError("select", {}, error)) is not None) == busy


async def test_a_database_that_is_not_there_is_busy(clock: SettableClock, ids: TimeOrderedIds) -> None:
    nowhere = Database("host=/nonexistent user=x dbname=x", clock=clock, ids=ids, route=no_listeners)
    with pytest.raises(BusyError):
        await nowhere.ping()
    await nowhere.close()
