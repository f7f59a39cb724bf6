"""Rows become signed batches, batches get receipts and leave after the keep-time; runs on the writer's thread.

A batch and the disappearance of its rows are one commit. Sealed bytes never change. A batch leaves only when its
receipt verified and the keep-time of powered time passed; wall clocks play no part.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from common.errors import ensure
from common.wire.stamp import Anchor, ClockSource
from edge.buffer.codec import decode
from edge.buffer.records import BatchState, EventRow, Lane, ReadingRow, SealedBatch, Sealer, SealMaterial, Series
from edge.buffer.state import WriterState, series_of

READINGS_PER_BATCH_MAX = 4_000  # a gate event may wait for a batch to be sealed, so a batch is soon sealed
EVENTS_PER_BATCH_MAX = 1_000
EVENT_BYTES_PER_BATCH_MAX = 256 * 1024
PURGE_MAX = 200
DIGEST_BYTES = 32
_BATCH_COLUMNS = "number, lane, body, digest, state, tries"

_RawEvent = tuple[int, int, str, int, int, bytes]


def seal(
    connection: sqlite3.Connection, state: WriterState, sealer: Sealer, lanes: Sequence[Lane] = tuple(Lane)
) -> SealedBatch | None:
    """Move the waiting rows of one lane into the next batch, the first of the lanes in which rows wait; else None."""
    for lane in lanes:
        readings = _readings(connection, state) if lane is Lane.MEASURE else ()
        events = _events(connection, lane)
        if readings or events:
            return _seal(connection, state, sealer, lane, (readings, events))
    return None


def _seal(
    connection: sqlite3.Connection,
    state: WriterState,
    sealer: Sealer,
    lane: Lane,
    rows: tuple[tuple[ReadingRow, ...], tuple[_RawEvent, ...]],
) -> SealedBatch:
    readings, raw_events = rows
    number = state.number + 1
    material = SealMaterial(
        epoch=state.epoch,
        previous_epoch=state.previous_epoch,
        number=number,
        lane=lane,
        previous_hash=state.digest,
        made=state.stamp(),
        anchors=_unsealed_anchors(connection),
        series=_series(connection, {row.point_no for row in readings}),
        readings=readings,
        events=tuple(_event(state, raw) for raw in raw_events),
    )
    sealed = sealer(material)
    ensure(len(sealed.digest) == DIGEST_BYTES, "a sealer returned a digest that is not 32 bytes")
    state.age_ms(connection)
    connection.execute(
        "INSERT INTO batch (number, lane, state, tries, digest, body) VALUES (?, ?, ?, 0, ?, ?)",
        (number, int(lane), int(BatchState.PENDING), sealed.digest, sealed.body),
    )
    _drop_sealed(connection, lane, readings, raw_events)
    connection.execute("UPDATE head SET number = ?, digest = ?", (number, sealed.digest))
    state.number, state.digest = number, sealed.digest
    return SealedBatch(
        epoch=state.epoch,
        number=number,
        lane=lane,
        body=sealed.body,
        digest=sealed.digest,
        state=BatchState.PENDING,
        tries=0,
    )


def _drop_sealed(
    connection: sqlite3.Connection, lane: Lane, readings: tuple[ReadingRow, ...], events: tuple[_RawEvent, ...]
) -> None:
    if readings:
        dropped = connection.execute("DELETE FROM reading WHERE seq <= ?", (readings[-1].seq,)).rowcount
        ensure(dropped == len(readings), "sealing would drop readings that are not in the batch")
    if events:
        dropped = connection.execute(
            "DELETE FROM event WHERE lane = ? AND seq <= ?", (int(lane), events[-1][0])
        ).rowcount
        ensure(dropped == len(events), "sealing would drop events that are not in the batch")
    connection.execute("UPDATE anchor SET sealed = 1 WHERE sealed = 0")


def _readings(connection: sqlite3.Connection, state: WriterState) -> tuple[ReadingRow, ...]:
    rows = connection.execute(
        "SELECT seq, boot_no, boot_ms, slot_ms, point_no, value_milli, quality FROM reading ORDER BY seq LIMIT ?",
        (READINGS_PER_BATCH_MAX,),
    )
    made: list[ReadingRow] = []
    at, stamp = (0, 0), None
    for seq, boot_no, boot_ms, slot_ms, point_no, value_milli, quality in rows:
        if stamp is None or at != (boot_no, boot_ms):  # the points of a sample were made at one instant
            at, stamp = (boot_no, boot_ms), state.timeline.date(boot_no, boot_ms)
        made.append(ReadingRow(seq, point_no, slot_ms, value_milli, quality, stamp))
    return tuple(made)


def _events(connection: sqlite3.Connection, lane: Lane) -> tuple[_RawEvent, ...]:
    rows = connection.execute(
        "SELECT seq, lane, kind, boot_no, boot_ms, body FROM event WHERE lane = ? ORDER BY seq LIMIT ?",
        (int(lane), EVENTS_PER_BATCH_MAX),
    )
    taken: list[_RawEvent] = []
    size = 0
    for row in rows:
        size += len(row[5])
        if taken and size > EVENT_BYTES_PER_BATCH_MAX:
            break
        taken.append(row)
    return tuple(taken)


def _event(state: WriterState, raw: _RawEvent) -> EventRow:
    seq, lane, kind, boot_no, boot_ms, body = raw
    return EventRow(seq=seq, lane=Lane(lane), stamp=state.timeline.date(boot_no, boot_ms), record=decode(kind, body))


def _series(connection: sqlite3.Connection, points: set[int]) -> tuple[Series, ...]:
    rows = connection.execute(
        "SELECT point_no, meter_id, serial, quantity, unit, profile FROM series ORDER BY point_no"
    )
    return tuple(series_of(row) for row in rows if row[0] in points)


def _unsealed_anchors(connection: sqlite3.Connection) -> tuple[Anchor, ...]:
    rows = connection.execute(
        "SELECT boot_no, boot_ms, utc_ms, source, uncertainty_ms FROM anchor WHERE sealed = 0 ORDER BY boot_no, boot_ms"
    )
    return tuple(
        Anchor(boot_no=no, boot_ms=ms, utc_ms=utc, source=ClockSource(source), uncertainty_ms=doubt)
        for no, ms, utc, source, doubt in rows
    )


def pending(connection: sqlite3.Connection, epoch: int, limit: int) -> tuple[SealedBatch, ...]:
    """Return batches without a receipt: gate lane first, then oldest first."""
    rows = connection.execute(
        f"SELECT {_BATCH_COLUMNS} FROM batch WHERE state = 0 ORDER BY lane, number LIMIT ?",  # noqa: S608 - our columns
        (limit,),
    )
    return tuple(_batch(epoch, row) for row in rows)


def batch(connection: sqlite3.Connection, epoch: int, number: int) -> SealedBatch | None:
    """Return one batch, settled or not."""
    row = connection.execute(
        f"SELECT {_BATCH_COLUMNS} FROM batch WHERE number = ?",  # noqa: S608 - our columns
        (number,),
    ).fetchone()
    return None if row is None else _batch(epoch, row)


def _batch(epoch: int, row: tuple[int, int, bytes, bytes, int, int]) -> SealedBatch:
    number, lane, body, digest, batch_state, tries = row
    return SealedBatch(
        epoch=epoch,
        number=number,
        lane=Lane(lane),
        body=body,
        digest=digest,
        state=BatchState(batch_state),
        tries=tries,
    )


def tried(connection: sqlite3.Connection, number: int) -> None:
    """Count one attempt to send."""
    connection.execute("UPDATE batch SET tries = tries + 1 WHERE number = ?", (number,))


def settle(
    connection: sqlite3.Connection, state: WriterState, number: int, receipt: bytes, outcome: BatchState
) -> bool:
    """Keep a verified receipt; return False when the batch was settled before, which changes nothing."""
    ensure(outcome is not BatchState.PENDING, "a receipt ends the waiting of a batch")
    changed = connection.execute(
        "UPDATE batch SET state = ?, receipt = ?, settled_age_ms = ? WHERE number = ? AND state = 0",
        (int(outcome), receipt, state.age_ms(connection), number),
    ).rowcount
    return changed == 1


def purge(connection: sqlite3.Connection, state: WriterState, keep_ms: int) -> int:
    """Delete settled batches whose keep-time passed; return how many."""
    return connection.execute(
        "DELETE FROM batch WHERE number IN (SELECT number FROM batch WHERE state = 1 AND settled_age_ms < ?"
        " ORDER BY number LIMIT ?)",
        (state.age_ms(connection) - keep_ms, PURGE_MAX),
    ).rowcount
