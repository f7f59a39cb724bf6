"""Opens input lines of a GPIO chip for edges, by the kernel's character device (version 2 of its interface).

S0 outputs and reed contacts pull the line to ground, so lines are asked for with a pull-up, active low, and both
edges. The chip is given by its path, a line by its offset on the chip. One owner a line: the kernel refuses a second.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Sequence

from common.errors import ensure
from edge.transport.line import LinkLostError

LINES_MOST = 64
EVENTS_WAITING = 1_024
_GET_LINE = 0xC250B407  # _IOWR(0xB4, 7, 592 bytes)
_INPUT, _ACTIVE_LOW, _BOTH_EDGES, _PULL_UP = 1 << 2, 1 << 1, 1 << 4 | 1 << 5, 1 << 8
_REQUEST = struct.Struct("=64I32sQI20x240xII20xi")
_CONSUMER = b"gatehouse"


def open_pulse_lines(path: str, lines: Sequence[int]) -> int:
    """Return a descriptor from which the edges of the lines are read, without blocking.

    Raises:
        LinkLostError: there is no such chip or line, or another program holds it.
    """
    ensure(0 < len(lines) <= LINES_MOST, f"a chip gives 1..{LINES_MOST} lines at once")
    flags = _INPUT | _ACTIVE_LOW | _BOTH_EDGES | _PULL_UP
    offsets = [*lines, *([0] * (LINES_MOST - len(lines)))]
    request = bytearray(_REQUEST.pack(*offsets, _CONSUMER, flags, 0, len(lines), EVENTS_WAITING, -1))
    try:
        chip = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(chip, _GET_LINE, request, True)  # noqa: FBT003 - the answer comes back in the buffer
        finally:
            os.close(chip)
    except OSError as problem:
        raise LinkLostError(
            f"pulse lines {sorted(lines)} of {path} cannot be opened ({problem}); check the chip, the line numbers "
            "and that no other program holds them"
        ) from problem
    descriptor: int = _REQUEST.unpack(request)[-1]
    os.set_blocking(descriptor, False)
    return descriptor
