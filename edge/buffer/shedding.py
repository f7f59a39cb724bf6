"""The disk budget: what leaves when the store is full, in which order, and what never does.

Order: acknowledged batches past their keep-time go as a matter of course. When the file still nears its bound, first
diagnostics (health, raw frames) that were never sent, then acknowledged batches inside their keep-time, oldest first,
then readings of instants (power, voltage, ...) off the full hour. Unsent registers, gaps, gate and money events are
never shed. Every shed is itself an event: unknown is said, not silent.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from common.errors import ensure
from common.wire.records import Note
from edge.buffer.records import Lane
from edge.buffer.rows import put_records
from edge.buffer.schema import PAGE_BYTES
from edge.buffer.state import WriterState

MEBIBYTE = 1024 * 1024
DAY_MS = 24 * 3600 * 1000
HOUR_MS = 3600 * 1000
SHED_BATCHES = 50
SHED_ROWS = 5_000
DIAGNOSTIC_KINDS = ("health", "evidence")
INSTANT_QUANTITIES = ("power", "voltage", "current", "flow", "temperature")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How large the store may grow. The ballast is room that only the gate lane and alarms may use."""

    limit_bytes: int = 256 * MEBIBYTE
    ballast_bytes: int = 16 * MEBIBYTE
    keep_ms: int = 35 * DAY_MS

    def __post_init__(self) -> None:
        """Check that the ballast leaves room for readings."""
        ensure(0 < self.ballast_bytes < self.limit_bytes, "the ballast must be smaller than the disk budget")

    @property
    def pages_max(self) -> int:
        """Return the bound of the file in pages, ballast included."""
        return self.limit_bytes // PAGE_BYTES

    @property
    def pages_measure(self) -> int:
        """Return the bound for readings in pages."""
        return (self.limit_bytes - self.ballast_bytes) // PAGE_BYTES

    @property
    def pages_shed(self) -> int:
        """Return the count of used pages at which shedding begins: seven eighths of the readings' bound."""
        return self.pages_measure * 7 // 8


def pages_used(connection: sqlite3.Connection) -> int:
    """Return the pages in use, free ones inside the file not counted."""
    count = int(connection.execute("PRAGMA page_count").fetchone()[0])
    return count - int(connection.execute("PRAGMA freelist_count").fetchone()[0])


def shed(connection: sqlite3.Connection, state: WriterState) -> str | None:
    """Free some room by the stated order and say so; return what was shed, None when nothing may be."""
    for step in (_diagnostics, _settled_batches, _instants):
        what = step(connection)
        if what is not None:
            put_records(connection, state, (Note(what="shed", detail=what),), Lane.MEASURE)
            return what
    return None


def _diagnostics(connection: sqlite3.Connection) -> str | None:
    marks = ", ".join("?" for _ in DIAGNOSTIC_KINDS)
    count = connection.execute(
        f"DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE kind IN ({marks}) ORDER BY seq LIMIT ?)",  # noqa: S608 - marks only
        (*DIAGNOSTIC_KINDS, SHED_ROWS),
    ).rowcount
    return f"{count} diagnostics" if count else None


def _settled_batches(connection: sqlite3.Connection) -> str | None:
    numbers = connection.execute(
        "DELETE FROM batch WHERE number IN (SELECT number FROM batch WHERE state = 1 ORDER BY number LIMIT ?)"
        " RETURNING number",
        (SHED_BATCHES,),
    ).fetchall()
    return f"acknowledged batches {min(numbers)[0]}..{max(numbers)[0]}" if numbers else None


def _instants(connection: sqlite3.Connection) -> str | None:
    marks = ", ".join("?" for _ in INSTANT_QUANTITIES)
    rows = connection.execute(
        f"DELETE FROM reading WHERE seq IN (SELECT seq FROM reading JOIN series USING (point_no)"  # noqa: S608 - marks only
        f" WHERE quantity IN ({marks}) AND slot_ms % ? != 0 ORDER BY seq LIMIT ?) RETURNING slot_ms",
        (*INSTANT_QUANTITIES, HOUR_MS, SHED_ROWS),
    ).fetchall()
    return f"{len(rows)} readings of instants, slots {min(rows)[0]}..{max(rows)[0]} ms" if rows else None
