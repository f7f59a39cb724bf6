"""The schema as the code's own tables say it: the whole metadata, and the guards that its flags ask for.

The database is made by frozen SQL (cloud/migrations). The drift test makes another one from here and compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from sqlalchemy import MetaData, Table

import cloud
from cloud.kit import audit, jobs, outbox, schedules
from cloud.kit.roles import APP, BULK, WORKER
from cloud.kit.tables import metadata

KIT_TABLES = (audit, jobs, outbox, schedules)
_COMPANY = "tenant_id = nullif(current_setting('app.tenant', true), '')::uuid"


def whole_metadata() -> MetaData:
    """Import the `tables` module of each domain and return the metadata with all of them in it."""
    for domain in iter_modules(cloud.__path__, "cloud."):
        if domain.ispkg and any(
            name == "tables" for _, name, _ in iter_modules([f"{cloud.__path__[0]}/{domain.name[6:]}"])
        ):
            import_module(f"{domain.name}.tables")
    return metadata


def guards(tables: MetaData) -> Iterator[str]:
    """Yield the statements that guard every table: those of companies' rows, and the few of the program's own."""
    for table in tables.sorted_tables:
        yield from _guard(table) if "tenant_id" in table.columns else _reference(table)


def _reference(table: Table) -> Iterator[str]:
    yield f'grant select on "{table.name}" to {APP}, {WORKER}'
    yield _append_only(table.name)


def _guard(table: Table) -> Iterator[str]:
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
