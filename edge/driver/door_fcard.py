"""FCARD door boards over TCP: told to open, answered or not. Their own event stream is not documented publicly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from common.errors import RefusalError
from edge.driver.door_events import DoorAnswer, DoorPost, Swipe
from edge.driver.gate_mqtt import split_address
from edge.driver.outcome import WireConfig, WireStats
from edge.protocol import fcard

ANSWER_S_MOST = 3.0
FRAME_BYTES_MOST = 4_096
_END = b"\x7e"


class FcardWire:
    """The owner of the connections to FCARD boards; one is opened for each command, as the boards allow few."""

    def __init__(self, config: WireConfig, posts: Iterable[DoorPost]) -> None:
        self._config = config
        self._posts = {post.door: post for post in posts}
        self._number = 0
        self.stats = WireStats()

    async def run(self) -> None:
        """Do nothing until cancelled: boards are connected to when something is to be told."""
        await asyncio.Event().wait()

    async def events(self) -> AsyncIterator[Swipe]:
        """Return nothing, ever."""
        await asyncio.Event().wait()
        yield Swipe(door="", card="", board="", index=0, let_in=False)

    async def open_door(self, door: str) -> DoorAnswer:
        """Open a door and wait for the board's answer to this very message."""
        post = self._posts[door]
        self._number += 1
        self.stats.exchanges += 1
        told = fcard.open_door(post.board, fcard.NO_PASSWORD, self._number, post.number)
        try:
            async with asyncio.timeout(ANSWER_S_MOST):
                reader, writer = await asyncio.open_connection(*split_address(post.address), limit=FRAME_BYTES_MOST)
                try:
                    writer.write(told)
                    await writer.drain()
                    answer = await self._answer(reader)
                finally:
                    writer.close()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self.stats.timeouts += 1
            return DoorAnswer.UNKNOWN
        self.stats.answers += 1
        return answer

    async def _answer(self, reader: asyncio.StreamReader) -> DoorAnswer:
        while True:
            await reader.readuntil(_END)
            frame = _END + await reader.readuntil(_END)
            try:
                parsed = fcard.parse_frame(frame)
            except RefusalError:
                self.stats.checksum_errors += 1
                continue
            if parsed.number == self._number:
                return DoorAnswer.OPENED if parsed.control[:2] == fcard.DONE else DoorAnswer.REFUSED
            self.stats.late_frames += 1
