"""Door boards that speak the true protocols: a UHPPOTE board on UDP and an FCARD board on TCP, each with its lock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override


@dataclass(slots=True)
class UhppoteBoard(asyncio.DatagramProtocol):
    """One board: sends its events to whoever was set as listener, repeats the last, opens when told."""

    serial: int
    obeys: bool = True
    silent: bool = False
    opened: list[int] = field(default_factory=list)
    listener: tuple[str, int] | None = None
    port: int = 0
    _index: int = 0
    _last: bytes = b""
    _transport: Any = None

    async def start(self) -> UhppoteBoard:
        """Take a port."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    def stop(self) -> None:
        """Give the port back."""
        self._transport.close()

    def swipe(self, door: int, card: int) -> None:
        """Hold a card to a reader."""
        self._index += 1
        body = bytearray(64)
        body[0:2] = b"\x17\x20"
        body[4:8] = self.serial.to_bytes(4, "little")
        body[8:12] = self._index.to_bytes(4, "little")
        body[12:16] = bytes([1, 0, door, 1])
        body[16:20] = card.to_bytes(4, "little")
        body[20:28] = bytes.fromhex("20260105080000") + b"\x06"
        self._last = bytes(body)
        self.repeat()

    def repeat(self) -> None:
        """Send the last event again, as boards do every few seconds."""
        assert self.listener is not None
        self._transport.sendto(self._last, self.listener)

    def say(self, data: bytes) -> None:
        """Send any bytes to the listener."""
        assert self.listener is not None
        self._transport.sendto(data, self.listener)

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data[1] == 0x90:
            host = ".".join(str(byte) for byte in data[8:12])
            self.listener = host, int.from_bytes(data[12:14], "little")
            self._transport.sendto(data[:8] + b"\x01" + bytes(55), addr)
        elif data[1] == 0x40 and not self.silent:
            if self.obeys:
                self.opened.append(data[8])
            self._transport.sendto(data[:8] + bytes([self.obeys]) + bytes(55), addr)


@dataclass(slots=True)
class FcardBoard:
    """One board: answers a whole, sound frame, and opens when the frame says so."""

    serial: str
    obeys: bool = True
    noise: bytes = b""
    opened: list[int] = field(default_factory=list)
    port: int = 0
    _server: Any = None

    async def start(self) -> FcardBoard:
        """Take a port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def stop(self) -> None:
        """Give the port back."""
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\x7e")
        body = (await reader.readuntil(b"\x7e"))[:-1].replace(b"\x7f\x01", b"\x7e").replace(b"\x7f\x02", b"\x7f")
        sound = sum(body[:-1]) & 0xFF == body[-1] and body[:16].decode() == self.serial
        if sound and body[24:27] == b"\x03\x03\x00":
            doors = [door for door, wanted in enumerate(body[31:35], 1) if wanted]
            self.opened += doors if self.obeys else []
            answer = body[:24] + (b"\x21\x01\x00" if self.obeys else b"\x21\x02\x00") + bytes(4)
            answer += bytes([sum(answer) & 0xFF])
            writer.write(
                self.noise + b"\x7e" + answer.replace(b"\x7f", b"\x7f\x02").replace(b"\x7e", b"\x7f\x01") + b"\x7e"
            )
            await writer.drain()
        writer.close()
