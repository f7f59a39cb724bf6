"""The tables of the store, numbered: `MIGRATIONS[n]` takes a file from schema n to n + 1.

Integers, short words and signed bytes only, STRICT tables. Sequence numbers are never used again. No key, index,
deletion or retention looks at a wall clock. A migration is never changed once released; it is followed by another.
"""

from __future__ import annotations

import sqlite3

from common.errors import RefusalError

PAGE_BYTES = 4096

MIGRATIONS = (
    """
    CREATE TABLE head (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        epoch INTEGER NOT NULL, previous_epoch INTEGER NOT NULL,
        number INTEGER NOT NULL, digest BLOB NOT NULL
    ) STRICT;
    CREATE TABLE boot (
        boot_no INTEGER PRIMARY KEY AUTOINCREMENT,
        boot_id TEXT NOT NULL UNIQUE, age_ms INTEGER NOT NULL, last_boot_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE anchor (
        boot_no INTEGER NOT NULL REFERENCES boot, boot_ms INTEGER NOT NULL, utc_ms INTEGER NOT NULL,
        source TEXT NOT NULL, uncertainty_ms INTEGER NOT NULL, sealed INTEGER NOT NULL,
        PRIMARY KEY (boot_no, boot_ms)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE series (
        point_no INTEGER PRIMARY KEY AUTOINCREMENT,
        meter_id BLOB NOT NULL, serial TEXT NOT NULL, quantity TEXT NOT NULL, unit TEXT NOT NULL, profile TEXT NOT NULL,
        UNIQUE (meter_id, serial, quantity, unit, profile)
    ) STRICT;
    CREATE TABLE reading (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        boot_no INTEGER NOT NULL, boot_ms INTEGER NOT NULL, slot_ms INTEGER NOT NULL,
        point_no INTEGER NOT NULL, value_milli INTEGER NOT NULL, quality INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        lane INTEGER NOT NULL, kind TEXT NOT NULL,
        boot_no INTEGER NOT NULL, boot_ms INTEGER NOT NULL, body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX event_lane ON event (lane, seq);
    CREATE TABLE batch (
        number INTEGER PRIMARY KEY, lane INTEGER NOT NULL, state INTEGER NOT NULL, tries INTEGER NOT NULL,
        settled_age_ms INTEGER, digest BLOB NOT NULL, body BLOB NOT NULL, receipt BLOB
    ) STRICT;
    CREATE INDEX batch_pending ON batch (lane, number) WHERE state = 0;
    CREATE TABLE cursor (meter_id BLOB PRIMARY KEY, slot_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE latest (
        point_no INTEGER PRIMARY KEY, slot_ms INTEGER NOT NULL, value_milli INTEGER NOT NULL, quality INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE stage (
        owner TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (owner, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE bundle (
        kind TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL,
        body BLOB NOT NULL, signed BLOB NOT NULL, PRIMARY KEY (kind, version)
    ) STRICT, WITHOUT ROWID;
    """,
)


def schema_of(connection: sqlite3.Connection) -> int:
    """Return the schema number of the file; 0 for a new one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest schema, one migration a transaction.

    Raises:
        RefusalError: the file was written by a newer release.
    """
    found = schema_of(connection)
    if found > len(MIGRATIONS):
        raise RefusalError(
            f"the store has schema {found}, this release knows {len(MIGRATIONS)}; start the newer release again"
        )
    for number in range(found, len(MIGRATIONS)):
        connection.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;")
