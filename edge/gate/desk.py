"""The gate as people see it: who is inside and owes what, and what a person may do about it.

The plates shown here are for the person who stands at the gate; nothing here is logged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.clock import Clock, from_epoch_ms
from edge.gate.plan import Direction
from edge.gate.rules import Stay
from edge.gate.service import Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStay:
    """A car inside. `owed_fen` is what is still to be paid now, None when the gateway has no price for it."""

    session_id: UUID
    lot: str
    plate: str
    vehicle_class: str
    entered: datetime
    minutes: int
    owed_fen: int | None
    paid_fen: int
    grace_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLane:
    """A lane that a person may open."""

    camera: str
    lot: str
    is_exit: bool


class GateDesk:
    """What the pages may ask of the gate."""

    def __init__(self, gate: Gate, clock: Clock) -> None:
        self._gate = gate
        self._clock = clock
        self.settle = gate.settle
        self.correct = gate.correct
        self.end = gate.end
        self.leave_by_ticket = gate.leave_by_ticket
        self.open_by_hand = gate.open_by_hand

    def occupancy(self) -> Mapping[str, int]:
        """Return how many cars stand in each lot."""
        return self._gate.occupancy()

    def lanes(self) -> Sequence[ShownLane]:
        """Return the lanes in force."""
        return [
            ShownLane(camera=lane.camera, lot=lane.lot, is_exit=lane.direction is not Direction.ENTRY)
            for lane in self._gate.lanes
        ]

    def stays(self) -> Sequence[ShownStay]:
        """Return the cars inside, the longest stay first."""
        return [self._shown(stay) for stay in sorted(self._gate.stays().values(), key=lambda one: one.entered_ms)]

    def find(self, text: str) -> ShownStay | None:
        """Return the car inside of that very plate or ticket code."""
        stay = self._gate.find(text)
        return None if stay is None else self._shown(stay)

    def _shown(self, stay: Stay) -> ShownStay:
        now = self._clock.now()
        entered = from_epoch_ms(stay.entered_ms)
        quote = self._gate.quoted(stay, now)
        return ShownStay(
            session_id=stay.session_id,
            lot=stay.lot,
            plate=stay.plate,
            vehicle_class=stay.vehicle_class.value,
            entered=entered,
            minutes=max(0, int((now - entered).total_seconds()) // 60),
            owed_fen=None if quote is None else max(0, quote.amount_fen - stay.paid_fen),
            paid_fen=stay.paid_fen,
            grace_minutes=self._gate.grace_minutes(stay.lot),
        )
