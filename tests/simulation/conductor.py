"""The conductor of business time: it lets the house's clock run to an instant, and holds it there until told.

All processes of the house read the same small clock file (`common.clock.Pace`). Time moves fast towards a ceiling
and waits there, so the story never outruns a gateway that is still polling.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

from common.clock import Pace, to_epoch_ms
from common.errors import ensure

FAST_MILLI = 10_000_000 * 1000
_NS_PER_MS = 1_000_000


class Conductor:
    """Writes the clock file; the only one who does."""

    def __init__(self, clock_file: Path, start: datetime) -> None:
        self._file = clock_file
        if clock_file.exists():
            start = Pace.unpack(clock_file.read_bytes()).at(time.monotonic_ns())
        self._write(
            Pace(start_ns=_ns(start), monotonic_start_ns=time.monotonic_ns(), speed_milli=0, ceiling_ns=_ns(start))
        )

    def now(self) -> datetime:
        """Return the business instant."""
        return self._pace.at(time.monotonic_ns())

    def advance_to(self, instant: datetime) -> None:
        """Let time run fast to the instant and wait there; an instant in the past leaves time where it is."""
        if instant <= self.now():
            return
        self._restart(speed_milli=FAST_MILLI, ceiling=instant)
        remaining = instant - self.now()
        while remaining > timedelta(0):
            time.sleep(0.001)
            remaining = instant - self.now()

    def run(self, speed: int, ceiling: datetime) -> None:
        """Let time run freely at a speed, at most to the ceiling."""
        self._restart(speed_milli=speed * 1000, ceiling=ceiling)

    def hold(self) -> None:
        """Stop time where it is."""
        self._write(_held_at(self.now()))

    def _restart(self, *, speed_milli: int, ceiling: datetime) -> None:
        now = self.now()
        ensure(ceiling >= now, "business time is only moved forward")
        self._write(
            Pace(
                start_ns=_ns(now),
                monotonic_start_ns=time.monotonic_ns(),
                speed_milli=speed_milli,
                ceiling_ns=_ns(ceiling),
            )
        )

    def _write(self, pace: Pace) -> None:
        self._pace = pace
        fresh = self._file.with_suffix(".new")
        fresh.write_bytes(pace.pack())
        fresh.replace(self._file)


def _held_at(instant: datetime) -> Pace:
    still_ns = _ns(instant)
    return Pace(start_ns=still_ns, monotonic_start_ns=time.monotonic_ns(), speed_milli=0, ceiling_ns=still_ns)


def _ns(instant: datetime) -> int:
    return to_epoch_ms(instant) * _NS_PER_MS
