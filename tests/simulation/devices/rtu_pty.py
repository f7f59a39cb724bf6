"""Modbus RTU meters on a pseudo-terminal: a serial line with its own frame code, written from the specification."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.simulation.devices.bus import Answer, deliver
from tests.simulation.devices.description import Line
from tests.simulation.devices.dial import Dial, ExchangeLog
from tests.simulation.devices.modbus_models import MODELS

REQUEST_BYTES = 8
_COUNT_MOST = 125


def checksum(frame: bytes) -> bytes:
    """Return the CRC-16 of Modbus, bit by bit as in the specification's appendix."""
    register = 0xFFFF
    for byte in frame:
        register ^= byte
        for _ in range(8):
            carry = register & 1
            register >>= 1
            if carry:
                register ^= 0xA001
    return bytes([register % 256, register // 256])


class _Bus:
    """The meters of one line and the bytes that came in."""

    def __init__(self, master: int, dials: Sequence[Dial], log: ExchangeLog) -> None:
        self._master = master
        self._dials = {int(dial.meter.address): dial for dial in dials}
        self._log = log
        self._pending = bytearray()
        self.requests: asyncio.Queue[bytes] = asyncio.Queue(1000)

    def readable(self) -> None:
        """Take what came; called by the loop."""
        try:
            self._pending += os.read(self._master, 4096)
        except (BlockingIOError, OSError):
            return
        while len(self._pending) >= REQUEST_BYTES:
            candidate = bytes(self._pending[:REQUEST_BYTES])
            if checksum(candidate[:-2]) == candidate[-2:]:
                del self._pending[:REQUEST_BYTES]
                self.requests.put_nowait(candidate)
            else:
                del self._pending[0]

    async def serve(self) -> None:
        """Answer requests one after another, as meters on one pair of wires do."""
        while True:
            request = await self.requests.get()
            answer = self._answer(request)
            if answer is not None:
                await deliver(answer, request, self._write, self._log)

    def _answer(self, request: bytes) -> Answer | None:
        dial = self._dials.get(request[0])
        if dial is None:
            return None
        look = dial.look()
        model = MODELS[dial.meter.model]
        start, count = int.from_bytes(request[2:4]), int.from_bytes(request[4:6])
        if request[1] != model.function or look.fault("refuse") or not 0 < count <= _COUNT_MOST:
            body = bytes([request[0], request[1] | 0x80, 1])
            return Answer(dial=dial, look=look, frame=body + checksum(body), values={}, refused=True)
        image = model.image(look.shown)
        registers = b"".join(image.get(start + n, 0).to_bytes(2) for n in range(count))
        body = bytes([request[0], request[1], len(registers)]) + registers
        values = model.read_back(look.shown, start, count)
        return Answer(dial=dial, look=look, frame=body + checksum(body), values=values)

    def _write(self, data: bytes) -> None:
        os.write(self._master, data)


@asynccontextmanager
async def rtu_line(line: Line, dials: Sequence[Dial], log: ExchangeLog) -> AsyncIterator[str]:
    """Serve the meters of a line; yields the path that a gateway opens as its serial port."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    link = Path(line.link)
    _point(link, os.ttyname(slave))
    bus = _Bus(master, dials, log)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, bus.readable)
    try:
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(bus.serve())
            yield str(link)
            serving.cancel()
    finally:
        loop.remove_reader(master)
        _point(link, None)
        os.close(master)
        os.close(slave)


def _point(link: Path, target: str | None) -> None:
    """Let the link name the target, or remove it."""
    link.unlink(missing_ok=True)
    if target is not None:
        link.symlink_to(target)
