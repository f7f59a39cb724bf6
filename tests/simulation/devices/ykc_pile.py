"""A 云快充 pile over real TCP with the habits of real ones: CRC in either order, records repeated until confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from edge.protocol.ykc import make_frame, make_time, parse_frame

ANSWER_S = 5


@dataclass(slots=True)
class YkcPile:
    """One pile with one gun."""

    number: str
    port: int
    crc_high_first: bool = False
    obeys: bool = True
    answers: dict[int, asyncio.Queue[bytes]] = field(default_factory=dict)
    writer: Any = None
    sequence: int = 0

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[YkcPile]:
        """Be connected while the block runs."""
        reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._listen(reader))
            try:
                yield self
            finally:
                task.cancel()
                self.writer.close()

    async def say(self, kind: int, body: bytes, answer: int | None = None) -> bytes:
        """Send a frame and return the body of the answer wanted."""
        self.sequence += 1
        data = make_frame(kind, body, self.sequence)
        self.writer.write(data[:-2] + data[-2:][::-1] if self.crc_high_first else data)
        await self.writer.drain()
        if answer is None:
            return b""
        async with asyncio.timeout(ANSWER_S):
            return await self.answers.setdefault(answer, asyncio.Queue()).get()

    async def login(self) -> bool:
        """Log in and return whether the platform let the pile in."""
        body = bytes.fromhex(self.number) + b"\x01\x01\x10" + b"V1".ljust(8, b"\x00") + b"\x00" + bytes(10) + b"\x04"
        return (await self.say(0x01, body, 0x02))[7] == 0

    async def ask_start(self, card: str) -> bytes | None:
        """Hold a card to the pile and return the number of the charge, None when it may not."""
        body = bytes.fromhex(self.number) + b"\x01\x01\x00" + bytes.fromhex(f"{card:0>16}") + bytes(33)
        answer = await self.say(0x31, body, 0x32)
        return answer[:16] if answer[36] == 1 else None

    async def real_time(self, transaction: bytes, energy: int, *, state: int = 3, plugged: bool = True) -> None:
        """Tell energy (ten-thousandths of a kWh) and state of the gun."""
        body = transaction + bytes.fromhex(self.number) + bytes([1, state, 2, plugged]) + bytes(19)
        await self.say(0x13, body + energy.to_bytes(4, "little") + bytes(10))
        await self.say(0x03, bytes.fromhex(self.number) + b"\x01\x00", 0x04)

    async def record(self, transaction: bytes, energy: int, start: datetime, end: datetime) -> bytes:
        """Tell a finished charge and return the confirmation."""
        parts = bytes(64)
        body = transaction + bytes.fromhex(self.number) + b"\x01" + make_time(start) + make_time(end) + parts
        body += bytes(10) + energy.to_bytes(4, "little") * 2 + bytes(4) + bytes(17) + b"\x01" + make_time(end)
        return await self.say(0x3B, body + b"\x40" + bytes(8), 0x40)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                head = await reader.readexactly(2)
                frame = parse_frame(head + await reader.readexactly(head[1] + 2))
            except asyncio.IncompleteReadError:
                return
            self.answers.setdefault(frame.kind, asyncio.Queue()).put_nowait(frame.body)
            if frame.kind == 0x34:
                await self.say(0x33, frame.body[:24] + bytes([self.obeys, 0]))
            elif frame.kind == 0x36:
                await self.say(0x35, frame.body[:8] + bytes([self.obeys, 0]))
