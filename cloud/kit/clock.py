"""The clocks of the cloud: the only module of it that reads one.

Business time is real in production and paced by a shared file in a demo. Machine time for leases and back-off is
the database's own clock, and is never accelerated.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from common.clock import Clock, Pace
from common.errors import RefusalError


class SystemClock:
    """Business time as the machine tells it."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        return datetime.now(UTC)


class PacedClock:
    """Business time from a pace file, read again at each call because the conductor moves its ceiling."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        """Return the business instant of this moment.

        Raises:
            RefusalError: the clock file is missing or damaged.
        """
        try:
            data = self._path.read_bytes()
        except OSError as error:
            raise RefusalError(
                f"clock file {self._path} cannot be read ({error.strerror}); start the demo again"
            ) from error
        return Pace.unpack(data).at(time.monotonic_ns())


def business_clock(clock_file: Path | None) -> Clock:
    """Return the paced clock when a clock file is configured, else the system clock."""
    return SystemClock() if clock_file is None else PacedClock(clock_file)


def machine_now_s() -> int:
    """Return seconds since 1970 by the machine's own clock, for the signatures of providers; never paced."""
    return int(time.time())


def monotonic_s() -> float:
    """Return machine seconds since an arbitrary start, for measuring how long work took."""
    return time.monotonic()
