"""What cameras and barriers say, and what they are told: values between the drivers and the gate.

Invariants: an event carries the camera's own key, so a repeated record can be told from a second car; a record that
the camera stored while cut off is marked and must never open a barrier; the raw bytes travel along for the dispute.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from common.clock import require_utc
from edge.driver.signs import BoardFamily, Sign


class PlateColour(StrEnum):
    """Colour of the plate; it decides the tariff class, never the identity."""

    UNKNOWN = "unknown"
    BLUE = "blue"
    YELLOW = "yellow"
    WHITE = "white"
    BLACK = "black"
    GREEN = "green"
    YELLOW_GREEN = "yellow_green"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A camera with the barrier and the board that belong to it; `login` is the camera's own, for its commands."""

    camera: str
    barrier: str
    board: BoardFamily | None = None
    login: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateSeen:
    """A car at a camera. `plate` is None when no plate was recognised; `seen_at` is the camera's own time in UTC."""

    camera: str
    event_key: str
    plate: str | None
    colour: PlateColour
    confidence: int
    seen_at: datetime
    stored_offline: bool
    raw: bytes

    def __post_init__(self) -> None:
        """Check the instant."""
        require_utc(self.seen_at, "seen_at")


class BarrierAnswer(StrEnum):
    """What became of an open command."""

    ACCEPTED = "accepted"  # the device acknowledged; it says nothing about the bar's position
    REFUSED = "refused"
    UNREACHABLE = "unreachable"  # not sent: the broker is away; it may be tried again
    UNKNOWN = "unknown"  # sent, not acknowledged in time: a person looks, it is not sent blindly again


class GateWire(Protocol):
    """The owner of a wire with plate cameras and barriers."""

    async def run(self) -> None:
        """Keep the connection until cancelled, reconnecting with back-off; started in the caller's task group."""
        ...

    def events(self) -> AsyncIterator[PlateSeen]:
        """Return the events as they come; ends never, is cancelled with its task."""
        ...

    async def open_barrier(self, barrier: str, command_key: str) -> BarrierAnswer:
        """Tell the barrier (its serial number) to open and wait, bounded, for its acknowledgement."""
        ...

    async def answer(self, seen: PlateSeen, sign: Sign | None) -> None:
        """Tell the camera that its record is dealt with, and show a sign there; what fails is counted, not raised."""
        ...
