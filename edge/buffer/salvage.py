"""What still opens of a damaged store is taken over into the new one: configuration and what stages remember.

Without it a box whose card lost one page would stop reading until somebody published the site again. Readings,
batches and cursors are not moved: they belong to the old epoch, whose file is kept for a person, and every meter is
read again at once, which restores its total. A row that does not read is left.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

_TABLES = {
    "bundle": "kind, version, state, detail, body, signed",
    "stage": "owner, name, body",
}


def salvage(damaged: Path, connection: sqlite3.Connection) -> str:
    """Copy what reads into the open, empty store, in one transaction, and return what it was, in words."""
    taken = {}
    connection.execute("BEGIN IMMEDIATE")
    for table, columns in _TABLES.items():
        marks = ", ".join("?" for _ in columns.split(", "))
        rows = list(_rows(damaged, table, columns))
        connection.executemany(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608 - ours
        taken[table] = len(rows)
    connection.execute("COMMIT")
    return ", ".join(f"{count} of {table}" for table, count in taken.items())


def _rows(damaged: Path, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a table until one does not read."""
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"file:{damaged}?mode=ro", uri=True, isolation_level=None)) as old,
    ):
        yield from old.execute(f"SELECT {columns} FROM {table}")  # noqa: S608 - our own words
