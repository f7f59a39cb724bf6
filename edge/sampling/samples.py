"""From what a meter answered to what is stored: readings, explicit gaps, the raw frame once a day. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from common.clock import to_epoch_ms
from common.reading.reading import Quality, Quantity, Reading
from common.wire.records import Evidence, Gap, GapReason
from edge.buffer.records import Derived, Record, Sample, SampledPoint
from edge.driver.outcome import DeviceConfig, FailureKind, ReadOutcome
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
Units = Callable[[DeviceConfig], Mapping[Quantity, str]]


class Observer(Protocol):
    """Looks at readings before they are stored and adds flags, records and states of its own, in the same commit.

    Observers stand in a row; a later one sees the flags of the earlier ones.
    """

    def observe(self, device: DeviceConfig, slot: datetime, readings: Sequence[Reading]) -> Derived:
        """Return what follows from new readings of one meter."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One meter's answer at one slot, with the clocks at which it was taken."""

    device: DeviceConfig
    slot: datetime
    read_at: datetime
    boot_ms: int
    outcome: ReadOutcome


def make_sample(
    taken: Taken, units: Mapping[Quantity, str], observers: Sequence[Observer], *, with_evidence: bool
) -> Sample:
    """Return the sample of one answer; points that gave no value become gaps with their reason."""
    device = taken.device
    readings = [
        Reading(
            meter_id=device.meter_id,
            quantity=point.quantity,
            read_at=taken.read_at,
            value_milli=point.value_milli,
        )
        for point in taken.outcome.points
    ]
    derived: list[Derived] = []
    for observer in observers:
        derived.append(observer.observe(device, taken.slot, readings))
        if derived[-1].flags:
            readings = [_flagged(reading, derived[-1]) for reading in readings]
    records: list[Record] = [*_gaps(taken), *(record for item in derived for record in item.records)]
    if with_evidence and readings:
        records.append(_evidence(taken))
    return Sample(
        meter_id=device.meter_id,
        serial=device.serial,
        profile=device.profile,
        slot_ms=to_epoch_ms(taken.slot),
        boot_ms=taken.boot_ms,
        points=tuple(
            [
                SampledPoint(one.quantity.value, units[one.quantity], one.value_milli, int(one.quality))
                for one in readings
            ]
        ),
        records=tuple(records),
        states=tuple([state for item in derived for state in item.states]),
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


def _flagged(reading: Reading, derived: Derived) -> Reading:
    flags = derived.flags.get(reading.quantity, Quality.GOOD)
    return replace(reading, quality=reading.quality | flags) if flags else reading
