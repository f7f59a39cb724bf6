"""Rows become signed batches, batches get receipts and leave after the keep-time.

Sealing is three steps, because signing some thousand readings takes tens of milliseconds and no gate event may wait for
that: `gather` copies the rows on the writer's thread, in one statement that leaves the interpreter's lock to others,
`material_of` and the sealer work on any other thread, `keep` stores the batch on the writer's thread. A batch and the
disappearance of its rows are one commit; a batch whose rows or whose place in the chain are no longer what they were is
refused, and sealing begins anew. Sealed bytes never change. A batch leaves only when its receipt verified and the
keep-time of powered time passed; wall clocks play no part.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from common.errors import GatehouseError, ensure
from common.wire.stamp import Anchor, ClockSource, Stamp
from edge.buffer.codec import decode
from edge.buffer.records import BatchState, EventRow, Lane, ReadingRow, Sealed, SealedBatch, SealMaterial, Series
from edge.buffer.state import WriterState
from edge.buffer.timeline import Timeline

READINGS_PER_BATCH_MAX = 4_000
EVENTS_PER_BATCH_MAX = 1_000
EVENT_BYTES_PER_BATCH_MAX = 256 * 1024
PURGE_MAX = 200
DIGEST_BYTES = 32
_BATCH_COLUMNS = "number, lane, body, digest, state, tries"

_RawReading = tuple[int, int, int, int, int, int, int]
_RawEvent = tuple[int, int, str, int, int, bytes]
_RawAnchor = tuple[int, int, int, str, int]
_RAW_READINGS = msgspec.json.Decoder(list[_RawReading])
_GATHER = """
    SELECT count(*), max(seq), CAST(json_group_array(
        json_array(seq, boot_no, boot_ms, slot_ms, point_no, value_milli, quality)) AS BLOB)
    FROM (SELECT * FROM reading ORDER BY seq LIMIT ?)
