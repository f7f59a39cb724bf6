"""Modbus TCP meters on pymodbus servers: several unit ids behind one port, registers computed at each read.

Faults known here are dead, refuse, frozen and offset: a late answer would take the transaction number of the next
request inside pymodbus, which no real meter does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.simulation.devices.description import Line
from tests.simulation.devices.dial import Dial, ExchangeLog, Look, listening_address
from tests.simulation.devices.modbus_models import MODELS, SPACE

_HEADER = 7
_UNIT_AT = 6


class _Trace:
    """Pairs requests and answers as they pass the socket, logs them, and holds back those of dead meters."""

    def __init__(self, units: Mapping[int, Dial], log: ExchangeLog) -> None:
        self._units = units
        self._log = log
        self._requests: dict[bytes, bytes] = {}
        self.looks: dict[int, Look] = {}

    def packet(self, sending: bool, data: bytes) -> bytes:  # noqa: FBT001 - the signature is pymodbus's
        if not sending:
            self._requests[data[:2]] = data
            return data
        unit = data[_UNIT_AT]
        request = self._requests.pop(data[:2], b"")
        look = self.looks.get(unit)
        if unit not in self._units or look is None:
            return data
        if look.fault("dead"):
            return b""
        self._write(self._units[unit], look, request, data)
        return data

    def _write(self, dial: Dial, look: Look, request: bytes, response: bytes) -> None:
        body = request[_HEADER:]
        start, count = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
        refused = bool(response[_HEADER] & 0x80)
        model = MODELS[dial.meter.model]
        self._log.write(
            line=dial.line.line,
            meter=dial.meter.serial,
            at=look.at.isoformat(),
            values={} if refused else model.read_back(look.shown, start, count),
            refused=refused,
            request=request.hex(),
            response=response.hex(),
        )


@asynccontextmanager
async def modbus_tcp_line(line: Line, dials: Sequence[Dial], log: ExchangeLog) -> AsyncIterator[str]:
    """Serve the meters of a line; yields the address in use, host:port."""
    host, _, port = line.listen.rpartition(":")
    units = {int(dial.meter.address): dial for dial in dials}
    trace = _Trace(units, log)
    devices = [_Unit(unit, dial, trace).device() for unit, dial in units.items()]
    server = ModbusTcpServer(devices, address=(host, int(port)), trace_packet=trace.packet)
    async with asyncio.timeout(10):
        await server.serve_forever(background=True)
    try:
        yield listening_address(server.transport)
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


class _Unit:
    """One meter behind the port."""

    def __init__(self, unit: int, dial: Dial, trace: _Trace) -> None:
        self._unit = unit
        self._dial = dial
        self._trace = trace

    def device(self) -> SimDevice:
        """Return the meter as pymodbus wants it: empty registers, filled at each read."""
        blank = SimData(0, count=SPACE, values=0, datatype=DataType.REGISTERS)
        return SimDevice(self._unit, simdata=[blank], action=self._fill)

    async def _fill(
        self,
        function: int,
        start_address: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Write the registers of this instant into the server's memory; refuse writes and the wrong function."""
        look = self._trace.looks[self._unit] = self._dial.look()
        model = MODELS[self._dial.meter.model]
        if values is not None or function != model.function:
            return ExcCodes.ILLEGAL_FUNCTION
        if look.fault("refuse"):
            return ExcCodes.DEVICE_FAILURE
        image = model.image(look.shown)
        for n in range(address, address + count):
            registers[n - start_address] = image.get(n, 0)
        return None
