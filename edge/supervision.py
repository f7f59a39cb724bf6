"""What the service manager is told: ready, still alive, stopping; and when "still alive" would be a lie.

systemd's own protocol over a datagram socket, `NOTIFY_SOCKET`; without one nothing is said. The watchdog is fed only
while the event loop turns in time, the store's writer serves and every wire either makes progress or is known to wait,
so a gateway that hangs is started again without a visit.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from prometheus_client import Histogram

LOOP_LAG_S_MAX = 5.0
LAG_LOOK_S = 1.0
LAG_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, LOOP_LAG_S_MAX)
FEEDS_A_PERIOD = 3
_MICROSECONDS = 1_000_000
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervisor:
    """The service manager's socket and the watchdog's period; both may be missing."""

    address: str | None
    watchdog_us: int

    @property
    def period_s(self) -> float | None:
        """Return the seconds within which a sign of life is due, None when nobody waits for one."""
        return self.watchdog_us / _MICROSECONDS if self.address is not None and self.watchdog_us > 0 else None

    def tell(self, state: str) -> None:
        """Send one state; a manager that went away is no reason to fail."""
        if self.address is None:
            return
        name = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link, suppress(OSError):
            link.sendto(state.encode(), name)

    async def feed(self, well: Callable[[], str | None], monotonic_s: Callable[[], float]) -> None:
        """Give signs of life for as long as all is well; `well` names what is wrong, None for nothing."""
        period_s = self.period_s
        if period_s is None:
            await asyncio.Event().wait()
            return
        step_s = period_s / FEEDS_A_PERIOD
        while True:
            asked_s = monotonic_s()
            await asyncio.sleep(step_s)
            late_s = monotonic_s() - asked_s - step_s
            trouble = f"the event loop was {late_s:.1f} s late" if late_s > LOOP_LAG_S_MAX else well()
            if trouble is None:
                self.tell("WATCHDOG=1")
            else:
                _log.error("watchdog_not_fed", reason=trouble)
                self.tell(f"STATUS={trouble}")


class LoopLag:
    """How late the event loop turns: asked to wake each second, it wakes later by what held it up.

    `spread` is for whoever scrapes, in seconds; `worst_ms` of this start goes with the health report.
    """

    def __init__(self) -> None:
        self.spread = Histogram(
            "gatehouse_loop_lag_seconds",
            "How much later than asked the event loop woke, looked at each second",
            buckets=LAG_BUCKETS_S,
            registry=None,
        )
        self.worst_ms = 0

    async def watch(self, monotonic_s: Callable[[], float]) -> None:
        """Look for good."""
        while True:
            asked_s = monotonic_s()
            await asyncio.sleep(LAG_LOOK_S)
            late_s = max(0.0, monotonic_s() - asked_s - LAG_LOOK_S)
            self.spread.observe(late_s)
            self.worst_ms = max(self.worst_ms, int(late_s * 1000))
