"""What happens beside readings, as values: gaps, evidence, parking and access, estimates, oddities, health.

Invariants: a plate, a card or a name stands in a `PersonalItem` only, every record here refers to it by id; an amount
is the gateway's estimate and names the tariff revision it used. Milliseconds are counted from 1970-01-01T00:00Z.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeVar
from uuid import UUID

from common.ids import MeterId
from common.wire.stamp import Stamp


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

    KIND: ClassVar = "gap"
    meter_id: MeterId
    quantities: tuple[str, ...]
    first_slot_ms: int
    last_slot_ms: int
    slots: int
    reason: GapReason
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The raw bytes behind the readings of one meter at one slot; once per meter and day.

    `serial` is the nameplate number the gateway was configured with, so the signed bytes tie it to the meter's id.
    """

    KIND: ClassVar = "evidence"
    meter_id: MeterId
    serial: str
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

    KIND: ClassVar = "parking"
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

    KIND: ClassVar = "access"
    event_id: UUID
    door: str
    decision: str
    reason: str
    holder: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskReceipt:
    """What a resident was handed at the kiosk."""

    KIND: ClassVar = "kiosk_receipt"
    event_id: UUID
    kiosk: str
    bill_number: str
    amount_fen: int
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionalLine:
    """The gateway's estimate of one charge for one meter and period, with the tariff revision it used.

    Dates are ISO civil dates, the end not included; `usage_milli` is after the multiplier.
    """

    KIND: ClassVar = "provisional"
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

    KIND: ClassVar = "anomaly"
    meter_id: MeterId
    quantity: str
    rule: str
    slot_ms: int
    value_milli: int
    limit_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Counters of the gateway and its wires since the last health record; integers by name."""

    KIND: ClassVar = "health"
    counters: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleEffect:
    """What became of a downlink bundle: `effect` is good, refused or rolled_back."""

    KIND: ClassVar = "bundle_effect"
    kind: str
    version: int
    effect: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that happened to the gateway itself: boot, clock_step, shed, store_damaged, meter_swapped."""

    KIND: ClassVar = "note"
    what: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingEvent:
    """One finished charge at a pile, with the registers that prove it. `what` is ended, interrupted, late or unknown.

    `holder` names the `PersonalItem` of the card, None where nobody showed one. `sample_ms` and `sample_wh` are
    instants and registers side by side, the start first. `idle_from_ms` is when the car was full, `idle_to_ms` when the
    plug was pulled; `quote_fen` is the gateway's estimate by the tariff revision named.
    """

    KIND: ClassVar = "charging"
    event_id: UUID
    pile: str
    connector: int
    what: str
    session_id: UUID | None
    holder: UUID | None
    started_ms: int
    ended_ms: int
    sample_ms: tuple[int, ...]
    sample_wh: tuple[int, ...]
    idle_from_ms: int | None
    idle_to_ms: int | None
    reason: str
    quote_fen: int | None = None
    tariff_code: str | None = None
    tariff_rev: int | None = None
    tariff_from: str | None = None


Record = (
    Gap
    | Evidence
    | ParkingEvent
    | AccessEvent
    | KioskReceipt
    | ProvisionalLine
    | AnomalyNote
    | Health
    | BundleEffect
    | Note
    | ChargingEvent
)
RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record with its number in the store's order and its time; (epoch, seq) names it for ever."""

    seq: int
    stamp: Stamp
    record: Record
