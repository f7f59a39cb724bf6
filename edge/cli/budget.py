"""The disk a site needs while the cloud is away, worked out before anyone drives there. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024
MINUTES_PER_DAY = 24 * 60
# Bytes on disk, from the size tests of the wire format and the store, rounded up.
SEALED_BYTES_PER_READING = 5
FRAME_BYTES_PER_METER_DAY = 160
BATCH_OVERHEAD_BYTES = 512
ROWS_WAITING_BYTES_PER_READING = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSize:
    """How much a site reads."""

    meters: int
    points: int
    every_minutes: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskNeed:
    """Bytes by use."""

    readings: int
    sealed: int
    frames: int
    overhead: int
    waiting: int

    @property
    def total(self) -> int:
        """Return all of it."""
        return self.sealed + self.frames + self.overhead + self.waiting


def disk_need(size: SiteSize) -> DiskNeed:
    """Return what a site puts on disk while nothing is acknowledged; batches are sealed hourly."""
    per_day = size.meters * size.points * (MINUTES_PER_DAY // size.every_minutes)
    batches_per_day = min(24, MINUTES_PER_DAY // size.every_minutes)
    return DiskNeed(
        readings=per_day * size.days,
        sealed=per_day * size.days * SEALED_BYTES_PER_READING,
        frames=size.meters * size.days * FRAME_BYTES_PER_METER_DAY,
        overhead=batches_per_day * size.days * BATCH_OVERHEAD_BYTES,
        waiting=per_day // 24 * ROWS_WAITING_BYTES_PER_READING + MEBIBYTE,
    )


def budget_table(size: SiteSize, room_bytes: int) -> tuple[str, bool]:
    """Return the sum as text, and whether it fits into the room the store has for readings."""
    need = disk_need(size)
    fits = need.total <= room_bytes
    lines = [
        f"{size.meters} meters x {size.points} points, every {size.every_minutes} min, {size.days} days without cloud",
        f"  readings            {need.readings:>14,}",
        f"  sealed batches      {_mib(need.sealed)}",
        f"  raw frames, daily   {_mib(need.frames)}",
        f"  batch headers       {_mib(need.overhead)}",
        f"  rows not yet sealed {_mib(need.waiting)}",
        f"  total               {_mib(need.total)}",
        f"  room in the store   {_mib(room_bytes)}",
        "fits" if fits else "does not fit: raise store.limit_mib, read less often, or shorten the absence",
    ]
    return "\n".join(lines) + "\n", fits


def _mib(count: int) -> str:
    tenths = count * 10 // MEBIBYTE
    return f"{tenths // 10:>10,}.{tenths % 10} MiB"
