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
from common.reading.anomaly import LIMITS, Moment, WatchState, observe
from common.reading.reading import Quality, Quantity, Reading
from common.wire.records import AnomalyNote
from edge.buffer.records import Derived, StageState
from edge.driver.outcome import DeviceConfig

OWNER = "watch"
CUMULATIVE = frozenset({Quantity.ENERGY_FORWARD, Quantity.ENERGY_REVERSE, Quantity.VOLUME, Quantity.HEAT_ENERGY})


class Watch:
    """An observer of samples that flags false registers and notes what is odd."""

    def __init__(self, stored: Mapping[str, bytes], zone: tzinfo) -> None:
        self._zone = zone
        self._states: dict[str, WatchState] = {}
        for name, body in stored.items():
            state = _unpack(body)
            if state is not None:
                self._states[name] = state

    def use_zone(self, zone: tzinfo) -> None:
        """Count civil days in the site's zone."""
        self._zone = zone

    def observe(self, device: DeviceConfig, slot: datetime, readings: Sequence[Reading]) -> Derived:
        """Return flags and notes for the cumulative registers of one meter."""
        flags: dict[Quantity, Quality] = {}
        notes: list[AnomalyNote] = []
        states: list[StageState] = []
        moment = self._moment(readings[0].read_at) if readings else None
        for reading in readings:
            if moment is None or reading.quantity not in CUMULATIVE:
                continue
            name = f"{device.meter_id}/{reading.quantity}"
            before = self._states.get(name)
            verdict = observe(before, moment, reading.value_milli, LIMITS[device.resource])
            self._states[name] = verdict.state
            flags[reading.quantity] = verdict.quality
            notes += [
                AnomalyNote(
                    meter_id=device.meter_id,
                    quantity=reading.quantity.value,
                    rule=finding.rule.value,
                    slot_ms=to_epoch_ms(slot),
                    value_milli=finding.value,
                    limit_milli=finding.limit,
                )
                for finding in verdict.findings
            ]
            if before is None or before.day != verdict.state.day:
                states.append(StageState(owner=OWNER, name=name, body=msgspec.msgpack.encode(verdict.state)))
        return Derived(flags=flags, records=tuple(notes), states=tuple(states))

    def _moment(self, instant: datetime) -> Moment:
        local = instant.astimezone(self._zone)
        day = civil_day(instant, self._zone).toordinal()
        return Moment(at_ms=to_epoch_ms(instant), day=day, minute=local.hour * 60 + local.minute)


def _unpack(body: bytes) -> WatchState | None:
    """Read a stored state; one that does not decode begins anew."""
    try:
        return msgspec.msgpack.decode(body, type=WatchState)
    except msgspec.DecodeError:
        return None
