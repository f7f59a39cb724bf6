"""What the store keeps and what the sealer is handed: plain rows, integers and bytes only.

Invariants: every row carries the boot number and the boot-time clock at which it was made; its business time is
worked out at sealing through the anchors and given with its uncertainty. A plate, a card or a name appears in a
`PersonalItem` only; every other record refers to it by id. Milliseconds are counted from 1970-01-01T00:00Z.
Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from common.ids import MeterId
from edge.clock import ClockSource


class Lane(IntEnum):
    """Which queue a record waits in; the lower number is committed, sealed and sent first."""

    GATE = 0  # gate, access, kiosk receipts and the personal items behind them: committed at once
    MEASURE = 1  # readings, gaps, evidence, provisional lines, anomalies, health


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When a row was made: boot number and boot-time milliseconds, then its business time with its uncertainty."""

    boot_no: int
    boot_ms: int
    at_ms: int
    source: ClockSource
    uncertainty_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """One meeting of the boot-time clock with a business time."""

    boot_no: int
    boot_ms: int
    utc_ms: int
    source: ClockSource
    uncertainty_ms: int


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRow:
    """One point at one slot. `slot_ms` is the instant it was due, the stamp the instant it was read."""

    seq: int
    point_no: int
    slot_ms: int
    value_milli: int
    quality: int
    stamp: Stamp


class GapReason(StrEnum):
    """Why a slot holds no reading; said explicitly, never left to be guessed."""

    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    BAD_FRAME = "bad_frame"
    BAD_VALUE = "bad_value"
    LINK_LOST = "link_lost"
    BACKED_OFF = "backed_off"
    NOT_RUNNING = "not_running"  # the gateway itself was away when the slots passed
    SHED = "shed"  # the disk budget took it


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Slots of a meter without a reading: from `first_slot_ms` to `last_slot_ms`, both included."""

    KIND: ClassVar[str] = "gap"
    meter_id: MeterId
    quantities: tuple[str, ...]
    first_slot_ms: int
    last_slot_ms: int
    slots: int
    reason: GapReason
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The raw bytes behind the readings of one meter at one slot; once per meter and day."""

    KIND: ClassVar[str] = "evidence"
    meter_id: MeterId
    slot_ms: int
    profile: str
    request: bytes
    response: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingEvent:
    """One act at a lot. `what` is entry, exit, refused, corrected, settled or void.

    `vehicle` names a `PersonalItem`; the plate itself never stands here. `quote_fen` is the gateway's estimate by
    the tariff revision named, None where nothing was priced. `offline` marks a record that a camera repeated later.
    """

    KIND: ClassVar[str] = "parking"
    event_id: UUID
    lot: str
    what: str
    session_id: UUID | None
    vehicle: UUID | None
    vehicle_class: str
    camera: str
    camera_ms: int
    decision: str
    reason: str
    offline: bool = False
    quote_fen: int | None = None
    tariff_code: str | None = None
    tariff_rev: int | None = None
    tariff_from: str | None = None
    entered_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEvent:
    """One act at a door; `holder` names a `PersonalItem`."""

    KIND: ClassVar[str] = "access"
    event_id: UUID
    door: str
    decision: str
    reason: str
    holder: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskReceipt:
    """What a resident was handed at the kiosk."""

    KIND: ClassVar[str] = "kiosk_receipt"
    event_id: UUID
    kiosk: str
    bill_number: str
    amount_fen: int
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalItem:
    """A plate or a card number, in the lane whose bodies expire by retention class."""

    KIND: ClassVar[str] = "personal"
    item_id: UUID
    retention: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionalLine:
    """The gateway's estimate of one charge for one meter and period, with the tariff revision it used.

    Dates are ISO civil dates, the end not included; `usage_milli` is after the multiplier.
    """

    KIND: ClassVar[str] = "provisional"
    meter_id: MeterId
    charge_code: str
    period_start: str
    period_end: str
    usage_milli: int
    amount_fen: int
    tariff_code: str
    tariff_from: str
    tariff_rev: int
    tariff_sha: str
    input_sha: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyNote:
    """Something odd in a series: which rule, at which slot, the figure and the limit it broke, in milli-units."""

    KIND: ClassVar[str] = "anomaly"
    meter_id: MeterId
    quantity: str
    rule: str
    slot_ms: int
    value_milli: int
    limit_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Counters of the gateway and its wires since the last health record; integers by name."""

    KIND: ClassVar[str] = "health"
    counters: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleEffect:
    """What became of a downlink bundle: `effect` is good, refused or rolled_back."""

    KIND: ClassVar[str] = "bundle_effect"
    kind: str
    version: int
    effect: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that happened to the gateway itself: boot, clock_step, shed, store_damaged, meter_swapped."""

    KIND: ClassVar[str] = "note"
    what: str
    detail: str


Record = (
    Gap
    | Evidence
    | ParkingEvent
    | AccessEvent
    | KioskReceipt
    | PersonalItem
    | ProvisionalLine
    | AnomalyNote
    | Health
    | BundleEffect
    | Note
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageState:
    """What a stage wants to find again after a restart, committed together with the rows it was worked out from.

    `body` is the stage's own; None forgets it.
    """

    owner: str
    name: str
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledPoint:
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
    """Builds and signs the bytes of a batch. Called on the writer's thread inside its transaction: no I/O."""

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
    """A batch as it waits for its receipt."""

    epoch: int
    number: int
    lane: Lane
    body: bytes
    digest: bytes
    state: BatchState
    tries: int


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
