"""The farm: Modbus TCP meters whose registers count how often they were read; a process of its own.

    python -m tests.bench.edge.farm FIRST_PORT

Ten ports with twenty unit ids each, ten input registers a meter. Every register of a meter shows the number of times
it was read, so a missing number is a lost reading and a repeated one a double. A line on standard input is answered
with a line of JSON: reads by meter. The farm ends with its input.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys

from typing_extensions import override

PORTS = 10
UNITS = 20
METERS = PORTS * UNITS
REGISTERS = 10
READ_INPUT = 4
_REQUEST = struct.Struct(">HHHBBHH")
_HEADER = struct.Struct(">HHHBBB")
_ILLEGAL_ADDRESS = 2
_ERROR = 0x80


class Counts:
    """How often each register of each meter was read."""

    def __init__(self) -> None:
        self.reads: dict[tuple[int, int], list[int]] = {}

    def read(self, port: int, unit: int, start: int, count: int) -> list[int] | None:
        """Count one read of some registers and return what they show; None outside the map."""
        if start + count > REGISTERS or not 1 <= unit <= UNITS:
            return None
        registers = self.reads.setdefault((port, unit), [0] * REGISTERS)
        for n in range(start, start + count):
            registers[n] += 1
        return registers[start : start + count]

    def report(self) -> str:
        """Return the counts as JSON: `port/unit` to the reads of its first register."""
        return json.dumps({f"{port}/{unit}": registers[0] for (port, unit), registers in self.reads.items()})


class Port(asyncio.Protocol):
    """One connection to the meters behind a port."""

    def __init__(self, port: int, counts: Counts) -> None:
        self._port = port
        self._counts = counts
        self._waiting = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) >= _REQUEST.size:
            question, self._waiting = self._waiting[: _REQUEST.size], self._waiting[_REQUEST.size :]
            self._transport.write(self._answer(question))

    def _answer(self, question: bytes) -> bytes:
        transaction, _, _, unit, function, start, count = _REQUEST.unpack(question)
        shown = self._counts.read(self._port, unit, start, count) if function == READ_INPUT else None
        if shown is None:
            return _HEADER.pack(transaction, 0, 3, unit, function | _ERROR, _ILLEGAL_ADDRESS)
        body = struct.pack(f">{count}H", *(value & 0xFFFF for value in shown))
        return _HEADER.pack(transaction, 0, 3 + len(body), unit, function, len(body)) + body


async def serve(first_port: int, ports: int = PORTS) -> None:
    """Serve until the input ends."""
    counts, loop = Counts(), asyncio.get_running_loop()
    servers = [
        await loop.create_server(lambda port=n: Port(port, counts), "127.0.0.1", first_port + n)  # type: ignore[misc]  # bound now
        for n in range(ports)
    ]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        sys.stdout.write(counts.report() + "\n")
        sys.stdout.flush()
    for server in servers:
        server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
