"""The count of one pulse input on disk: two slots written in turn, each with its own check, so one is always whole.

A file that is missing is a new input and begins at zero; a file in which neither slot holds is damage, and the count
is then unknown and said to be, never taken as zero. Calls block; the wire makes them in a thread.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

from common.errors import RefusalError

_SLOT = struct.Struct("<QQI")
_BODY = struct.Struct("<QQ")
SLOT_BYTES = 32
_SLOTS = 2


class PulseTotals:
    """The file of one input."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sequence = 0

    def load(self) -> int:
        """Return the count that was last written.

        Raises:
            RefusalError: the file cannot be read, or is damaged.
        """
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return 0
        except OSError as problem:
            raise RefusalError(f"{self._path} cannot be read: {problem}") from problem
        slots = [found for n in range(_SLOTS) if (found := _slot(data[n * SLOT_BYTES :])) is not None]
        if not slots:
            raise RefusalError(
                f"{self._path} is damaged, so the count is unknown; note the dial, set start_reading to it and remove "
                "the file"
            )
        self._sequence, total = max(slots)
        return total

    def save(self, total: int, *, sync: bool) -> None:
        """Write a count; with `sync` it is on the disk when this returns.

        Raises:
            OSError: the disk refuses.
        """
        self._sequence += 1
        body = _BODY.pack(self._sequence, total)
        slot = _SLOT.pack(self._sequence, total, zlib.crc32(body)).ljust(SLOT_BYTES, b"\0")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(descriptor, slot, self._sequence % _SLOTS * SLOT_BYTES)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _slot(data: bytes) -> tuple[int, int] | None:
    """Return sequence and count of a slot, None when it does not hold."""
    if len(data) < _SLOT.size:
        return None
    sequence, total, check = _SLOT.unpack_from(data)
    return (sequence, total) if zlib.crc32(data[: _BODY.size]) == check else None
