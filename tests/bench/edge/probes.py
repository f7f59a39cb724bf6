"""What the kernel says of a process: processor time, memory, bytes written; and what the disk takes to sync."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

NANOSECONDS_PER_SECOND = 1_000_000_000
MEBIBYTE = 1024 * 1024


def processor_s(pid: int) -> float:
    """Return the processor seconds of a process, all its living threads.

    The kernel's scheduler counts nanoseconds; the usual figures count ticks of 10 ms, and a cheap program uses four of
    them in ten seconds.
    """
    return sum(_thread_ns(thread) for thread in Path(f"/proc/{pid}/task").iterdir()) / NANOSECONDS_PER_SECOND


def _thread_ns(thread: Path) -> int:
    try:
        return int((thread / "schedstat").read_text(encoding="ascii").split()[0])
    except FileNotFoundError:  # it has just ended
        return 0


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    return _status_kib(pid, "VmRSS") / 1024


def peak_mib(pid: int) -> float:
    """Return the largest resident memory a process ever had."""
    return _status_kib(pid, "VmHWM") / 1024


def written_bytes(pid: int) -> int:
    """Return the bytes a process caused to be written to storage."""
    for line in Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    return 0


def _status_kib(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The figures of a process at one instant."""

    at_s: float
    processor_s: float
    written_bytes: int

    @classmethod
    def of(cls, pid: int) -> Mark:
        """Look at a process."""
        return cls(at_s=perf_counter(), processor_s=processor_s(pid), written_bytes=written_bytes(pid))


def sync_ms(folder: Path, rounds: int) -> list[float]:
    """Return how long an fdatasync of 4 KiB took, each of some times, in milliseconds."""
    path = folder / "sync.probe"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    taken = []
    try:
        for _ in range(rounds):
            os.write(handle, bytes(4096))
            started = perf_counter()
            os.fdatasync(handle)
            taken.append((perf_counter() - started) * 1000)
    finally:
        os.close(handle)
        path.unlink()
    return taken


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that so many of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
