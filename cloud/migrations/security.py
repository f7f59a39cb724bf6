"""The guards of the schema, as statements: row security, grants, append-only triggers, the check of bulk loads.

Nothing here decides which table is what: the flags stand with the tables (`kit/tables.py`). The trigger functions
and the directory are plain SQL beside this file. The catalogue test walks the real database and finds any table that
slipped past.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, MetaData, Table

from cloud.kit.roles import APP, BULK, WORKER
from common.errors import InvariantError

_SQL = Path(__file__).parent / "sql"
_COMPANY = "tenant_id = nullif(current_setting('app.tenant', true), '')::uuid"


def run_script(connection: Connection, name: str) -> None:
    """Run a file of statements from the folder `sql` in the connection's transaction."""
    driver = connection.connection.driver_connection
    if driver is None:
        raise InvariantError("a migration runs on an open connection")
    driver.execute((_SQL / name).read_bytes())


def guards(metadata: MetaData) -> Iterator[str]:
    """Yield the statements that guard every table: those of companies' rows, and the few of the program's own."""
    for table in metadata.sorted_tables:
        yield from guard(table) if "tenant_id" in table.columns else reference(table)


def reference(table: Table) -> Iterator[str]:
    """Yield the statements for a table without a company: the program's own words, which roles only read."""
    yield f'grant select on "{table.name}" to {APP}, {WORKER}'
    yield _append_only(table.name)


def guard(table: Table) -> Iterator[str]:
    """Yield the statements that guard one table of companies' rows."""
    name = table.name
    append_only = bool(table.info.get("append_only"))
    yield f'alter table "{name}" enable row level security'
    yield f'alter table "{name}" force row level security'
    yield f'create policy company on "{name}" using ({_COMPANY}) with check ({_COMPANY})'
    verbs = "select, insert" if append_only else "select, insert, update, delete"
    yield f'grant {verbs} on "{name}" to {APP}, {WORKER}'
    if append_only:
        yield _append_only(name)
    if table.info.get("bulk"):
        yield f'grant insert on "{name}" to {BULK}'
        yield (
            f'create trigger same_company after insert on "{name}" referencing new table as loaded'
            " for each statement execute function refuse_foreign_rows()"
        )


def _append_only(name: str) -> str:
    return (
        f'create trigger append_only before update or delete or truncate on "{name}"'
        " for each statement execute function refuse_change()"
    )