"""


class StaleDraftError(GatehouseError):
    """The rows or the chain changed since the draft was made: nothing was stored, seal again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Rows of one lane as they stand in the file, and where the batch of them would stand in the chain."""

    epoch: int
    previous_epoch: int
    number: int
    lane: Lane
    previous_hash: bytes
    made: Stamp
    timeline: Timeline
    series: Mapping[int, Series]
    anchors: tuple[_RawAnchor, ...]
    readings: bytes  # JSON as SQLite makes it
    readings_count: int
    last_reading: int
    events: tuple[_RawEvent, ...]
    full: bool


def gather(connection: sqlite3.Connection, state: WriterState, lanes: Sequence[Lane] = tuple(Lane)) -> Draft | None:
    """Return the waiting rows of the first of the lanes in which any wait; None when none do."""
    for lane in lanes:
        count, last, readings = _readings(connection) if lane is Lane.MEASURE else (0, 0, b"[]")
        events, all_events = _events(connection, lane)
        if count or events:
            return Draft(
                epoch=state.epoch,
                previous_epoch=state.previous_epoch,
                number=state.number + 1,
                lane=lane,
                previous_hash=state.digest,
                made=state.stamp(),
                timeline=state.timeline.copy(),
                series=state.series(),
                anchors=_unsealed_anchors(connection),
                readings=readings,
                readings_count=count,
                last_reading=last,
                events=events,
                full=count == READINGS_PER_BATCH_MAX or not all_events,
            )
    return None


def material_of(draft: Draft) -> SealMaterial:
    """Return what the sealer is handed: rows dated, records decoded, the series of exactly the points that occur."""
    readings = _RAW_READINGS.decode(draft.readings)
    wanted = sorted({raw[4] for raw in readings})
    return SealMaterial(
        epoch=draft.epoch,
        previous_epoch=draft.previous_epoch,
        number=draft.number,
        lane=draft.lane,
        previous_hash=draft.previous_hash,
        made=draft.made,
        anchors=tuple(
            Anchor(boot_no=no, boot_ms=ms, utc_ms=utc, source=ClockSource(source), uncertainty_ms=doubt)
            for no, ms, utc, source, doubt in draft.anchors
        ),
        series=tuple([draft.series[number] for number in wanted]),
        readings=_dated(readings, draft.timeline),
        events=tuple(_event(draft.timeline, raw) for raw in draft.events),
    )


def keep(connection: sqlite3.Connection, state: WriterState, draft: Draft, sealed: Sealed) -> SealedBatch:
    """Store the batch and drop its rows.

    Raises:
        StaleDraftError: another batch took the number, or rows of the draft were shed.
    """
    ensure(len(sealed.digest) == DIGEST_BYTES, "a sealer returned a digest that is not 32 bytes")
    if (state.epoch, state.number + 1, state.digest) != (draft.epoch, draft.number, draft.previous_hash):
        raise StaleDraftError(f"batch {draft.number} was sealed by somebody else")
    state.age_ms(connection)
    connection.execute(
        "INSERT INTO batch (number, lane, state, tries, digest, body) VALUES (?, ?, ?, 0, ?, ?)",
        (draft.number, int(draft.lane), int(BatchState.PENDING), sealed.digest, sealed.body),
    )
    _drop_sealed(connection, draft)
    connection.execute("UPDATE head SET number = ?, digest = ?", (draft.number, sealed.digest))
    state.number, state.digest = draft.number, sealed.digest
    return SealedBatch(
        epoch=state.epoch,
        number=draft.number,
        lane=draft.lane,
        body=sealed.body,
        digest=sealed.digest,
        state=BatchState.PENDING,
        tries=0,
        full=draft.full,
    )


def _drop_sealed(connection: sqlite3.Connection, draft: Draft) -> None:
    dropped = 0
    if draft.readings_count:
        dropped = connection.execute("DELETE FROM reading WHERE seq <= ?", (draft.last_reading,)).rowcount
    if draft.events:
        dropped += connection.execute(
            "DELETE FROM event WHERE lane = ? AND seq <= ?", (int(draft.lane), draft.events[-1][0])
        ).rowcount
    if dropped != draft.readings_count + len(draft.events):
        raise StaleDraftError("rows of the batch were shed while it was sealed")
    connection.executemany(
        "UPDATE anchor SET sealed = 1 WHERE (boot_no, boot_ms, utc_ms, source, uncertainty_ms) = (?, ?, ?, ?, ?)",
        draft.anchors,
    )


def _readings(connection: sqlite3.Connection) -> tuple[int, int, bytes]:
    """Return how many readings wait, as many as a batch holds, the last of them, and all as JSON."""
    count, last, readings = connection.execute(_GATHER, (READINGS_PER_BATCH_MAX,)).fetchone()
    return count, last or 0, readings


def _dated(readings: Sequence[_RawReading], timeline: Timeline) -> tuple[ReadingRow, ...]:
    made: list[ReadingRow] = []
    at, stamp = (0, 0), None
    for seq, boot_no, boot_ms, slot_ms, point_no, value_milli, quality in readings:
        if stamp is None or at != (boot_no, boot_ms):  # the points of a sample were made at one instant
            at, stamp = (boot_no, boot_ms), timeline.date(boot_no, boot_ms)
        made.append(ReadingRow(seq, point_no, slot_ms, value_milli, quality, stamp))
    return tuple(made)


def _events(connection: sqlite3.Connection, lane: Lane) -> tuple[tuple[_RawEvent, ...], bool]:
    """Return waiting events of a lane, as many as a batch holds, and whether these are all."""
    rows = connection.execute(
        "SELECT seq, lane, kind, boot_no, boot_ms, body FROM event WHERE lane = ? ORDER BY seq LIMIT ?",
        (int(lane), EVENTS_PER_BATCH_MAX),
    )
    taken: list[_RawEvent] = []
    size = 0
    for row in rows:
        size += len(row[5])
        if taken and size > EVENT_BYTES_PER_BATCH_MAX:
            return tuple(taken), False
        taken.append(row)
    return tuple(taken), len(taken) < EVENTS_PER_BATCH_MAX


def _event(timeline: Timeline, raw: _RawEvent) -> EventRow:
    seq, lane, kind, boot_no, boot_ms, body = raw
    return EventRow(seq=seq, lane=Lane(lane), stamp=timeline.date(boot_no, boot_ms), record=decode(kind, body))


def _unsealed_anchors(connection: sqlite3.Connection) -> tuple[_RawAnchor, ...]:
    rows = connection.execute(
        "SELECT boot_no, boot_ms, utc_ms, source, uncertainty_ms FROM anchor WHERE sealed = 0 ORDER BY boot_no, boot_ms"
    )
    return tuple(rows.fetchall())


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
