"""From what a meter answered to what is stored: readings, explicit gaps, the raw frame once a day. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, Protocol

from common.clock import to_epoch_ms
from common.reading.reading import Quality, Quantity, Reading
from common.wire.records import Evidence, Gap, GapReason
from edge.buffer.records import Derived, Record, Sample, SampledPoint
from edge.driver.outcome import DeviceConfig, FailureKind, PointValue, ReadOutcome
from edge.sampling.schedule import SlotRange

EVIDENCE_BYTES_MAX = 4_096
DETAIL_CHARACTERS_MAX = 200

GAP_REASONS: Mapping[FailureKind, GapReason] = {
    FailureKind.TIMEOUT: GapReason.NO_ANSWER,
    FailureKind.REFUSED: GapReason.REFUSED,
    FailureKind.BAD_FRAME: GapReason.BAD_FRAME,
    FailureKind.BAD_VALUE: GapReason.BAD_VALUE,
    FailureKind.LINK_LOST: GapReason.LINK_LOST,
    FailureKind.BACKED_OFF: GapReason.BACKED_OFF,
}
_NAMES = {quantity: quantity.value for quantity in Quantity}
Units = Callable[[DeviceConfig], Mapping[Quantity, str]]


class Observer(Protocol):
    """Looks at readings before they are stored and adds flags, records and states of its own, in the same commit.

    Observers stand in a row; a later one sees the flags of the earlier ones.
    """

    @property
    def looks_at(self) -> frozenset[Quantity]:
        """Return the quantities it looks at."""
        ...

    def observe(self, device: DeviceConfig, slot: datetime, readings: Sequence[Reading]) -> Derived:
        """Return what follows from readings of one meter: those somebody looks at, one at least when it answered."""
        ...


class Panel:
    """The observers in their row, and which quantities any of them looks at: no other register is shown to them."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)
        self._looked_at = frozenset[Quantity]().union(*(observer.looks_at for observer in observers))

    def observe(self, taken: Taken) -> tuple[list[Derived], Mapping[Quantity, Quality]]:
        """Return what each observer made of an answer, and the flags of all of them together."""
        answered = taken.outcome.points
        shown = [_reading(taken, point) for point in answered if point.quantity in self._looked_at]
        readings = shown or [_reading(taken, point) for point in answered[:1]]
        derived: list[Derived] = []
        flags: dict[Quantity, Quality] = {}
        for observer in self._observers:
            found = observer.observe(taken.device, taken.slot, readings)
            derived.append(found)
            if found.flags:
                readings = [_flagged(reading, found) for reading in readings]
                flags.update({one.quantity: one.quality for one in readings})
        return derived, flags


class Taken(NamedTuple):
    """One meter's answer at one slot, with the clocks at which it was taken."""

    device: DeviceConfig
    slot: datetime
    read_at: datetime
    boot_ms: int
    outcome: ReadOutcome


def make_sample(taken: Taken, units: Mapping[Quantity, str], panel: Panel, *, with_evidence: bool) -> Sample:
    """Return the sample of one answer; points that gave no value become gaps with their reason."""
    device, outcome = taken.device, taken.outcome
    derived, flags = panel.observe(taken)
    records: list[Record] = [*_gaps(taken), *(record for item in derived for record in item.records)]
    if with_evidence and outcome.points:
        records.append(_evidence(taken))
    return Sample(
        meter_id=device.meter_id,
        serial=device.serial,
        profile=device.profile,
        slot_ms=to_epoch_ms(taken.slot),
        boot_ms=taken.boot_ms,
        points=_points(outcome.points, units, flags),
        records=tuple(records),
        states=tuple([state for item in derived for state in item.states]),
    )


def _points(
    values: Sequence[PointValue], units: Mapping[Quantity, str], flags: Mapping[Quantity, Quality]
) -> tuple[SampledPoint, ...]:
    """Return the values with their units and what is known against them, which is nothing for most."""
    if not flags:
        return tuple([SampledPoint(_NAMES[one.quantity], units[one.quantity], one.value_milli, 0) for one in values])
    return tuple(
        [
            SampledPoint(_NAMES[quantity], units[quantity], one.value_milli, int(flags.get(quantity, 0)))
            for one in values
            for quantity in (one.quantity,)
        ]
    )


def missed_gap(device: DeviceConfig, passed: SlotRange) -> Gap:
    """Return the gap for slots that passed while nobody asked the meter."""
    return Gap(
        meter_id=device.meter_id,
        quantities=tuple(quantity.value for quantity in device.points),
        first_slot_ms=to_epoch_ms(passed.first),
        last_slot_ms=to_epoch_ms(passed.last),
        slots=passed.count,
        reason=GapReason.NOT_RUNNING,
    )


def _gaps(taken: Taken) -> list[Gap]:
    slot_ms = to_epoch_ms(taken.slot)
    return [
        Gap(
            meter_id=taken.device.meter_id,
            quantities=tuple(quantity.value for quantity in failure.points),
            first_slot_ms=slot_ms,
            last_slot_ms=slot_ms,
            slots=1,
            reason=GAP_REASONS[failure.kind],
            detail=failure.detail[:DETAIL_CHARACTERS_MAX],
        )
        for failure in taken.outcome.failures
    ]


def _evidence(taken: Taken) -> Evidence:
    return Evidence(
        meter_id=taken.device.meter_id,
        serial=taken.device.serial,
        slot_ms=to_epoch_ms(taken.slot),
        profile=taken.device.profile,
        request=taken.outcome.request[:EVIDENCE_BYTES_MAX],
        response=taken.outcome.response[:EVIDENCE_BYTES_MAX],
    )


def _reading(taken: Taken, point: PointValue) -> Reading:
    return Reading(
        meter_id=taken.device.meter_id, quantity=point.quantity, read_at=taken.read_at, value_milli=point.value_milli
    )


def _flagged(reading: Reading, derived: Derived) -> Reading:
    flags = derived.flags.get(reading.quantity, Quality.GOOD)
    return replace(reading, quality=reading.quality | flags) if flags else reading
