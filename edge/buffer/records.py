"""What the store keeps and what the sealer is handed: plain rows, integers and bytes only.

Gaps, evidence, events and notes are the records of the wire format (`common.wire.records`), as they will be sent.

Invariants: every row carries the boot number and the boot-time clock at which it was made; its business time is
worked out at sealing through the anchors and given with its uncertainty. A plate, a card or a name appears in a
`PersonalItem` only; every other record refers to it by id. Milliseconds are counted from 1970-01-01T00:00Z.
Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NamedTuple, Protocol

from common.ids import MeterId
from common.reading.reading import Quality, Quantity
from common.wire import records as wire_records
from common.wire.batch import PersonalItem
from common.wire.stamp import Anchor, Stamp

Record = wire_records.Record | PersonalItem


class Lane(IntEnum):
    """Which queue a record waits in; the lower number is committed, sealed and sent first."""

    GATE = 0  # gate, access, kiosk receipts and the personal items behind them: committed at once
    MEASURE = 1  # readings, gaps, evidence, provisional lines, anomalies, health


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What a point number means: one quantity of one meter, read by one revision of a profile.

    A swapped meter or a changed profile is a new series with a new number. Values are milli-units of `unit`
    before the multiplier.
    """

    point_no: int
    meter_id: MeterId
    serial: str
    quantity: str
    unit: str
    profile: str


class ReadingRow(NamedTuple):
    """One point at one slot. `slot_ms` is the instant it was due, the stamp the instant it was read."""

    seq: int
    point_no: int
    slot_ms: int
    value_milli: int
    quality: int
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class StageState:
    """What a stage wants to find again after a restart, committed together with the rows it was worked out from.

    `body` is the stage's own; None forgets it.
    """

    owner: str
    name: str
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What a stage made of new readings: quality flags by quantity, records and states for the same commit."""

    flags: Mapping[Quantity, Quality] = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    states: tuple[StageState, ...] = ()


class SampledPoint(NamedTuple):
    """One value of a sample, in milli-units of `unit` before the multiplier."""

    quantity: str
    unit: str
    value_milli: int
    quality: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """All that one slot of one meter gave: values, or a `Gap` among the records, never nothing.

    The meter's cursor moves to `slot_ms` in the same commit; a sample at or before the cursor is a repeat and is
    not stored again.
    """

    meter_id: MeterId
    serial: str
    profile: str
    slot_ms: int
    boot_ms: int
    points: tuple[SampledPoint, ...]
    records: tuple[Record, ...] = ()
    states: tuple[StageState, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One stored record with its place in the order and its time."""

    seq: int
    lane: Lane
    stamp: Stamp
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The newest stored value of a point, for pages and for stages that start again."""

    series: Series
    slot_ms: int
    value_milli: int
    quality: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SealMaterial:
    """All that goes into one batch: the header facts and the rows, in the order of their sequence numbers.

    `series` holds the series of exactly the points that occur. `epoch` is 63 random bits, new with each store file;
    `number` counts from 1 within the epoch; `previous_hash` is 32 zero bytes for number 1, and `previous_epoch` is
    the epoch of the store this one replaced on the same gateway, 0 when none is known.
    """

    epoch: int
    previous_epoch: int
    number: int
    lane: Lane
    previous_hash: bytes
    made: Stamp
    anchors: tuple[Anchor, ...]
    series: tuple[Series, ...]
    readings: tuple[ReadingRow, ...]
    events: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What a sealer made of its material: the signed bytes and the hash that the next batch chains to (32 bytes)."""

    body: bytes
    digest: bytes


class Sealer(Protocol):
    """Builds and signs the bytes of a batch. Called on a thread of its own, for one batch at a time: no I/O."""

    def __call__(self, material: SealMaterial) -> Sealed:
        """Return the signed bytes of the material."""
        ...


class BatchState(IntEnum):
    """Life of a sealed batch on the gateway."""

    PENDING = 0
    SETTLED = 1  # a receipt that verifies says accepted or kept for every item
    REFUSED = 2  # the cloud refused it for good; it is kept for a person and never sent again by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBatch:
    """A batch as it waits for its receipt; `full` says, when it was sealed just now, that more rows may wait."""

    epoch: int
    number: int
    lane: Lane
    body: bytes
    digest: bytes
    state: BatchState
    tries: int
    full: bool = False


class BundleState(StrEnum):
    """Life of a downlink bundle on the gateway."""

    TRIAL = "trial"
    GOOD = "good"
    REFUSED = "refused"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBundle:
    """A bundle as the downlink saved it: the signed bytes as they came, and the payload taken out of them."""

    kind: str
    version: int
    body: bytes
    signed: bytes
    state: BundleState
    detail: str
