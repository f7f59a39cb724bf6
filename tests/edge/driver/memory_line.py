"""A byte line in memory: what is written goes to a bus function, whose answers arrive at their times."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from typing_extensions import override

from edge.transport.line import Line

Bus = Callable[[bytes], Iterable[tuple[float, bytes]]]


class _Wires(asyncio.WriteTransport):
    """The transport between the line under test and the bus."""

    def __init__(self, protocol: asyncio.Protocol, bus: Bus) -> None:
        super().__init__()
        self._protocol = protocol
        self._bus = bus

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        loop = asyncio.get_running_loop()
        for delay_s, answer in self._bus(bytes(data)):
            loop.call_later(delay_s, self._protocol.data_received, answer)

    @override
    def abort(self) -> None:
        self._protocol.connection_lost(None)


def memory_line(bus: Bus) -> Line:
    """Return a line to the bus."""

    async def connect(inbox: Callable[[], asyncio.Protocol]) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        protocol = inbox()
        return _Wires(protocol, bus), protocol

    return Line("memory", connect)
