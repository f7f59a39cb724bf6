"""Putting samples, records and stage states into their tables; runs on the writer's thread in its transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import TypeVar

from common.clock import from_epoch_ms
from common.wire.records import Note
from common.wire.stamp import Anchor, ClockSource
from edge.buffer.codec import encode
from edge.buffer.records import Lane, Record, Sample, StageState
from edge.buffer.state import WriterState
from edge.clock import Instant

ROWS_A_STATEMENT = 16
Row = TypeVar("Row")


def put_sample(connection: sqlite3.Connection, state: WriterState, sample: Sample) -> bool:
    """Store one slot of one meter and move its cursor; return False for a repeat, which changes nothing."""
    if sample.slot_ms <= state.cursors.get(sample.meter_id, -1):
        return False
    if sample.points:
        numbers = [state.point_no(connection, sample, point) for point in sample.points]
        insert, replace = _point_statements(len(numbers))
        head = (state.boot_no, sample.boot_ms, sample.slot_ms)
        values = [(no, point.value_milli, point.quality) for no, point in zip(numbers, sample.points, strict=True)]
        connection.execute(insert, [*chain.from_iterable((*head, *value) for value in values)])
        connection.execute(replace, [*chain.from_iterable((sample.slot_ms, *value) for value in values)])
    put_records(connection, state, sample.records, Lane.MEASURE, sample.boot_ms)
    put_states(connection, sample.states)
    connection.execute(
        "INSERT INTO cursor VALUES (?, ?) ON CONFLICT (meter_id) DO UPDATE SET slot_ms = excluded.slot_ms",
        (sample.meter_id.bytes, sample.slot_ms),
    )
    state.cursors[sample.meter_id] = sample.slot_ms
    return True


@cache
def _point_statements(count: int) -> tuple[str, str]:
    """Return the two statements for the points of a sample: one step each, because every step hands the lock over."""
    readings, latest = (", ".join([marks] * count) for marks in ("(?, ?, ?, ?, ?, ?)", "(?, ?, ?, ?)"))
    reading = f"INSERT INTO reading (boot_no, boot_ms, slot_ms, point_no, value_milli, quality) VALUES {readings}"  # noqa: S608 - marks only
    newest = f"INSERT OR REPLACE INTO latest (slot_ms, point_no, value_milli, quality) VALUES {latest}"  # noqa: S608 - marks only
    return reading, newest


def put_records(
    connection: sqlite3.Connection,
    state: WriterState,
    records: Sequence[Record],
    lane: Lane,
    boot_ms: int | None = None,
) -> None:
    """Store records in their order; made now unless their boot-time instant is given."""
    for some in _chunks(records):
        made_ms = state.look().boot_ms if boot_ms is None else boot_ms
        values = [(int(lane), record.KIND, state.boot_no, made_ms, encode(record)) for record in some]
        connection.execute(_event_statement(len(some)), [*chain.from_iterable(values)])


def put_states(connection: sqlite3.Connection, states: Iterable[StageState]) -> None:
    """Keep or forget stage states; of two of the same name the later one holds."""
    bodies = {(item.owner, item.name): item.body for item in states}
    for key, body in bodies.items():
        if body is None:
            connection.execute("DELETE FROM stage WHERE owner = ? AND name = ?", key)
    for some in _chunks([(*key, body) for key, body in bodies.items() if body is not None]):
        connection.execute(_stage_statement(len(some)), [*chain.from_iterable(some)])


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Return rows by so many as one statement takes."""
    return (rows[start : start + ROWS_A_STATEMENT] for start in range(0, len(rows), ROWS_A_STATEMENT))


@cache
def _event_statement(count: int) -> str:
    marks = ", ".join(["(?, ?, ?, ?, ?)"] * count)
    return f"INSERT INTO event (lane, kind, boot_no, boot_ms, body) VALUES {marks}"  # noqa: S608 - marks only


@cache
def _stage_statement(count: int) -> str:
    marks = ", ".join(["(?, ?, ?)"] * count)
    return f"INSERT INTO stage VALUES {marks} ON CONFLICT (owner, name) DO UPDATE SET body = excluded.body"  # noqa: S608 - marks only


def keep_time(connection: sqlite3.Connection, state: WriterState, look: Instant) -> None:
    """Anchor the clock when that is called for; a step is said and never moves, deletes or doubles a row.

    After a backward step the cursors are drawn back to the new present, so that reading goes on at its next slot.
    """
    anchor = state.timeline.missing(state.boot_no, look)
    if anchor is None:
        return
    step_ms = state.timeline.step_ms(state.boot_no, look)
    put_anchor(connection, state, anchor)
    if step_ms:
        detail = f"{step_ms} ms to {from_epoch_ms(look.utc_ms).isoformat()} ({look.source})"
        put_records(connection, state, (Note(what="clock_step", detail=detail),), Lane.MEASURE)
    if step_ms < 0:
        connection.execute("UPDATE cursor SET slot_ms = ? WHERE slot_ms > ?", (look.utc_ms, look.utc_ms))
        for meter_id, slot_ms in state.cursors.items():
            state.cursors[meter_id] = min(slot_ms, look.utc_ms)


def put_anchor(connection: sqlite3.Connection, state: WriterState, anchor: Anchor) -> None:
    """Keep an anchor; of two at the same boot-time instant the later one holds."""
    connection.execute(
        "INSERT INTO anchor VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT (boot_no, boot_ms) DO UPDATE SET"
        " utc_ms = excluded.utc_ms, source = excluded.source, uncertainty_ms = excluded.uncertainty_ms, sealed = 0",
        (anchor.boot_no, anchor.boot_ms, anchor.utc_ms, anchor.source.value, anchor.uncertainty_ms),
    )
    state.timeline.add(anchor)


def receive_time(connection: sqlite3.Connection, state: WriterState, utc_ms: int, uncertainty_ms: int) -> None:
    """Anchor this moment to the signed time of a receipt."""
    anchor = Anchor(
        boot_no=state.boot_no,
        boot_ms=state.look().boot_ms,
        utc_ms=utc_ms,
        source=ClockSource.RECEIPT,
        uncertainty_ms=uncertainty_ms,
    )
    put_anchor(connection, state, anchor)
