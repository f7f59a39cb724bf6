"""Heat and water meters on an M-Bus segment behind a TCP converter, showing what their dials show.

Each readout shows the dial at its reset, so the telegrams of one readout belong together; a heat meter sends its
power and flow in a second telegram. What a right reader must get is logged with every telegram.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from tests.simulation.devices.bus import Answer, deliver
from tests.simulation.devices.description import Line
from tests.simulation.devices.dial import Dial, ExchangeLog, Look
from tests.simulation.devices.mbus_slaves import ACK, cut, frame
from tests.support.streams import stream_server

MAKERS = {"kamstrup-multical-601": ("2d2c", "08", "04"), "itron-bm-plus-m": ("7704", "0e", "16")}
ERROR_REPORT = bytes.fromhex("7008")
Part = tuple[dict[str, int], bytes]


@dataclass(slots=True)
class _Session:
    """A readout in progress: the look it shows, the telegram it stands at and the last frame count bit."""

    look: Look
    at: int = 0
    bit: int | None = None


class _Segment:
    """The meters behind one converter."""

    def __init__(self, dials: Sequence[Dial], log: ExchangeLog) -> None:
        self._dials = {int(dial.meter.address): dial for dial in dials}
        self._log = log
        self._sessions: dict[int, _Session] = {}

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one gateway's requests until it goes away."""
        pending = b""
        while data := await reader.read(1024):
            request, pending = cut(pending + data)
            while request:
                await self._answer(request, writer)
                await writer.drain()
                request, pending = cut(pending)

    async def _answer(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        control, address = request[1], request[2]
        dial = self._dials.get(address)
        if request[0] != 0x10 or dial is None:
            return
        if control == 0x40:
            self._sessions[address] = _Session(dial.look())
            if not self._sessions[address].look.fault("dead"):
                writer.write(ACK)
        elif control & ~0x20 == 0x5B:
            await deliver(self._telegram(dial, address, control >> 5 & 1), request, writer.write, self._log)

    def _telegram(self, dial: Dial, address: int, bit: int) -> Answer:
        session = self._sessions.setdefault(address, _Session(dial.look()))
        parts = telegrams(dial.meter.model, session.look)
        if session.bit is not None and bit != session.bit:
            session.at = (session.at + 1) % len(parts)
        session.bit = bit
        if session.look.fault("refuse"):
            refusal = frame(0x08, address, ERROR_REPORT)
            return Answer(dial=dial, look=session.look, frame=refusal, values={}, refused=True)
        values, records = parts[session.at]
        maker, version, medium = MAKERS[dial.meter.model]
        head = bytes.fromhex("72" + f"{address:08x}" + maker + version + medium) + bytes([session.at, 0, 0, 0])
        more = b"\x1f" if session.at + 1 < len(parts) else b""
        body = frame(0x08, address, head + records + more)
        return Answer(dial=dial, look=session.look, frame=body, values=values)


def telegrams(model: str, look: Look) -> list[Part]:
    """Return the telegrams of a model: the values a right reader gets from each, and its records."""
    shown = look.shown
    if model == "itron-bm-plus-m":
        litres = shown["volume"]
        return [({"volume": litres}, bytes.fromhex("0413") + litres.to_bytes(4, "little"))]
    kilowatt_hours, hundred_watts = shown["heat_energy"] // 1000, shown["power"] // 100
    energy = bytes.fromhex("0406") + kilowatt_hours.to_bytes(4, "little")
    power = bytes.fromhex("042d") + hundred_watts.to_bytes(4, "little")
    return [({"heat_energy": kilowatt_hours * 1000}, energy), ({"power": hundred_watts * 100}, power)]


def mbus_line(line: Line, dials: Sequence[Dial], log: ExchangeLog) -> AbstractAsyncContextManager[str]:
    """Serve the meters of a line; yields the address in use, host:port."""
    host, _, port = line.listen.rpartition(":")
    return stream_server(_Segment(dials, log).talk, host, int(port))
