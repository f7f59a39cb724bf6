"""Runs the streaming rules over every register that is read, and keeps their state across restarts.

The state is stored once a civil day with that day's first sample, so a restart forgets at most a day of detail and
the flash is spared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

import msgspec

from common.civil import civil_day
from common.clock import to_epoch_ms
from common.ids import MeterId
from common.reading.anomaly import LIMITS, Finding, Moment, Rule, WatchState, observe
from common.reading.anomaly_site import CommsState, Swaps, count_slot
from common.reading.reading import Quality, Quantity, Reading
from common.wire.records import AnomalyNote
from edge.buffer.records import Derived, StageState
from edge.driver.outcome import DeviceConfig

OWNER = "watch"
SLOTS = "slots"
NOTHING = Derived()
CUMULATIVE = frozenset({Quantity.ENERGY_FORWARD, Quantity.ENERGY_REVERSE, Quantity.VOLUME, Quantity.HEAT_ENERGY})


class Watch:
    """An observer of samples that flags false registers and notes what is odd."""

    def __init__(self, stored: Mapping[str, bytes], zone: tzinfo) -> None:
        self._zone = zone
        self._states: dict[str, WatchState] = {}
        self._comms: dict[MeterId, CommsState] = {}
        self._names: dict[MeterId, dict[Quantity, str]] = {}
        self._swaps = Swaps()
        self._slot_day: tuple[datetime | None, int] = (None, 0)
        for name, body in stored.items():
            state = _unpack(body)
            if state is not None:
                self._states[name] = state

    def use_zone(self, zone: tzinfo) -> None:
        """Count civil days in the site's zone."""
        self._zone = zone
        self._slot_day = (None, 0)

    @property
    def looks_at(self) -> frozenset[Quantity]:
        """Return the registers whose series are watched."""
        return CUMULATIVE

    def observe(self, device: DeviceConfig, slot: datetime, readings: Sequence[Reading]) -> Derived:
        """Return flags and notes for the cumulative registers of one meter; no reading at all is a silent slot."""
        flags: dict[Quantity, Quality] = {}
        notes: list[AnomalyNote] = []
        states: list[StageState] = []
        moment = self._moment(readings[0].read_at) if readings else None
        names = self._names_of(device.meter_id)
        for reading in readings:
            name = names.get(reading.quantity)
            if moment is None or name is None:
                continue
            before = self._states.get(name)
            verdict = observe(before, moment, reading.value_milli, LIMITS[device.resource])
            self._states[name] = verdict.state
            if verdict.findings:
                notes += [_note(device, reading.quantity.value, slot, finding) for finding in verdict.findings]
            if verdict.quality is not Quality.GOOD:
                flags[reading.quantity] = verdict.quality
                notes += self._swapped(device, slot, reading)
            if before is None or before.day != verdict.state.day:
                states.append(StageState(owner=OWNER, name=name, body=msgspec.msgpack.encode(verdict.state)))
        notes += self._silence(device, slot, answered=moment is not None)
        if not (flags or notes or states):
            return NOTHING
        return Derived(flags=flags, records=tuple(notes), states=tuple(states))

    def _names_of(self, meter_id: MeterId) -> Mapping[Quantity, str]:
        """Return under which names the cumulative registers of a meter are remembered, written once."""
        if meter_id not in self._names:
            self._names[meter_id] = {quantity: f"{meter_id}/{quantity}" for quantity in CUMULATIVE}
        return self._names[meter_id]

    def _silence(self, device: DeviceConfig, slot: datetime, *, answered: bool) -> list[AnomalyNote]:
        if slot != self._slot_day[0]:  # all meters of a sweep are at the same slot
            self._slot_day = (slot, civil_day(slot, self._zone).toordinal())
        day = self._slot_day[1]
        state, finding = count_slot(self._comms.get(device.meter_id), day, answered=answered)
        self._comms[device.meter_id] = state
        return [] if finding is None else [_note(device, SLOTS, slot, finding)]

    def _swapped(self, device: DeviceConfig, slot: datetime, reading: Reading) -> list[AnomalyNote]:
        """Hold an implausible register against those of the other meters of its kind."""
        kin = {name: state for name, state in self._states.items() if name.endswith(f"/{reading.quantity}")}
        name, at_ms = f"{device.meter_id}/{reading.quantity}", to_epoch_ms(reading.read_at)
        other = self._swaps.odd(name, at_ms, reading.value_milli, kin, LIMITS[device.resource])
        if other is None:
            return []
        finding = Finding(rule=Rule.SWAPPED_METERS, value=reading.value_milli, limit=kin[name].milli)
        return [_note(device, reading.quantity.value, slot, finding)]

    def _moment(self, instant: datetime) -> Moment:
        local = instant.astimezone(self._zone)
        day = civil_day(instant, self._zone).toordinal()
        return Moment(at_ms=to_epoch_ms(instant), day=day, minute=local.hour * 60 + local.minute)


def _note(device: DeviceConfig, quantity: str, slot: datetime, finding: Finding) -> AnomalyNote:
    return AnomalyNote(
        meter_id=device.meter_id,
        quantity=quantity,
        rule=finding.rule.value,
        slot_ms=to_epoch_ms(slot),
        value_milli=finding.value,
        limit_milli=finding.limit,
    )


def _unpack(body: bytes) -> WatchState | None:
    """Read a stored state; one that does not decode begins anew."""
    try:
        return msgspec.msgpack.decode(body, type=WatchState)
    except msgspec.DecodeError:
        return None
