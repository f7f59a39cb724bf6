"""Asks Modbus TCP meters: one question at a time on one connection, each answer compared with it byte by byte.

Invariants: an answer counts only with the transaction, unit, function and length of the very question; transactions are
numbered on across connections, because a converter may keep an answer from the connection before; a connection is given
up when its stream is torn, when half a frame stands in it before a question, and when it stopped answering.
"""

from __future__ import annotations

import asyncio

from common.errors import InvariantError
from edge.device.model import Profile
from edge.device.plan import Block, RegisterBlock
from edge.driver.asking import BlockData, BlockFailure
from edge.driver.outcome import DeviceConfig, Exchange, FailureKind, WireStats
from edge.driver.questions import register_questions
from edge.protocol.codec import Answered, Foreign, Noise, Refused
from edge.protocol.modbus_rtu import RegisterQuestion
from edge.protocol.modbus_tcp import TRANSACTION_MOST, match_stream, request, settles, split_frames
from edge.transport.line import RETRY_FIRST_S, RETRY_MOST_S
from edge.transport.question_socket import Ending, QuestionSocket

TIMEOUTS_BEFORE_REOPEN = 5


class ModbusTcpAsker:
    """The owner of one Modbus TCP connection; many units may stand behind it."""

    def __init__(self, host: str, port: int, stats: WireStats) -> None:
        self._host = host
        self._port = port
        self._stats = stats
        self._socket: QuestionSocket | None = None
        self._questions: dict[tuple[str, int, int, int], RegisterQuestion] = {}
        self._transaction = 0
        self._timeouts_in_a_row = 0
        self._retry_s = RETRY_FIRST_S
        self._retry_at = 0.0

    async def ask(self, profile: Profile, device: DeviceConfig, block: Block) -> BlockData | BlockFailure:
        """Ask one block of a device."""
        if not isinstance(block, RegisterBlock):
            raise InvariantError("Modbus TCP is asked registers only; the site check lets nothing else through")
        socket = await self._connected()
        if socket is None:
            return BlockFailure(
                kind=FailureKind.LINK_LOST,
                detail=f"{self._host}:{self._port} cannot be reached; check cable and address",
            )
        question = self._question(block, device.address)
        self._transaction = self._transaction % TRANSACTION_MOST + 1
        sent = request(self._transaction, question)
        self._stats.exchanges += 1
        ending = await socket.ask(sent, profile.timing.answer_ms / 1000)
        received = socket.take()
        if ending is Ending.SETTLED:
            self._timeouts_in_a_row = 0
            return await self._judge(question, sent, received)
        exchange = Exchange(request=sent, response=received)
        return await (self._lost(exchange) if ending is Ending.LOST else self._timeout(exchange))

    def _question(self, block: RegisterBlock, address: str) -> RegisterQuestion:
        """Return the question of a block, worked out once for each unit behind the connection."""
        key = (address, block.function, block.start, block.count)
        question = self._questions.get(key)
        if question is None:
            question = self._questions[key] = register_questions(block, address)[0]
        return question

    async def close(self) -> None:
        """Release the connection."""
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()
            await asyncio.sleep(0)

    async def _connected(self) -> QuestionSocket | None:
        """Return the open connection, or None while the other side is away."""
        if self._timeouts_in_a_row >= TIMEOUTS_BEFORE_REOPEN:
            self._timeouts_in_a_row = 0
            self._stats.reconnects += 1
            await self.close()
        socket = self._socket
        if socket is not None and socket.connected:
            if not socket.received or not split_frames(socket.received)[1]:
                return socket
            self._stats.reconnects += 1
        await self.close()
        loop = asyncio.get_running_loop()
        if loop.time() < self._retry_at:
            return None
        try:
            self._socket = await QuestionSocket.open(self._host, self._port, settles)
        except OSError:
            self._retry_at = loop.time() + self._retry_s
            self._retry_s = min(2 * self._retry_s, RETRY_MOST_S)
            return None
        self._retry_s, self._retry_at = RETRY_FIRST_S, 0.0
        return self._socket

    async def _judge(self, question: RegisterQuestion, sent: bytes, received: bytes) -> BlockData | BlockFailure:
        """Return what the received bytes say to the question; a torn stream is given up."""
        match = match_stream(received, sent, question)
        if isinstance(match, Answered):
            self._stats.answers += 1
            return BlockData(data=match.data, exchange=Exchange(request=sent, response=match.frame))
        if isinstance(match, Refused):
            self._stats.refusals += 1
            exchange = Exchange(request=sent, response=match.frame)
            return BlockFailure(kind=FailureKind.REFUSED, detail=match.meaning, exchange=exchange)
        self._stats.foreign_frames += isinstance(match, Foreign)
        self._stats.checksum_errors += isinstance(match, Noise)
        await self.close()
        detail = f"{match.reason}; is another master behind the same gateway?"
        exchange = Exchange(request=sent, response=received)
        return BlockFailure(kind=FailureKind.BAD_FRAME, detail=detail, exchange=exchange)

    async def _lost(self, exchange: Exchange) -> BlockFailure:
        await self.close()
        detail = f"{self._host}:{self._port} closed the connection; check the meter or converter there"
        return BlockFailure(kind=FailureKind.LINK_LOST, detail=detail, exchange=exchange)

    async def _timeout(self, exchange: Exchange) -> BlockFailure:
        """Count the silence; half a frame in the stream would pass for the start of the next answer."""
        self._stats.timeouts += 1
        self._timeouts_in_a_row += 1
        if split_frames(exchange.response)[1]:
            await self.close()
        detail = "no answer in time; check the unit id and the meter behind the gateway"
        return BlockFailure(kind=FailureKind.TIMEOUT, detail=detail, exchange=exchange)
