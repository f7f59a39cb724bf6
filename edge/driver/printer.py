"""The kiosk's receipt printer over TCP 9100: asked whether it can print before it is given anything.

A receipt is sent once; what came of it is said, never guessed.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum

from edge.driver.gate_mqtt import split_address
from edge.protocol.escpos import ASK_COVER, ASK_PAPER, Readiness, readiness

ANSWER_S_MOST = 2.0
CONNECT_S_MOST = 3.0


class Printed(StrEnum):
    """What came of a receipt."""

    PRINTED = "printed"
    NO_PAPER = "no_paper"
    COVER_OPEN = "cover_open"
    SILENT = "silent"
    NONE = "none"  # the kiosk has no printer


class Printer:
    """The printer at an address, `host:port`; None where the kiosk has none."""

    def __init__(self, address: str | None) -> None:
        self._address = None if address is None else split_address(address)
        self._one_at_a_time = asyncio.Lock()

    async def print(self, data: bytes) -> Printed:
        """Print a receipt and return what came of it."""
        if self._address is None:
            return Printed.NONE
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(CONNECT_S_MOST):
                    reader, writer = await asyncio.open_connection(*self._address)
            except (TimeoutError, OSError):
                return Printed.SILENT
            try:
                return await self._print(reader, writer, data)
            finally:
                writer.close()

    async def _print(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> Printed:
        before = await self._readiness(reader, writer)
        if before is not Readiness.READY:
            return Printed(before.value)
        try:
            async with asyncio.timeout(ANSWER_S_MOST):
                writer.write(data)
                await writer.drain()
        except (TimeoutError, OSError):
            return Printed.SILENT
        after = await self._readiness(reader, writer)
        return Printed.PRINTED if after is Readiness.READY else Printed(after.value)

    async def _readiness(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Readiness:
        try:
            async with asyncio.timeout(ANSWER_S_MOST):
                writer.write(ASK_COVER)
                cover = await reader.readexactly(1)
                writer.write(ASK_PAPER)
                paper = await reader.readexactly(1)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            return Readiness.SILENT
        return readiness(cover, paper)
