"""The gateway as it is shipped, on a clock that runs faster: a quarter of an hour passes in PERIOD_MS.

    python -m tests.bench.edge.box HOME PERIOD_MS

Only the clock differs from `gatehouse edge run`. The folder was made by `tests.bench.edge.home`.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

from common.clock import from_epoch_ms
from common.wire.stamp import ClockSource
from edge.app import Gateway, open_store
from edge.clock import Instant, kernel_boot_id, monotonic_s
from edge.device.catalogue import load_catalogue
from edge.settings import read_settings
from edge.telemetry import configure_logging

SLOT_MS = 900_000
START_MS = 1_767_225_600_000  # 2026-01-01 in UTC


class FastClock:
    """A business clock that is a multiple of the monotonic one, so restarts of one boot go on where they were."""

    def __init__(self, speed: float) -> None:
        self.boot_id = kernel_boot_id()
        self._speed = speed

    def now(self) -> datetime:
        """Return the business instant."""
        return from_epoch_ms(self._ms())

    def look(self) -> Instant:
        """Return business time as both clocks."""
        ms = self._ms()
        return Instant(ms, ms, ClockSource.SYNCHRONISED, 20)

    def _ms(self) -> int:
        return START_MS + int(monotonic_s() * self._speed * 1000) % (300 * 24 * 3_600_000)


async def run(home: Path, period_ms: int) -> None:
    """Run until SIGTERM."""
    configure_logging()
    settings, clock, stop = read_settings(home), FastClock(SLOT_MS / period_ms), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    with closing(open_store(settings, clock)) as store:
        await Gateway(settings, clock, store, load_catalogue(settings.profiles)).run(stop)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2])))
