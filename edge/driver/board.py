"""What the wires did last, kept in memory for pages, metrics and whoever paces the business clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.ids import MeterId
from edge.driver.outcome import DeviceConfig, ReadOutcome, WireConfig, WireStats


@dataclass(slots=True, kw_only=True)
class WireFace:
    """One wire as a technician sees it. `completed` is the newest slot of which every meter is stored or a gap."""

    config: WireConfig
    stats: WireStats
    meters: int
    completed: datetime | None = None
    due: datetime | None = None
    failing: int = 0


@dataclass(slots=True, kw_only=True)
class MeterFace:
    """One meter as a technician sees it: what it last answered, and when."""

    device: DeviceConfig
    outcome: ReadOutcome | None = None
    read_at: datetime | None = None


class Board:
    """Faces of all wires and meters of the plan in force."""

    def __init__(self) -> None:
        self.wires: dict[str, WireFace] = {}
        self.meters: dict[MeterId, MeterFace] = {}
        self.slots_completed = 0
        self.readings_stored = 0
        self.gaps_said = 0

    def lay_out(self, wires: Sequence[WireFace], devices: Sequence[DeviceConfig]) -> None:
        """Show a new plan; what a meter answered before stays on the board."""
        self.wires = {face.config.wire: face for face in wires}
        known = self.meters
        self.meters = {}
        for device in devices:
            face = known.get(device.meter_id, MeterFace(device=device))
            face.device = device
            self.meters[device.meter_id] = face

    def completed(self) -> datetime | None:
        """Return the newest slot that every wire has completed; None before the first, or without wires."""
        slots = [face.completed for face in self.wires.values()]
        known = [slot for slot in slots if slot is not None]
        return min(known) if known and len(known) == len(slots) else None
