"""A receipt printer that speaks ESC/POS on TCP: keeps the text, the codes and the cuts, answers what state it is in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

_FIXED = {b"\x1b@": 0, b"\x1c&": 0, b"\x1d!": 1, b"\x1ba": 1, b"\x1bd": 1, b"\x1dV": 2}


@dataclass(slots=True)
class ReceiptPrinter:
    """The printer; use it as a context."""

    paper: bool = True
    cover_open: bool = False
    text: str = ""
    cuts: int = 0
    codes: list[str] = field(default_factory=list)
    port: int = 0
    _server: Any = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        printed = b""
        while True:
            byte = await reader.read(1)
            if not byte:
                break
            if byte == b"\x10":
                asked = await reader.readexactly(2)
                writer.write(self._status(asked[1]))
                await writer.drain()
            elif byte in b"\x1b\x1c\x1d":
                await self._command(byte + await reader.readexactly(1), reader)
            else:
                printed += byte
                self.text = printed.decode("gb18030", errors="ignore").rstrip() + "\n"
        writer.close()

    def _status(self, asked: int) -> bytes:
        if asked == 2:
            return bytes([0x12 | (0x04 if self.cover_open else 0)])
        return bytes([0x12 | (0 if self.paper else 0x60)])

    async def _command(self, name: bytes, reader: asyncio.StreamReader) -> None:
        if name == b"\x1d(":
            _, low, high = await reader.readexactly(3)
            content = await reader.readexactly(low | high << 8)
            if content[:3] == b"1P0":
                self.codes.append(content[3:].decode())
            return
        await reader.readexactly(_FIXED[name])
        self.cuts += name == b"\x1dV"
