"""Bulk loading and reading: binary COPY, inside the worker's own transaction.

`COPY FROM` is refused under row security, so the statement runs as a role that bypasses it and may only INSERT into
the tables flagged bulk. Two guards keep companies apart: the loader writes the company into every row itself, and a
trigger on each bulk table compares every loaded row with the transaction's company before the statement ends. Reading
is a query as any other, under row security.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import numpy as np
import numpy.typing as npt
from psycopg import AsyncConnection as PsycopgConnection
from psycopg import Error as PsycopgError
from psycopg import adapters, sql
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import Dialect, Table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from typing_extensions import override

from cloud.kit.images import SIGNATURE, TRAILER, Cells, Columns, IdArray, array_of, id_array
from common.errors import InvariantError, ensure
from common.ids import TenantId

BULK_ROLE = "gatehouse_bulk"
_YOUNG = text("select relname from pg_class where relname = any(:names) and relkind = 'r' and reltuples <= 0")
_AS_LOADER = sql.SQL("set local role {}").format(sql.Identifier(BULK_ROLE))
_AS_ONESELF: LiteralString = "reset role"
_SEND_BUFFER = 1 << 22
_UUID_ARRAY_OID = 2951
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


class _IdArrayDumper(Dumper):
    """Sends a column of ids as `uuid[]` in binary form."""

    format = Format.BINARY
    oid = _UUID_ARRAY_OID

    @override
    def dump(self, obj: IdArray) -> bytes:
        """Return the ids as the database takes them."""
        return id_array(obj.ids)


adapters.register_dumper(IdArray, _IdArrayDumper)


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


async def copy_images(
    connection: AsyncConnection, table: Table, columns: Sequence[str], images: Sequence[Cells]
) -> None:
    """COPY rows that are laid out in binary form already, `tenant_id` first in each; see `kit/images.py`."""
    ensure(bool(table.info.get("bulk")), f"table {table.name} is not flagged for bulk loads")
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(table.name), sql.SQL(", ").join(sql.Identifier(name) for name in ("tenant_id", *columns))
    )
    driver = await _driver(connection)
    with _as_errors_of_the_engine():
        await driver.execute(_AS_LOADER)
        _widen(driver)
        async with driver.cursor() as cursor, cursor.copy(statement) as copy:
            await copy.write(SIGNATURE)
            for image in images:
                # The writer below the formatter takes a view, so that the bytes are not copied on their way.
                await copy.writer.write(np.ascontiguousarray(image).reshape(-1).data)
            await copy.write(TRAILER)
        await driver.execute(_AS_ONESELF)


async def measure_young(session: AsyncSession, tables: Sequence[Table]) -> bool:
    """Let the database measure those tables that it has never seen with rows, and return whether all were measured.

    A plan made for an empty table takes any index; without this the first load into it would walk it row by row.
    """
    connection = await session.connection()
    names = [table.name for table in tables]
    found = await session.scalars(_YOUNG, {"names": names})
    young = sorted(set(found))
    driver = await _driver(connection)
    for name in young:
        await driver.execute(sql.SQL("analyze {}").format(sql.Identifier(name)))
    return not young


async def read_columns(
    session: AsyncSession, query: LiteralString, values: Mapping[str, object], types: Mapping[str, npt.DTypeLike]
) -> Columns:
    """Return the answer of a query as columns; each has a fixed width and no NULL.

    The database hands each column over as one array, so that no row costs anything here.

    Args:
        session: a view or unit of a company; its row security holds.
        query: a select with `{name}` where a value stands.
        values: what stands there: ids, days, instants, texts, lists of these, or an `IdArray`.
        types: the selected columns in order with their numpy types (`ID` for uuid, `>i8` for bigint, `>i4` for date).
    """
    connection = await session.connection()
    driver = await _driver(connection)
    given = {name: value for name, value in values.items() if isinstance(value, IdArray)}
    filled = sql.SQL(query).format(
        **{name: sql.Placeholder(name) if name in given else sql.Literal(value) for name, value in values.items()}
    )
    arrays = sql.SQL(", ").join(sql.SQL("array_agg({})").format(sql.Identifier(name)) for name in types)
    with _as_errors_of_the_engine():
        async with driver.cursor(binary=True) as cursor:
            await cursor.execute(sql.SQL("select {} from ({}) answer").format(arrays, filled), given)
            answer = cursor.pgresult
    ensure(answer is not None, "a query that was asked has an answer")
    found = [None if answer is None else answer.get_value(0, place) for place in range(len(types))]
    return {name: array_of(one, kind) for one, (name, kind) in zip(found, types.items(), strict=True)}


def _widen(driver: PsycopgConnection[Any]) -> None:
    """Ask for a send buffer that takes most images whole, so that the loader is not woken for every piece."""
    with socket.socket(fileno=os.dup(driver.fileno())) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)


@contextmanager
def _as_errors_of_the_engine() -> Iterator[None]:
    """Let the driver's errors leave as those of any other statement, so that callers know one family."""
    try:
        yield
    except PsycopgError as error:
        raise DBAPIError.instance(None, None, error, PsycopgError, hide_parameters=True) from error


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
