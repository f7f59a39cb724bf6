"""A GPIO chip that reports edges as the Linux kernel does, written from its header file, on a pipe."""

from __future__ import annotations

import os
from collections.abc import Sequence

from edge.transport.line import LinkLostError

CLOSED, OPENED = 1, 2


def event(at_ms: int, kind: int, line: int, number: int) -> bytes:
    """Return one event: u64 nanoseconds, then u32 kind, offset, number, number of the line, and 24 bytes of zeros."""
    fields = (kind, line, number, number)
    return (at_ms * 1_000_000).to_bytes(8, "little") + b"".join(n.to_bytes(4, "little") for n in fields) + bytes(24)


def pulses(count: int, line: int, *, first: int = 1, every_ms: int = 500, begin_ms: int = 1_000) -> bytes:
    """Return the edges of pulses of 50 ms, numbered from `first` on."""
    edges = []
    for n in range(count):
        at_ms = begin_ms + n * every_ms
        edges += [event(at_ms, CLOSED, line, first + 2 * n), event(at_ms + 50, OPENED, line, first + 2 * n + 1)]
    return b"".join(edges)


class Chip:
    """A chip whose lines a gateway opens; what is fed comes out of the descriptor it got."""

    def __init__(self) -> None:
        self.present = True
        self.asked: list[tuple[str, tuple[int, ...]]] = []
        self._ends: list[int] = []

    def open(self, path: str, lines: Sequence[int]) -> int:
        """Return a descriptor as the kernel does."""
        self.asked.append((path, tuple(lines)))
        if not self.present:
            raise LinkLostError(f"{path} is not there")
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._ends.append(writing)
        return reading

    def feed(self, data: bytes) -> None:
        """Let the newest owner see edges."""
        os.write(self._ends[-1], data)

    def pull(self) -> None:
        """Take the chip away."""
        self.present = False
        self.unplug()

    def unplug(self) -> None:
        """End every descriptor."""
        for end in self._ends:
            os.close(end)
        self._ends.clear()
