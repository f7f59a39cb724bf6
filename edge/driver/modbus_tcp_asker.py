"""Asks Modbus TCP meters through pymodbus; the only file that knows its names and errors.

Invariants: pymodbus neither retries nor reconnects on its own here; the raw frames are taken from its trace and the
answer is compared once more with the question (transaction, unit, function, length), because the library lets an
answer of transaction 0 pass; a connection that stopped answering is opened anew.
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
from edge.protocol.modbus_rtu import EXCEPTION_FLAG, EXCEPTION_MEANINGS, HOLDING_REGISTERS, RegisterQuestion
from edge.transport.line import RETRY_FIRST_S, RETRY_MOST_S

CONNECT_S_MOST = 5.0
TIMEOUTS_BEFORE_REOPEN = 5
_HEADER_BYTES = 7
_TRANSACTION = slice(0, 2)
_LENGTH = slice(4, 6)
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
        question = register_questions(block, device.address)[0]
        return await self._exchange(client, question, profile.timing.answer_ms / 1000)

    async def close(self) -> None:
        """Release the connection."""
        client, self._client = self._client, None
        if client is not None:
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
            return self._timeout()
        except ModbusException as problem:
            await self.close()
            return BlockFailure(kind=FailureKind.LINK_LOST, detail=str(problem), exchange=self._exchange_bytes(b""))
        self._timeouts_in_a_row = 0
        return self._judge(question)

    def _judge(self, question: RegisterQuestion) -> BlockData | BlockFailure:
        """Return what the frame with the question's own transaction number says."""
        frame = own_frame(self._trace.sent, bytes(self._trace.received))
        exchange = self._exchange_bytes(frame)
        body = frame[_HEADER_BYTES:]
        if body[:1] == bytes([question.function | EXCEPTION_FLAG]) and len(body) > 1:
            self._stats.refusals += 1
            meaning = EXCEPTION_MEANINGS.get(body[1], f"exception {body[1]}")
            return BlockFailure(kind=FailureKind.REFUSED, detail=meaning, exchange=exchange)
        data = body[2:]
        if body[:2] != bytes([question.function, 2 * question.count]) or len(data) != 2 * question.count:
            self._stats.foreign_frames += 1
            detail = "the answer does not fit the question; is another master behind the same gateway?"
            return BlockFailure(kind=FailureKind.BAD_FRAME, detail=detail, exchange=exchange)
        self._stats.answers += 1
        return BlockData(data=data, exchange=exchange)

    def _timeout(self) -> BlockFailure:
        self._stats.timeouts += 1
        self._timeouts_in_a_row += 1
        return BlockFailure(
            kind=FailureKind.TIMEOUT,
            detail="no answer in time; check the unit id and the meter behind the gateway",
            exchange=self._exchange_bytes(bytes(self._trace.received)),
        )

    def _exchange_bytes(self, response: bytes) -> Exchange:
        return Exchange(request=self._trace.sent, response=response)


def own_frame(sent: bytes, received: bytes) -> bytes:
    """Return the received frame of the sent frame's transaction and unit, or nothing."""
    while len(received) > _HEADER_BYTES:
        total = 6 + int.from_bytes(received[_LENGTH])
        frame, received = received[:total], received[total:]
        if frame[_TRANSACTION] == sent[_TRANSACTION] and frame[6:7] == sent[6:7] and len(frame) == total:
            return frame
    return b""
