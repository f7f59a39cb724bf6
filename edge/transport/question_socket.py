"""A TCP connection that carries one question at a time: bytes out, bytes in until they settle it; no protocol.

Invariants: opening is bounded in time; one timer serves all questions of a connection, however many there are, because
a timer of its own for each costs as much as the question; what came and settled nothing stays until the next question
asks for it, so that it can be judged; what nobody reads is bounded. Bytes are received into one buffer of the
connection's own: the loop would else take 256 KiB from the system for each answer, and a page of it would stay for as
long as the answer is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum, auto

from typing_extensions import override

OPEN_S_MOST = 5.0
RECEIVED_BYTES_MOST = 4_096
Settles = Callable[[bytes, bytes], bool]


class Ending(Enum):
    """How the waiting for an answer ended."""

    SETTLED = auto()
    TIMEOUT = auto()
    LOST = auto()


class QuestionSocket(asyncio.BufferedProtocol):
    """One connection; `settles` is given what came and what was asked, and says whether to go on waiting."""

    def __init__(self, settles: Settles) -> None:
        self._settles = settles
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.WriteTransport | None = None
        self._asked = b""
        self._answer: asyncio.Future[Ending] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._buffer = memoryview(bytearray(RECEIVED_BYTES_MOST))
        self.received = b""

    @classmethod
    async def open(cls, host: str, port: int, settles: Settles) -> QuestionSocket:
        """Connect.

        Raises:
            OSError: nobody answers there, or not in time (`TimeoutError`).
        """
        async with asyncio.timeout(OPEN_S_MOST):
            _, made = await asyncio.get_running_loop().create_connection(lambda: cls(settles), host, port)
        return made

    @property
    def connected(self) -> bool:
        """Return whether bytes can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, question: bytes, seconds: float) -> Ending:
        """Send a question and wait for what settles it; `received` then holds all that came since it was sent."""
        if self._transport is None:
            return Ending.LOST
        self._asked, self.received = question, b""
        answer: asyncio.Future[Ending] = self._loop.create_future()
        self._answer = answer
        self._transport.write(question)
        self._deadline = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._deadline:
            self._arm()
        try:
            return await answer
        finally:
            self._answer = None

    def take(self) -> bytes:
        """Return what came and begin anew, so that only what comes unasked stands in `received`."""
        received, self.received = self.received, b""
        return received

    def close(self) -> None:
        """Release the connection at once."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    @override
    def buffer_updated(self, nbytes: int) -> None:
        self.received += bytes(self._buffer[:nbytes])
        if len(self.received) > RECEIVED_BYTES_MOST:
            self.received = self.received[-RECEIVED_BYTES_MOST:]
        if self._answer is not None and self._settles(self.received, self._asked):
            self._end(Ending.SETTLED)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._end(Ending.LOST)

    def _end(self, ending: Ending) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(ending)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        """End the waiting when its time is over; rest when nothing is asked, until the next question."""
        self._timer = None
        if self._answer is None:
            return
        if self._loop.time() < self._deadline:
            self._arm()
        else:
            self._end(Ending.TIMEOUT)
