"""Named queries of the store for pages, stages and bundles; run on the writer's thread."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from edge.buffer.records import BundleState, Latest, StoredBundle
from edge.buffer.state import series_of

BUNDLES_KEPT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Counts of rows not yet sealed and of batches without a receipt.

    Readings are counted by their sequence numbers, at no cost however many wait; after a shed the count is an upper
    bound.
    """

    readings: int
    events: int
    batches: int


def waiting(connection: sqlite3.Connection) -> Waiting:
    """Count what waits."""
    readings, events, batches = connection.execute(
        "SELECT ifnull((SELECT max(seq) FROM reading) - (SELECT min(seq) FROM reading) + 1, 0),"
        " (SELECT count(*) FROM event),"
        " (SELECT count(*) FROM batch WHERE state = 0)"
    ).fetchone()
    return Waiting(readings=readings, events=events, batches=batches)


def latest(connection: sqlite3.Connection) -> tuple[Latest, ...]:
    """Return the newest stored value of every point, in the order the points were first seen."""
    rows = connection.execute(
        "SELECT point_no, meter_id, serial, quantity, unit, profile, slot_ms, value_milli, quality"
        " FROM latest JOIN series USING (point_no) ORDER BY point_no"
    )
    return tuple(Latest(series=series_of(row[:6]), slot_ms=row[6], value_milli=row[7], quality=row[8]) for row in rows)


def stage(connection: sqlite3.Connection, owner: str) -> dict[str, bytes]:
    """Return what a stage stored, by name."""
    return dict(connection.execute("SELECT name, body FROM stage WHERE owner = ? ORDER BY name", (owner,)))


def bundle(connection: sqlite3.Connection, kind: str) -> StoredBundle | None:
    """Return the bundle in force: the newest in trial, else the newest good one."""
    row = connection.execute(
        "SELECT kind, version, body, signed, state, detail FROM bundle WHERE kind = ? AND state IN ('trial', 'good')"
        " ORDER BY state = 'trial' DESC, version DESC LIMIT 1",
        (kind,),
    ).fetchone()
    if row is None:
        return None
    kind, version, body, signed, state, detail = row
    return StoredBundle(kind=kind, version=version, body=body, signed=signed, state=BundleState(state), detail=detail)


def save_bundle(connection: sqlite3.Connection, fresh: StoredBundle) -> None:
    """Keep a bundle or change its state; a good one supersedes the older, of which a few stay."""
    connection.execute(
        "INSERT INTO bundle VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, version) DO UPDATE SET"
        " state = excluded.state, detail = excluded.detail, body = excluded.body, signed = excluded.signed",
        (fresh.kind, fresh.version, fresh.state.value, fresh.detail, fresh.body, fresh.signed),
    )
    if fresh.state is BundleState.GOOD:
        connection.execute(
            "UPDATE bundle SET state = 'superseded' WHERE kind = ? AND version < ? AND state IN ('trial', 'good')",
            (fresh.kind, fresh.version),
        )
    connection.execute(
        "DELETE FROM bundle WHERE kind = ?1 AND state != 'good' AND version NOT IN"
        " (SELECT version FROM bundle WHERE kind = ?1 ORDER BY version DESC LIMIT ?2)",
        (fresh.kind, BUNDLES_KEPT),
    )
