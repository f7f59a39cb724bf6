"""What a batch says: header, series, readings in columns and rows, and everything else in order as entries.

Invariants: sequences count from 1 within a store epoch and each batch names the hash of the one before; a reading is
in exactly one column position or one row; a slot without a reading is a hole of a column and is explained by a gap;
a plate, a card or a name stands in a `PersonalItem` only, everything else refers to it by id. Milliseconds are counted
from 1970-01-01T00:00Z, values are milli-units of the series' unit before the meter's multiplier. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from common.errors import ensure
from common.ids import GatewayId, MeterId
from common.wire.records import Entry, RecordT
from common.wire.stamp import Anchor, ClockSource, Stamp

VERSION = 1
DIGEST_BYTES = 32
GENESIS = bytes(DIGEST_BYTES)  # the hash before the first batch of an epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchHeader:
    """Which batch this is: its place in the stream, the batch it follows and when it was sealed.

    `epoch` is 63 random bits, new with each store file; `previous_epoch` is that of the store this one replaced on the
    same gateway, 0 when none is known; `previous_hash` is the digest of the batch before, `GENESIS` for sequence 1.
    """

    version: int
    gateway_id: GatewayId
    epoch: int
    previous_epoch: int
    sequence: int
    previous_hash: bytes
    made: Stamp

    def __post_init__(self) -> None:
        """Check the chain's beginning."""
        ensure(self.sequence >= 1, "sequences count from 1")
        ensure(len(self.previous_hash) == DIGEST_BYTES, "the previous hash has 32 bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One quantity of one meter, read by one revision of a profile."""

    meter_id: MeterId
    quantity: str
    unit: str
    profile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Readings of one series on a grid: position n was due at `start_ms + n * step_ms`; None marks a hole.

    Each was read within `within_ms` after it was due, dated by `source` within `uncertainty_ms`. `flags` lists the
    positions whose quality is not good.
    """

    series: int
    start_ms: int
    step_ms: int
    values: tuple[int | None, ...]
    flags: tuple[tuple[int, int], ...] = ()
    boot_no: int
    source: ClockSource
    uncertainty_ms: int
    within_ms: int

    def __post_init__(self) -> None:
        """Check that a column begins and ends with a reading."""
        ensure(len(self.values) > 0, "a column holds at least one reading")
        ensure(self.values[0] is not None and self.values[-1] is not None, "a column begins and ends with a reading")
        ensure(self.step_ms > 0 or len(self.values) == 1, "only a column of one reading has no step")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One reading off the grid, with its own stamp."""

    series: int
    slot_ms: int
    value_milli: int
    quality: int
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One reading as domains use it: due at `slot_ms`, taken at `at_ms` or up to `within_ms` after it."""

    series: Series
    slot_ms: int
    value_milli: int
    quality: int
    at_ms: int
    within_ms: int
    source: ClockSource


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalItem:
    """A plate or a card number, in the lane whose bodies expire by retention class."""

    KIND: ClassVar = "personal"
    item_id: UUID
    retention: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalRef:
    """What the signed part keeps of a personal item for ever: its id, its retention class and its salted hash."""

    item_id: UUID
    retention: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContent:
    """One batch, unpacked. `columns` are ordered by series and start, `rows` and `entries` as the gateway made them."""

    header: BatchHeader
    anchors: tuple[Anchor, ...] = ()
    series: tuple[Series, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    entries: tuple[Entry, ...] = ()
    personal: tuple[PersonalRef, ...] = ()

    def points(self) -> Iterator[Point]:
        """Yield every reading, series by series in columns first, then the rows; holes yield nothing."""
        for column in self.columns:
            flags = dict(column.flags)
            for place, value in enumerate(column.values):
                if value is not None:
                    due_ms = column.start_ms + place * column.step_ms
                    yield Point(
                        series=self.series[column.series],
                        slot_ms=due_ms,
                        value_milli=value,
                        quality=flags.get(place, 0),
                        at_ms=due_ms,
                        within_ms=column.within_ms,
                        source=column.source,
                    )
        for row in self.rows:
            yield Point(
                series=self.series[row.series],
                slot_ms=row.slot_ms,
                value_milli=row.value_milli,
                quality=row.quality,
                at_ms=row.stamp.at_ms,
                within_ms=0,
                source=row.stamp.source,
            )

    def records(self, kind: type[RecordT]) -> Iterator[tuple[Entry, RecordT]]:
        """Yield every record of one kind with its entry, in the store's order."""
        for entry in self.entries:
            if isinstance(entry.record, kind):
                yield entry, entry.record
