"""Bulk loading: binary COPY by the loader role, inside the worker's own transaction.

`COPY FROM` is refused under row security, so the statement runs as a role that bypasses it and may only INSERT into
the tables flagged bulk. Two guards keep companies apart: the loader writes the company into every row itself, and a
trigger on each bulk table compares every loaded row with the transaction's company before the statement ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import AsyncConnection as PsycopgConnection
from psycopg import sql
from sqlalchemy import Dialect, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from common.errors import InvariantError, ensure
from common.ids import TenantId

BULK_ROLE = "gatehouse_bulk"
_COPY_TYPES = {
    "BIGINT": "int8",
    "INTEGER": "int4",
    "SMALLINT": "int2",
    "TEXT": "text",
    "VARCHAR": "varchar",
    "BOOLEAN": "bool",
    "BYTEA": "bytea",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "UUID": "uuid",
    "JSONB": "jsonb",
}


async def copy_rows(
    connection: AsyncConnection,
    tenant: TenantId,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
) -> int:
    """COPY rows in binary form and return their count; `tenant_id` is prefixed to each."""
    ensure(bool(table.info.get("bulk")), f"table {table.name} is not flagged for bulk loads")
    names = ("tenant_id", *columns)
    types = [_type_name(table, name, connection.dialect) for name in names]
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(table.name), sql.SQL(", ").join(sql.Identifier(name) for name in names)
    )
    await connection.execute(text(f"set local role {BULK_ROLE}"))
    driver = await _driver(connection)
    count = 0
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            await copy.write_row((tenant, *row))
            count += 1
    await connection.execute(text("reset role"))
    return count


async def _driver(connection: AsyncConnection) -> PsycopgConnection[Any]:
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    if not isinstance(driver, PsycopgConnection):
        raise InvariantError("bulk loads speak psycopg")
    return driver


def _type_name(table: Table, column: str, dialect: Dialect) -> str:
    ensure(column in table.columns, f"table {table.name} has no column {column}")
    compiled = table.columns[column].type.compile(dialect=dialect).split("(")[0]
    ensure(compiled in _COPY_TYPES, f"bulk loads know no type {compiled}")
    return _COPY_TYPES[compiled]
