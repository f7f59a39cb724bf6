"""Time as a value: the clock port, and the pace of an accelerated business clock.

There are two clocks. Business time dates readings, bills and payments and may run fast in a demo; machine time
measures leases, time-outs and back-off and is never accelerated. Nothing in common reads either of them: instants
are arguments. Instants are aware `datetime` values in UTC.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from common.errors import RefusalError, ensure

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PACE_LAYOUT = struct.Struct("<8sqqqq")
_PACE_MAGIC = b"GHPACE01"
PACE_SIZE = _PACE_LAYOUT.size
_MILLI = 1_000
_MILLISECOND = timedelta(milliseconds=1)
_NANOSECONDS_PER_MICROSECOND = 1_000


class Clock(Protocol):
    """The port through which a process learns the business time."""

    def now(self) -> datetime:
        """Return the current business instant, aware and in UTC."""
        ...


def require_utc(instant: datetime, what: str = "instant") -> datetime:
    """Return the instant when it is aware and in UTC.

    Raises:
        InvariantError: the instant is naive or in another zone.
    """
    if instant.tzinfo is UTC:
        return instant
    ensure(instant.tzinfo is not None and instant.utcoffset() == timedelta(0), f"{what} must be aware and in UTC")
    return instant


def to_epoch_ms(instant: datetime) -> int:
    """Return milliseconds since 1970-01-01T00:00Z, cut (not rounded) to the millisecond."""
    return (require_utc(instant) - EPOCH) // _MILLISECOND


def from_epoch_ms(epoch_ms: int) -> datetime:
    """Return the UTC instant of a count of milliseconds since 1970-01-01T00:00Z."""
    return EPOCH + timedelta(milliseconds=epoch_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A business clock tied to a monotonic one: business = start + speed x elapsed, never past the ceiling.

    The ceiling lets a conductor hold business time until every process has done the work of the moment, so an
    accelerated story never outruns its gateways. All counts are nanoseconds; `speed_milli` is 1000 for real time.
    """

    start_ns: int
    monotonic_start_ns: int
    speed_milli: int
    ceiling_ns: int

    def __post_init__(self) -> None:
        """Check that the pace can only move forward."""
        ensure(self.speed_milli >= 0, "a business clock never runs backwards")
        ensure(self.ceiling_ns >= self.start_ns, "the ceiling of a pace lies at or after its start")

    def at(self, monotonic_ns: int) -> datetime:
        """Return the business instant at a reading of the monotonic clock."""
        elapsed_ns = max(0, monotonic_ns - self.monotonic_start_ns)
        business_ns = min(self.start_ns + elapsed_ns * self.speed_milli // _MILLI, self.ceiling_ns)
        return EPOCH + timedelta(microseconds=business_ns // _NANOSECONDS_PER_MICROSECOND)

    def pack(self) -> bytes:
        """Return the fixed-size form in which a conductor shares the pace with other processes."""
        return _PACE_LAYOUT.pack(_PACE_MAGIC, self.start_ns, self.monotonic_start_ns, self.speed_milli, self.ceiling_ns)

    @classmethod
    def unpack(cls, data: bytes) -> Pace:
        """Read the fixed-size form.

        Raises:
            RefusalError: the bytes are not a pace.
        """
        if len(data) != PACE_SIZE or data[:8] != _PACE_MAGIC:
            raise RefusalError("the clock file is not a Gatehouse pace; delete it and start the demo again")
        _, start_ns, monotonic_start_ns, speed_milli, ceiling_ns = _PACE_LAYOUT.unpack(data)
        return cls(
            start_ns=start_ns,
            monotonic_start_ns=monotonic_start_ns,
            speed_milli=speed_milli,
            ceiling_ns=ceiling_ns,
        )
