"""Bulk loading: only the worker, only bulk tables, only rows of its own company."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Table, func, select
from sqlalchemy.exc import DBAPIError

from cloud.kit.actor import Actor
from cloud.kit.bulk import read_columns
from cloud.kit.db import Database
from cloud.kit.images import ID, IdArray, ids_of
from cloud.kit.roles import WORKER
from common.errors import InvariantError
from common.ids import TenantId
from tests.support.postgres import TestServer
from tests.support.schema import whole_metadata

COMMUNITY = UUID(int=5)
COLUMNS = ("community_id", "sha", "body", "engine_version", "recorded_at")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def table(name: str) -> Table:
    return whole_metadata().tables[name]


def row(n: int) -> tuple[object, ...]:
    return (COMMUNITY, f"{n:064x}", b"input", 1, NOW)


async def count(database: Database, tenant: TenantId) -> int:
    async with database.view(tenant) as session:
        return await session.scalar(select(func.count()).select_from(table("rating_input"))) or 0


async def test_the_worker_loads_rows_of_its_company_in_the_transaction_of_the_unit(
    worker_database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    async with worker_database.unit(tenant, actor) as unit:
        assert await unit.load(table("rating_input"), COLUMNS, (row(n) for n in range(1_000))) == 1_000
        unit.record("loaded", "rating_input", COMMUNITY)
    assert await count(worker_database, tenant) == 1_000
    assert await count(worker_database, other_tenant) == 0


async def test_a_load_rolls_back_with_its_unit(worker_database: Database, tenant: TenantId, actor: Actor) -> None:
    async def load_and_fail() -> None:
        async with worker_database.unit(tenant, actor) as unit:
            await unit.load(table("rating_input"), COLUMNS, [row(1)])
            unit.record("loaded", "rating_input", COMMUNITY)
            raise InvariantError("later trouble")

    with pytest.raises(InvariantError, match="later trouble"):
        await load_and_fail()
    assert await count(worker_database, tenant) == 0


async def test_a_load_without_a_record_is_refused(worker_database: Database, tenant: TenantId, actor: Actor) -> None:
    with pytest.raises(InvariantError, match="recorded no deed"):
        async with worker_database.unit(tenant, actor) as unit:
            await unit.load(table("rating_input"), COLUMNS, [row(1)])
    assert await count(worker_database, tenant) == 0


async def test_after_a_load_the_unit_is_under_row_security_again(
    worker_database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    for company in (tenant, other_tenant):
        async with worker_database.unit(company, actor) as unit:
            await unit.load(table("rating_input"), COLUMNS, [row(1)])
            seen = await unit.session.scalars(select(table("rating_input").c.tenant_id))
            assert list(seen) == [company]
            unit.record("loaded", "rating_input", COMMUNITY)


async def test_the_api_role_cannot_load(database: Database, tenant: TenantId, actor: Actor) -> None:
    with pytest.raises(DBAPIError, match="permission denied to set role"):
        async with database.unit(tenant, actor) as unit:
            await unit.load(table("rating_input"), COLUMNS, [row(1)])


@pytest.mark.parametrize(("name", "column"), [("community", "code"), ("rating_input", "no_such_column")])
async def test_only_flagged_tables_and_their_own_columns_are_loaded(
    worker_database: Database, tenant: TenantId, actor: Actor, name: str, column: str
) -> None:
    with pytest.raises(InvariantError, match=r"not flagged|has no column"):
        async with worker_database.unit(tenant, actor) as unit:
            await unit.load(table(name), [column], [])


def test_even_raw_bytes_of_the_loader_cannot_write_a_row_of_another_company(
    server: TestServer, database_name: str, tenant: TenantId, other_tenant: TenantId
) -> None:
    copy = sql.SQL("copy rating_input (tenant_id, {}) from stdin").format(
        sql.SQL(", ").join(sql.Identifier(name) for name in COLUMNS)
    )

    def load(company: TenantId) -> None:
        conninfo = server.server.conninfo(role=WORKER, database=database_name)
        with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
            cursor.execute("select set_config('app.tenant', %s, true)", [str(tenant)])
            cursor.execute("set local role gatehouse_bulk")
            with cursor.copy(copy) as stream:
                stream.write_row((company, *row(1)))

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row of another company"):
        load(other_tenant)
    load(tenant)


def test_a_load_without_a_company_is_refused(server: TestServer, database_name: str) -> None:
    conninfo = server.server.conninfo(role=WORKER, database=database_name)

    def load() -> None:
        with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
            cursor.execute("set local role gatehouse_bulk")
            cursor.execute(
                "insert into rating_input (tenant_id, community_id, sha, body, engine_version, recorded_at)"
                " values (%s, %s, %s, '', 1, now())",
                [UUID(int=1), COMMUNITY, "0" * 64],
            )

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row of another company"):
        load()


async def test_a_query_takes_a_column_of_ids_and_an_empty_one(database: Database, tenant: TenantId) -> None:
    known = ids_of([UUID(int=1 << 64), UUID(int=2)])
    query: LiteralString = "select id from unnest({known}) id where id <> all({left_out}::uuid[])"
    async with database.view(tenant) as session:
        values: dict[str, object] = {"known": IdArray(known), "left_out": [UUID(int=2)]}
        found = await read_columns(session, query, values, {"id": ID})
        nothing = await read_columns(session, query, values | {"known": IdArray(known[:0])}, {"id": ID})
    assert found["id"].tolist() == known[:1].tolist()
    assert len(nothing["id"]) == 0
