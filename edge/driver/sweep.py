"""How long a line is busy with one sweep of its meters, at the least: bytes, silences and turn-around added up.

It is a lower bound: every meter answers as fast as meters can and nothing is asked twice. A schedule that needs more
than this can give is refused before it is taken, with the figures, instead of losing slots for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from common.errors import Fault
from edge.device.catalogue import Catalogue
from edge.device.model import Profile, ProtocolName
from edge.device.plan import Block, RecordBlock, RegisterBlock, read_plan
from edge.driver.exchanger import LinePace
from edge.driver.outcome import DeviceConfig, WireConfig, WireKind

TURN_AROUND_S = 0.02
TELEGRAM_BYTES = 60
_LINES = frozenset({WireKind.SERIAL, WireKind.SERIAL_TCP})
_ASKED_BYTES = {ProtocolName.MODBUS: 8, ProtocolName.MBUS: 11}
_FRAME_BYTES = {ProtocolName.MODBUS: 5, ProtocolName.MBUS: 0}
_STANDARD_ASKED, _STANDARD_FRAME = 20, 16  # DL/T 645 and CJ/T 188 with their wake-up bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One sweep of a line: how many meters, exchanges and bytes, and the seconds that they take at the least."""

    meters: int
    exchanges: int
    wire_bytes: int
    seconds: float


def sweep_of(config: WireConfig, devices: Iterable[DeviceConfig], catalogue: Catalogue) -> Sweep:
    """Return the sweep of a serial line's meters; meters of unknown models are left out."""
    pace = LinePace.of_baud(config.baud)
    meters = exchanges = total = 0
    seconds = 0.0
    for device in devices:
        profile = catalogue.profiles.get(device.profile)
        if profile is None:
            continue
        meters += 1
        for block in read_plan(profile, device.points):
            size = _bytes_of(profile, block)
            rest_s = max(profile.timing.gap_ms / 1000, pace.silence_s) + pace.silence_s
            exchanges, total = exchanges + 1, total + size
            seconds += size * pace.character_s + rest_s + TURN_AROUND_S
    return Sweep(meters=meters, exchanges=exchanges, wire_bytes=total, seconds=seconds)


def sweep_faults(
    wires: Iterable[WireConfig], devices: Iterable[DeviceConfig], catalogue: Catalogue, period_s: int
) -> list[Fault]:
    """Return a fault for each line whose meters cannot be read within a period."""
    everything = tuple(devices)
    faults = []
    for config in wires:
        if config.kind not in _LINES:
            continue
        sweep = sweep_of(config, [device for device in everything if device.wire == config.wire], catalogue)
        if sweep.seconds > period_s:
            what = (
                f"a sweep of {sweep.meters} meters is {sweep.exchanges} questions and {sweep.wire_bytes} bytes, which "
                f"take {sweep.seconds:.0f} s at {config.baud} baud at the least; slots come every {period_s} s"
            )
            remedy = "raise the speed, spread the meters over more wires, or ask fewer points or fewer slots"
            faults.append(Fault(where=f"wire {config.wire}", what=what, remedy=remedy))
    return faults


def _bytes_of(profile: Profile, block: Block) -> int:
    asked = _ASKED_BYTES.get(profile.protocol, _STANDARD_ASKED)
    framed = _FRAME_BYTES.get(profile.protocol, _STANDARD_FRAME)
    if isinstance(block, RecordBlock):
        return asked + framed + TELEGRAM_BYTES
    return asked + framed + (2 * block.count if isinstance(block, RegisterBlock) else block.data_bytes)
