"""Asks Modbus TCP meters through pymodbus; the only file that knows its names and errors.

Invariants: pymodbus neither retries nor reconnects on its own here; the raw frames are taken from its trace and the
answer is compared once more with the question (transaction, unit, function, length), because the library lets an
answer of transaction 0 pass; a connection that stopped answering is opened anew, and transactions are numbered on
across connections, because a converter may keep an answer from the connection before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from common.errors import InvariantError
from edge.device.model import Profile
from edge.device.plan import Block, RegisterBlock
from edge.driver.asking import BlockData, BlockFailure
from edge.driver.outcome import DeviceConfig, Exchange, FailureKind, WireStats
from edge.driver.questions import register_questions
from edge.protocol.codec import Answered, Foreign, Noise, Refused
from edge.protocol.modbus_rtu import HOLDING_REGISTERS, RegisterQuestion
from edge.protocol.modbus_tcp import match_stream, split_frames
from edge.transport.line import RETRY_FIRST_S, RETRY_MOST_S

CONNECT_S_MOST = 5.0
TIMEOUTS_BEFORE_REOPEN = 5
_RECEIVED_BYTES_MOST = 4096


class _Trace:
    """The bytes of the exchange in progress, as pymodbus hands them to the socket and gets them."""

    def __init__(self) -> None:
        self.sent = b""
        self.received = bytearray()

    def note(self, sending: bool, data: bytes) -> bytes:  # noqa: FBT001 - the signature is pymodbus's
        """Keep a copy and pass the bytes on unchanged."""
        if sending:
            self.sent, self.received = data, bytearray()
        else:
            self.received += data
            del self.received[:-_RECEIVED_BYTES_MOST]
        return data


class ModbusTcpAsker:
    """The owner of one Modbus TCP connection; many units may stand behind it."""

    def __init__(self, host: str, port: int, stats: WireStats) -> None:
        self._host = host
        self._port = port
        self._stats = stats
        self._trace = _Trace()
        self._client: AsyncModbusTcpClient | None = None
        self._questions: dict[tuple[str, int, int, int], RegisterQuestion] = {}
        self._last_transaction = 0
        self._timeouts_in_a_row = 0
        self._retry_s = RETRY_FIRST_S
        self._retry_at = 0.0

    async def ask(self, profile: Profile, device: DeviceConfig, block: Block) -> BlockData | BlockFailure:
        """Ask one block of a device."""
        if not isinstance(block, RegisterBlock):
            raise InvariantError("Modbus TCP is asked registers only; the site check lets nothing else through")
        client = await self._connected()
        if client is None:
            return BlockFailure(
                kind=FailureKind.LINK_LOST,
                detail=f"{self._host}:{self._port} cannot be reached; check cable and address",
            )
        question = self._question(block, device.address)
        return await self._exchange(client, question, profile.timing.answer_ms / 1000)

    def _question(self, block: RegisterBlock, address: str) -> RegisterQuestion:
        """Return the question of a block, worked out once for each unit behind the connection."""
        key = (address, block.function, block.start, block.count)
        if key not in self._questions:
            self._questions[key] = register_questions(block, address)[0]
        return self._questions[key]

    async def close(self) -> None:
        """Release the connection."""
        client, self._client = self._client, None
        if client is not None:
            self._last_transaction = client.ctx.next_tid
            client.close()
            await asyncio.sleep(0)

    async def _connected(self) -> AsyncModbusTcpClient | None:
        """Return the open client, or None while the other side is away."""
        if self._timeouts_in_a_row >= TIMEOUTS_BEFORE_REOPEN:
            self._timeouts_in_a_row = 0
            self._stats.reconnects += 1
            await self.close()
        if self._client is not None and self._client.connected:
            return self._client
        await self.close()
        loop = asyncio.get_running_loop()
        if loop.time() < self._retry_at:
            return None
        client = AsyncModbusTcpClient(
            self._host,
            port=self._port,
            timeout=CONNECT_S_MOST,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._trace.note,
        )
        if await client.connect():
            client.ctx.next_tid = self._last_transaction
            # Connected: from here on the profile's time-out is the only one, and no second timer is set for each read.
            client.ctx.comm_params.timeout_connect = None  # type: ignore[assignment]  # `asyncio.wait_for` takes None
            self._client, self._retry_s = client, RETRY_FIRST_S
            return client
        client.close()
        self._retry_at = loop.time() + self._retry_s
        self._retry_s = min(2 * self._retry_s, RETRY_MOST_S)
        return None

    async def _exchange(
        self, client: AsyncModbusTcpClient, question: RegisterQuestion, answer_s: float
    ) -> BlockData | BlockFailure:
        self._trace.sent, self._trace.received = b"", bytearray()
        self._stats.exchanges += 1
        read: Callable[..., object] = (
            client.read_holding_registers if question.function == HOLDING_REGISTERS else client.read_input_registers
        )
        try:
            async with asyncio.timeout(answer_s):
                await read(question.start, count=question.count, device_id=question.unit)  # type: ignore[misc]
        except TimeoutError:
            return await self._timeout()
        except ModbusException as problem:
            await self.close()
            return BlockFailure(kind=FailureKind.LINK_LOST, detail=str(problem), exchange=self._exchange_bytes(b""))
        if _cancelled():
            raise asyncio.CancelledError
        self._timeouts_in_a_row = 0
        return await self._judge(question)

    async def _judge(self, question: RegisterQuestion) -> BlockData | BlockFailure:
        """Return what the received bytes say to the question; a torn stream is given up."""
        received = bytes(self._trace.received)
        match = match_stream(received, self._trace.sent, question)
        if isinstance(match, Answered):
            self._stats.answers += 1
            return BlockData(data=match.data, exchange=self._exchange_bytes(match.frame))
        if isinstance(match, Refused):
            self._stats.refusals += 1
            exchange = self._exchange_bytes(match.frame)
            return BlockFailure(kind=FailureKind.REFUSED, detail=match.meaning, exchange=exchange)
        self._stats.foreign_frames += isinstance(match, Foreign)
        self._stats.checksum_errors += isinstance(match, Noise)
        await self.close()
        detail = f"{match.reason}; is another master behind the same gateway?"
        return BlockFailure(kind=FailureKind.BAD_FRAME, detail=detail, exchange=self._exchange_bytes(received))

    async def _timeout(self) -> BlockFailure:
        """Count the silence; half a frame in the stream would pass for the start of the next answer."""
        self._stats.timeouts += 1
        self._timeouts_in_a_row += 1
        if split_frames(bytes(self._trace.received))[1]:
            await self.close()
        return BlockFailure(
            kind=FailureKind.TIMEOUT,
            detail="no answer in time; check the unit id and the meter behind the gateway",
            exchange=self._exchange_bytes(bytes(self._trace.received)),
        )

    def _exchange_bytes(self, response: bytes) -> Exchange:
        return Exchange(request=self._trace.sent, response=response)


def _cancelled() -> bool:
    """Return whether this task was told to end: Python 3.11 forgets it when the answer comes in the same moment."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
