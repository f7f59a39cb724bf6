"""Pulses of S0 outputs and reed contacts: edges as the Linux kernel reports them, debounced, counted. Pure.

One edge is a `gpio_v2_line_event` of 48 bytes: nanoseconds of the monotonic clock, kind, line, and a number that counts
the events of the line; a hole in the numbers means that the kernel's queue overflowed, and the pulses in it are not
guessed. A pulse counts when the contact closes after it has rested; what bounces in between does not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from common.errors import RefusalError

EVENT_BYTES = 48
CLOSING, OPENING = 1, 2
_EVENT = struct.Struct("=QIIII24x")
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One edge: when, which line, whether the contact closed, and the line's running number of it."""

    at_ns: int
    line: int
    closing: bool
    number: int


def parse_edges(data: bytes) -> Iterator[Edge]:
    """Return the edges in bytes read from the kernel.

    Raises:
        RefusalError: the bytes are not whole events, or an event is of an unknown kind.
    """
    if len(data) % EVENT_BYTES:
        raise RefusalError(f"{len(data)} bytes are not whole events of {EVENT_BYTES} bytes")
    for at_ns, kind, line, _, number in _EVENT.iter_unpack(data):
        if kind not in {CLOSING, OPENING}:
            raise RefusalError(f"an edge of kind {kind}; the kernel reports {CLOSING} and {OPENING}")
        yield Edge(at_ns=at_ns, line=line, closing=kind == CLOSING, number=number)


class PulseCounter:
    """Counts the pulses of one line; the contact must have rested for `debounce_ms` before a pulse."""

    def __init__(self, debounce_ms: int, total: int = 0) -> None:
        self.total = total
        self.lost_edges = 0
        self._rest_ns = debounce_ms * _NS_PER_MS
        self._last_ns: int | None = None
        self._last_number: int | None = None

    def feed(self, edge: Edge) -> None:
        """Take the next edge of the line."""
        rested = self._last_ns is None or edge.at_ns - self._last_ns >= self._rest_ns
        if edge.closing and rested:
            self.total += 1
        if self._last_number is not None:
            self.lost_edges += max(0, edge.number - self._last_number - 1)
        self._last_ns, self._last_number = edge.at_ns, edge.number

    def reopen(self) -> None:
        """Forget the last edge: the line was opened anew, its numbers begin again."""
        self._last_ns = self._last_number = None
