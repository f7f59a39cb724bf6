"""A byte line to meters: a serial port, or a TCP connection to a serial converter; bytes in, bytes out, no protocol.

Invariants: one line object owns the port (serial ports are opened exclusively); opening is bounded in time and failing
is an answer, never a hang; what nobody has read is bounded and can be dropped; a line that broke is closed at once and
opens again on the next call, not earlier than its back-off allows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from typing_extensions import override

from common.errors import RefusalError

OPEN_S_MOST = 5.0
CLOSE_S_MOST = 5.0
RETRY_FIRST_S = 1.0
RETRY_MOST_S = 30.0
INBOX_BYTES_MOST = 65_536
_log = structlog.get_logger()


class LinkLostError(RefusalError):
    """The line is not there: it could not be opened, or it broke."""


class ByteLine(Protocol):
    """What a wire owner needs of a line."""

    async def open(self) -> None:
        """Open the line unless it is open.

        Raises:
            LinkLostError: it cannot be opened now.
        """
        ...

    async def write(self, data: bytes) -> None:
        """Hand bytes to the line.

        Raises:
            LinkLostError: the line broke.
        """
        ...

    async def read(self, seconds_most: float) -> bytes:
        """Return the bytes that came, waiting for the first ones no longer than given; empty on silence.

        Raises:
            LinkLostError: the line broke.
        """
        ...

    def drop_input(self) -> bytes:
        """Forget and return what came and was not read."""
        ...

    async def close(self) -> None:
        """Release the line; a later open starts anew."""
        ...


class _Inbox(asyncio.Protocol):
    """Collects what a transport delivers; keeps the newest bytes when nobody reads."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.lost = False
        self.arrived = asyncio.Event()
        self.closed = asyncio.Event()

    @override
    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) > INBOX_BYTES_MOST:
            del self.buffer[:-INBOX_BYTES_MOST]
        self.arrived.set()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.arrived.set()
        self.closed.set()


Opener = Callable[[Callable[[], _Inbox]], Awaitable[tuple[asyncio.BaseTransport, asyncio.BaseProtocol]]]


class Line:
    """A `ByteLine` over any asyncio transport."""

    def __init__(self, name: str, opener: Opener) -> None:
        self._name = name
        self._opener = opener
        self._transport: asyncio.WriteTransport | None = None
        self._inbox = _Inbox()
        self._retry_s = RETRY_FIRST_S
        self._retry_at = 0.0

    async def open(self) -> None:
        """Open the line unless it is open; refuses at once while a failed attempt is still recent."""
        if self._transport is not None and not self._inbox.lost:
            return
        await self.close()
        loop = asyncio.get_running_loop()
        if loop.time() < self._retry_at:
            raise LinkLostError(f"line {self._name} is down; the next attempt follows")
        try:
            async with asyncio.timeout(OPEN_S_MOST):
                transport, inbox = await self._opener(_Inbox)
        except (OSError, TimeoutError) as problem:
            self._retry_at = loop.time() + self._retry_s
            self._retry_s = min(2 * self._retry_s, RETRY_MOST_S)
            raise LinkLostError(f"line {self._name} cannot be opened ({problem}); check cable and address") from problem
        if not isinstance(transport, asyncio.WriteTransport) or not isinstance(inbox, _Inbox):
            raise LinkLostError(f"line {self._name} gave no byte transport")
        self._transport, self._inbox = transport, inbox
        self._retry_s, self._retry_at = RETRY_FIRST_S, 0.0

    async def write(self, data: bytes) -> None:
        """Hand bytes to the line."""
        transport = self._connected()
        try:
            transport.write(data)
        except OSError as problem:  # pulled this very moment: the port says so before the inbox does
            raise LinkLostError(f"line {self._name} broke ({problem})") from problem

    async def read(self, seconds_most: float) -> bytes:
        """Return the bytes that came, waiting for the first ones no longer than given."""
        inbox = self._inbox
        if not inbox.buffer and not inbox.lost:
            inbox.arrived.clear()
            try:
                async with asyncio.timeout(max(seconds_most, 0.0)):
                    await inbox.arrived.wait()
            except TimeoutError:
                return b""
        if not inbox.buffer:
            self._connected()
        return self.drop_input()

    def drop_input(self) -> bytes:
        """Forget and return what came and was not read."""
        data = bytes(self._inbox.buffer)
        self._inbox.buffer.clear()
        return data

    async def close(self) -> None:
        """Release the line; once this returns the port is free for another, unless the system holds it for long."""
        transport, self._transport = self._transport, None
        if transport is None:
            return
        transport.abort()
        try:
            async with asyncio.timeout(CLOSE_S_MOST):
                await self._inbox.closed.wait()
        except TimeoutError:
            _log.warning("line_closes_slowly", line=self._name)

    def _connected(self) -> asyncio.WriteTransport:
        if self._transport is None or self._inbox.lost:
            raise LinkLostError(f"line {self._name} broke")
        return self._transport


def serial_line(path: str, baud: int, parity: str) -> Line:
    """Return the line of a serial port, 8 data bits and 1 stop bit, opened exclusively."""
    import serialx  # noqa: PLC0415 - for sites with serial lines

    kind = serialx.Parity[parity.upper()]

    async def connect(inbox: Callable[[], _Inbox]) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        loop = asyncio.get_running_loop()
        try:
            return await serialx.create_serial_connection(loop, inbox, path, baudrate=baud, parity=kind, exclusive=True)
        except serialx.SerialException as problem:
            raise OSError(str(problem)) from problem

    return Line(path, connect)


def tcp_line(host: str, port: int) -> Line:
    """Return the line behind a serial-to-TCP converter."""

    async def connect(inbox: Callable[[], _Inbox]) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        return await asyncio.get_running_loop().create_connection(inbox, host, port)

    return Line(f"{host}:{port}", connect)
