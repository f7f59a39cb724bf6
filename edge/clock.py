"""The gateway's clocks: business time, the boot-time clock that orders records, and machine time for waiting.

No battery clock is assumed. Records are made with (boot number, boot-time milliseconds) and dated later through
anchors, so a step of the wall clock neither deletes nor doubles anything. Machine time (`monotonic_s`) measures
waits and time-outs and is never accelerated. This is the only module of the gateway that reads a clock.
"""

from __future__ import annotations

import ctypes
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from common.clock import Pace, to_epoch_ms
from common.errors import RefusalError
from common.wire.stamp import ClockSource

MONTHS_OF_DOUBT_MS = 400 * 24 * 3600 * 1000  # what an unsynchronised clock may be off by
_BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
_NANOSECONDS_PER_MILLISECOND = 1_000_000
_MICROSECONDS_PER_MILLISECOND = 1_000
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


class Instant(NamedTuple):
    """One look at all clocks: boot-time milliseconds, business milliseconds, and how far the latter is trusted."""

    boot_ms: int
    utc_ms: int
    source: ClockSource
    uncertainty_ms: int


class EdgeClock(Protocol):
    """The clocks of the gateway, as the composition root hands them out."""

    @property
    def boot_id(self) -> str:
        """Return the name of this boot; the boot-time clock is comparable within one boot only."""
        ...

    def now(self) -> datetime:
        """Return the business instant, aware and in UTC."""
        ...

    def look(self) -> Instant:
        """Return one consistent look at the clocks."""
        ...


def monotonic_s() -> float:
    """Return machine seconds for waits and time-outs."""
    return time.monotonic()


def kernel_boot_id() -> str:
    """Return the kernel's name of this boot."""
    try:
        return _BOOT_ID_FILE.read_text(encoding="ascii").strip()
    except OSError:
        return f"boot-{time.clock_gettime_ns(time.CLOCK_REALTIME) // 10**9 - int(time.monotonic())}"


class SystemClock:
    """The wall clock of the box, with the kernel's word on whether it is disciplined."""

    def __init__(self) -> None:
        self.boot_id = kernel_boot_id()

    def now(self) -> datetime:
        """Return the wall clock in UTC."""
        return datetime.now(UTC)

    def look(self) -> Instant:
        """Return boot-time and wall clock together; an undisciplined clock says so."""
        boot_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // _NANOSECONDS_PER_MILLISECOND
        utc_ms = time.clock_gettime_ns(time.CLOCK_REALTIME) // _NANOSECONDS_PER_MILLISECOND
        uncertainty_ms = kernel_uncertainty_ms()
        if uncertainty_ms is None:
            return Instant(boot_ms, utc_ms, ClockSource.BOUNDED, MONTHS_OF_DOUBT_MS)
        return Instant(boot_ms, utc_ms, ClockSource.SYNCHRONISED, uncertainty_ms)


class PacedClock:
    """An accelerated business clock read from a file that a conductor writes.

    Business time itself serves as the boot-time clock: it is monotone by construction and survives a new pace.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.boot_id = kernel_boot_id()
        self.now()

    def now(self) -> datetime:
        """Return the business instant of the pace in the file.

        Raises:
            RefusalError: the file is missing or is not a pace.
        """
        try:
            data = self._path.read_bytes()
        except OSError as error:
            raise RefusalError(f"clock file {self._path}: {error.strerror}; start the conductor first") from error
        return Pace.unpack(data).at(time.clock_gettime_ns(time.CLOCK_MONOTONIC))

    def look(self) -> Instant:
        """Return the business time as both clocks, trusted to the millisecond."""
        utc_ms = to_epoch_ms(self.now())
        return Instant(utc_ms, utc_ms, ClockSource.SYNCHRONISED, 1)


class _Timex(ctypes.Structure):
    """The head of `struct timex` (adjtimex(2)); the tail is room for what the kernel adds."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("tail", ctypes.c_byte * 256),
    )


def kernel_uncertainty_ms() -> int | None:
    """Return the kernel's bound on the wall clock's error, or None when the clock is not synchronised."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    if state in {-1, _TIME_ERROR}:
        return None
    return int(timex.maxerror) // _MICROSECONDS_PER_MILLISECOND + 1


def entropy(count: int) -> bytes:
    """Return random bytes from the kernel; the composition root's source for ids and epochs."""
    return os.urandom(count)
