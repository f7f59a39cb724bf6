"""DL/T 645-2007 and CJ/T 188 meters behind a serial-to-TCP converter, with frame code of their own.

Written from the tables of the standards and apart from the gateway's codecs, so that a mistake shared by both cannot
hide: frames are cut by the length byte, digits are packed from text, and the sum runs over the body as a list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from tests.simulation.devices.bus import Answer, deliver
from tests.simulation.devices.description import Line
from tests.simulation.devices.dial import Dial, ExchangeLog, Look
from tests.support.streams import stream_server

ELECTRIC_MODELS = frozenset({"dlt645-2007-single-phase", "dlt645-2007-three-phase"})
WATER_MODELS = {"cjt188-water": "901f", "cjt188-water-low-first": "1f90", "cjt188-gas": "901f"}
WATER_TYPES = {"cjt188-water": "10", "cjt188-water-low-first": "10", "cjt188-gas": "30"}
_ELECTRIC_HEAD = 10
_WATER_HEAD = 11
_CHECK_AND_END = 2
_NO_SUCH_DATA = 0x02


def digits(count: int, size: int) -> bytes:
    """Return a count as decimal digits, two a byte, lowest byte first."""
    text = f"{count:0{2 * size}d}"
    return bytes.fromhex(text)[::-1]


def close_frame(body: bytes) -> bytes:
    """Return a frame body with its sum and end byte."""
    return bytes([*body, sum(list(body)) % 256, 0x16])


class _Station:
    """The meters behind one converter."""

    def __init__(self, dials: Sequence[Dial], log: ExchangeLog) -> None:
        self._dials = {dial.meter.address: dial for dial in dials}
        self._log = log

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one gateway's requests until it goes away."""
        pending = b""
        while data := await reader.read(1024):
            request, pending = _cut(pending + data)
            while request:
                answer = self._answer(request)
                if answer is not None:
                    await deliver(answer, request, writer.write, self._log)
                    await writer.drain()
                request, pending = _cut(pending)

    def _answer(self, request: bytes) -> Answer | None:
        if request[7] == request[0]:
            return self._electric(request)
        return self._water(request)

    def _electric(self, request: bytes) -> Answer | None:
        dial = self._dials.get(request[6:0:-1].hex())
        if dial is None or dial.meter.model not in ELECTRIC_MODELS or request[8] != 0x11:
            return None
        look = dial.look()
        identifier = bytes((byte - 0x33) % 256 for byte in request[10:14])
        content = None if look.fault("refuse") else electric_items(look).get(identifier[::-1].hex())
        head = request[:8]
        if content is None:
            body = head + bytes([0xD1, 1, _NO_SUCH_DATA + 0x33])
            return Answer(dial=dial, look=look, frame=close_frame(body), values={}, refused=True)
        quantities, raw = content
        data = bytes((byte + 0x33) % 256 for byte in identifier + raw)
        frame = b"\xfe\xfe\xfe\xfe" + close_frame(head + bytes([0x91, len(data)]) + data)
        return Answer(dial=dial, look=look, frame=frame, values=quantities)

    def _water(self, request: bytes) -> Answer | None:
        dial = self._dials.get(request[8:1:-1].hex())
        if dial is None or request[9] != 0x01 or dial.meter.model not in WATER_MODELS:
            return None
        model = dial.meter.model
        if request[1:2].hex() != WATER_TYPES[model] or request[11:13].hex() != WATER_MODELS[model]:
            return None
        look = dial.look()
        head = request[:9]
        if look.fault("refuse"):
            body = head + bytes([0xC1, 3, request[13], 0, 0])
            return Answer(dial=dial, look=look, frame=close_frame(body), values={}, refused=True)
        hundredths = look.shown["volume"] // 10
        clock = look.at
        moment = (clock.second, clock.minute, clock.hour, clock.day, clock.month, clock.year % 100, clock.year // 100)
        data = digits(hundredths, 4) + b"\x2c" + digits(0, 4) + b"\x2c" + b"".join(digits(n, 1) for n in moment)
        body = head + bytes([0x81, 0x16]) + request[11:14] + data + b"\x00\x00"
        frame = b"\xfe\xfe" + close_frame(body)
        return Answer(dial=dial, look=look, frame=frame, values={"volume": hundredths * 10})


def electric_items(look: Look) -> dict[str, tuple[dict[str, int], bytes]]:
    """Return what each identifier answers: the values a right reader gets, and their bytes."""
    total = look.shown["energy_forward"] // 10
    tariffs = [look.shown[f"energy_t{n}"] // 10 for n in (1, 2, 3, 4)]
    volts, watts = look.shown["voltage"] // 100, look.shown["power"]
    return {
        "00010000": ({"energy_forward": total * 10}, digits(total, 4)),
        "0001ff00": (
            {f"energy_t{n}": tariff * 10 for n, tariff in enumerate(tariffs, start=1)},
            digits(total, 4) + b"".join(digits(tariff, 4) for tariff in tariffs),
        ),
        "00020000": ({"energy_reverse": 0}, digits(0, 4)),
        "02010100": ({"voltage": volts * 100}, digits(volts, 2)),
        "0201ff00": ({"voltage": volts * 100}, digits(volts, 2) * 3),
        "02020100": ({"current": look.shown["current"]}, digits(look.shown["current"], 3)),
        "02030000": ({"power": watts}, digits(watts * 10, 3)),
    }


def _cut(pending: bytes) -> tuple[bytes, bytes]:
    """Return the first whole request and what follows it, or nothing and what must wait for more bytes."""
    while pending:
        if pending[0] != 0x68:
            pending = pending[1:]
            continue
        electric = len(pending) > 7 and pending[7] == 0x68
        head = _ELECTRIC_HEAD if electric else _WATER_HEAD
        if len(pending) < _WATER_HEAD:
            return b"", pending
        total = head + pending[head - 1] + _CHECK_AND_END
        if len(pending) < total:
            return b"", pending
        frame = pending[:total]
        if frame[-1] == 0x16 and sum(frame[:-2]) % 256 == frame[-2]:
            return frame, pending[total:]
        pending = pending[1:]
    return b"", pending


def converter_line(line: Line, dials: Sequence[Dial], log: ExchangeLog) -> AbstractAsyncContextManager[str]:
    """Serve the meters of a line; yields the address in use, host:port."""
    host, _, port = line.listen.rpartition(":")
    return stream_server(_Station(dials, log).talk, host, int(port))
