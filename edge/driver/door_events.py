"""What door boards say and are told: values between the drivers of doors and the access stage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class DoorAnswer(StrEnum):
    """What became of an open command."""

    OPENED = "opened"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # sent, not answered in time


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPost:
    """A door of a site: the board it hangs on, where the board is reached, and its number on the board (from 1)."""

    door: str
    board: str
    address: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Swipe:
    """A card at a door. `board` and `index` tell the event from its repeats; boards count their events upwards."""

    door: str
    card: str
    board: str
    index: int
    let_in: bool


class DoorWire(Protocol):
    """The owner of a network with door boards."""

    async def run(self) -> None:
        """Serve until cancelled."""
        ...

    def events(self) -> AsyncIterator[Swipe]:
        """Return the cards at the doors as they come."""
        ...

    async def open_door(self, door: str) -> DoorAnswer:
        """Open a door and wait, bounded, for the board's answer."""
        ...
