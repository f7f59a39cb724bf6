"""M-Bus slaves as the standard describes them, written apart from the gateway's link layer.

A slave knows its primary address, its identification and its telegrams. It acknowledges a reset and forgets which
telegram it sent; it is selected by its identification with F and FF as wildcards, and answers address FD only while it
is; asked with the frame count bit it saw last it repeats its telegram, asked with the other one it goes on.
"""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.streams import stream_server

ACK = b"\xe5"


def record(dif: str, vif: str, data: str) -> bytes:
    """Return a record of three pieces of hexadecimal text."""
    return bytes.fromhex(dif + vif + data)


def frame(control: int, address: int, body: bytes) -> bytes:
    """Return a long frame; the sum is taken over the list of its bytes."""
    inside = [control, address, *body]
    return bytes([0x68, len(inside), len(inside), 0x68, *inside, sum(inside) % 256, 0x16])


@dataclass(slots=True)
class Slave:
    """One meter. `identification` is serial, maker, version and medium as sent; `telegrams` are record bytes."""

    primary: int
    identification: bytes
    telegrams: Sequence[bytes]
    status: int = 0
    selected: bool = False
    bit: int | None = None
    at: int = 0
    access: int = 0
    sent: list[int] = field(default_factory=list)

    def greet(self) -> None:
        """Take a reset."""
        self.bit, self.at = None, 0

    def select(self, wanted: bytes) -> bool:
        """Take a selection; return whether it means this meter."""
        pairs = zip(wanted, self.identification, strict=True)
        self.selected = all(_fits(want, have, nibbles=n < 4) for n, (want, have) in enumerate(pairs))
        self.bit, self.at = None, 0
        return self.selected

    def telegram(self, bit: int) -> bytes:
        """Return the telegram that a request with a frame count bit gets."""
        if self.bit is not None and bit != self.bit:
            self.at = (self.at + 1) % len(self.telegrams)
        if self.bit != bit:
            self.access = (self.access + 1) % 256
        self.bit = bit
        self.sent.append(self.at)
        head = bytes([0x72, *self.identification, self.access, self.status, 0, 0])
        return frame(0x08, self.primary, head + self.telegrams[self.at])


def _fits(want: int, have: int, *, nibbles: bool) -> bool:
    if not nibbles:
        return want in {0xFF, have}
    return all(want >> shift & 15 in {15, have >> shift & 15} for shift in (0, 4))


@dataclass(slots=True)
class Segment:
    """The meters of one pair of wires; what two of them say at once is lost."""

    slaves: Sequence[Slave]

    def answer(self, request: bytes) -> bytes:
        """Return what the wires carry after a request; empty for silence."""
        if request[0] == 0x10:
            return self._short(request[1], request[2])
        if request[4:7] == bytes([0x73, 0xFD, 0x52]):
            chosen = [slave for slave in self.slaves if slave.select(request[7:15])]
            return ACK if len(chosen) == 1 else b""
        return b""

    def _short(self, control: int, address: int) -> bytes:
        if address == 0xFD and control == 0x40:
            for slave in self.slaves:
                slave.selected = False
            return b""
        meant = [slave for slave in self.slaves if (slave.selected if address == 0xFD else slave.primary == address)]
        if len(meant) != 1:
            return b""
        if control == 0x40:
            meant[0].greet()
            return ACK
        if control & ~0x20 == 0x5B:
            return meant[0].telegram(control >> 5 & 1)
        return b""


def cut(pending: bytes) -> tuple[bytes, bytes]:
    """Return the first whole request and what follows it, or nothing and what must wait for more bytes."""
    while pending and pending[0] not in {0x10, 0x68}:
        pending = pending[1:]
    size = 5 if pending[:1] == b"\x10" else 6 + pending[1] if len(pending) > 1 else 6
    return (pending[:size], pending[size:]) if 0 < size <= len(pending) else (b"", pending)


@asynccontextmanager
async def segment_on_tcp(segment: Segment) -> AsyncIterator[str]:
    """Serve a segment behind a TCP converter; yields host:port."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pending = b""
        while data := await reader.read(1024):
            request, pending = cut(pending + data)
            while request:
                writer.write(segment.answer(request))
                request, pending = cut(pending)

    async with stream_server(talk) as address:
        yield address


@asynccontextmanager
async def segment_on_pty(segment: Segment, link: Path) -> AsyncIterator[str]:
    """Serve a segment on a pseudo-terminal; yields the path that a gateway opens as its serial port."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    _point(link, os.ttyname(slave))
    pending = b""

    def readable() -> None:
        nonlocal pending
        request, pending = cut(pending + os.read(master, 4096))
        while request:
            os.write(master, segment.answer(request))
            request, pending = cut(pending)

    asyncio.get_running_loop().add_reader(master, readable)
    try:
        yield str(link)
    finally:
        asyncio.get_running_loop().remove_reader(master)
        _point(link, None)
        os.close(master)
        os.close(slave)


def _point(link: Path, target: str | None) -> None:
    """Let the link name the target, or remove it."""
    link.unlink(missing_ok=True)
    if target is not None:
        link.symlink_to(target)
