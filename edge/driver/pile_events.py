"""What charging piles say and are told: values between the drivers of piles and the charging stage.

Invariants: times are UTC milliseconds and registers whole watt-hours; a driver answers a pile only after the stage has
returned, and the stage returns only after it has stored what it was told.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Verdict(StrEnum):
    """Whether a card may charge."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    BUSY = "busy"


class Plug(StrEnum):
    """What a connector says of itself, as far as charging and idling depend on it."""

    FREE = "free"  # nothing plugged in
    PLUGGED = "plugged"  # plugged in, no energy: before, after or between
    CHARGING = "charging"
    FULL = "full"  # the car takes no more
    FAULTED = "faulted"


class StopAnswer(StrEnum):
    """What became of a remote start or stop."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTold:
    """A charge that a pile has begun."""

    pile: str
    connector: int
    card: str
    meter_wh: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """A register of a running charge."""

    pile: str
    connector: int
    transaction: int | None
    meter_wh: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTold:
    """A charge that a pile has ended; `transaction` is None when the pile names none that we gave."""

    pile: str
    transaction: int | None
    meter_wh: int
    at_ms: int
    reason: str


class PileDesk(Protocol):
    """Where a driver brings what a pile says; each call returns after it is stored."""

    async def boot(self, pile: str) -> bool:
        """Return whether the pile is one of the site's."""
        ...

    async def authorize(self, pile: str, card: str) -> Verdict:
        """Return whether a card may charge."""
        ...

    async def start(self, told: StartTold) -> tuple[int, Verdict]:
        """Return the number of the charge and whether it may go on; the same start again gets the same number."""
        ...

    async def sample(self, told: Sampled) -> None:
        """Take a register."""
        ...

    async def plug(self, pile: str, connector: int, plug: Plug, at_ms: int) -> None:
        """Take what a connector says of itself."""
        ...

    async def stop(self, told: StopTold) -> None:
        """Take the end of a charge; the same end again changes nothing."""
        ...


class PileWire(Protocol):
    """The owner of a port that piles connect to."""

    async def run(self) -> None:
        """Serve until cancelled."""
        ...

    async def remote_start(self, pile: str, connector: int, card: str) -> StopAnswer:
        """Ask a pile to begin a charge."""
        ...

    async def remote_stop(self, pile: str, connector: int, transaction: int) -> StopAnswer:
        """Ask a pile to end a charge."""
        ...
