"""UHPPOTE door boards: one UDP port of ours that hears their events and tells them to open.

Invariants: a board is told every minute where to send its events, so one that was replaced or reset finds us again; a
message that cannot be understood, or comes from no board of the site, is counted and the others go on; the queue is
bounded and a full one drops the newest event, which the board repeats.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import structlog
from typing_extensions import override

from common.errors import RefusalError
from edge.driver.door_events import DoorAnswer, DoorPost, Swipe
from edge.driver.gate_mqtt import split_address
from edge.driver.outcome import WireConfig, WireStats
from edge.protocol import uhppote
from edge.protocol.uhppote import Function

EVENTS_WAITING_MOST = 1_000
ANSWER_S_MOST = 2.0
LISTENER_S = 60.0
AUTO_SEND_S = 10
_LOG = structlog.get_logger()


class UhppoteWire(asyncio.DatagramProtocol):
    """The owner of the port."""

    def __init__(self, config: WireConfig, posts: Iterable[DoorPost]) -> None:
        self._config = config
        self._host, self._port = split_address(config.address)
        self._posts = {post.door: post for post in posts}
        self._doors = {(int(post.board), post.number): post.door for post in self._posts.values()}
        self._boards = {int(post.board): split_address(post.address) for post in self._posts.values()}
        self._events: asyncio.Queue[Swipe] = asyncio.Queue(EVENTS_WAITING_MOST)
        self._answers: dict[int, asyncio.Future[bool]] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self.stats = WireStats()
        self.bound = asyncio.Event()
        self.port = self._port

    async def run(self) -> None:
        """Hold the port until cancelled."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self._host, self._port))
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]
        self.bound.set()
        try:
            while True:
                for board, address in self._boards.items():
                    told = uhppote.set_listener(board, self._host, self.port, AUTO_SEND_S)
                    transport.sendto(told, address)
                await asyncio.sleep(LISTENER_S)
        finally:
            transport.close()
            self.bound.clear()

    async def events(self) -> AsyncIterator[Swipe]:
        """Return the cards at the doors as they come."""
        while True:
            yield await self._events.get()

    async def open_door(self, door: str) -> DoorAnswer:
        """Open a door and wait for its board; one question at a time for each board."""
        post = self._posts[door]
        board = int(post.board)
        if self._transport is None or board in self._answers:
            return DoorAnswer.UNKNOWN
        answer = self._answers[board] = asyncio.get_running_loop().create_future()
        self.stats.exchanges += 1
        self._transport.sendto(uhppote.open_door(board, post.number), self._boards[board])
        try:
            async with asyncio.timeout(ANSWER_S_MOST):
                opened = await answer
        except TimeoutError:
            self.stats.timeouts += 1
            return DoorAnswer.UNKNOWN
        finally:
            del self._answers[board]
        self.stats.answers += 1
        return DoorAnswer.OPENED if opened else DoorAnswer.REFUSED

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            function, board = uhppote.controller_of(data)
            self._require_known(board)
            if function == Function.OPEN_DOOR:
                waiting = self._answers.get(board)
                if waiting is not None and not waiting.done():
                    waiting.set_result(uhppote.answered(data))
            elif function == Function.STATUS:
                self._take(uhppote.parse_event(data))
        except RefusalError as problem:
            self.stats.bad_values += 1
            _LOG.warning("door_message_refused", wire=self._config.wire, sender=addr[0], reason=str(problem))

    def _require_known(self, board: int) -> None:
        if board not in self._boards:
            raise RefusalError(f"board {board} is not of the site; add it to the site first")

    def _take(self, event: uhppote.BoardEvent) -> None:
        door = self._doors.get((event.controller, event.door))
        if door is None or event.card == 0:
            return
        swipe = Swipe(
            door=door, card=str(event.card), board=str(event.controller), index=event.index, let_in=event.granted
        )
        try:
            self._events.put_nowait(swipe)
        except asyncio.QueueFull:
            self.stats.backed_off += 1
