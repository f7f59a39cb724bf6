"""Asks meters on a byte line: Modbus RTU, DL/T 645 and CJ/T 188 side by side, one question at a time.

Invariants: before a question the line is silent as the guard demands and what came meanwhile is dropped; an answer
counts only once the line has fallen silent behind it, so glued and doubled frames are seen whole; a line on which
nobody answers any more is reopened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TypeVar

from edge.device.model import Profile, ProtocolName
from edge.device.plan import Block, ItemBlock, RegisterBlock
from edge.driver.asking import BlockData, BlockFailure
from edge.driver.outcome import DeviceConfig, Exchange, FailureKind, WireStats
from edge.driver.questions import data_bytes_of, identifier_question, item_question, register_questions
from edge.protocol.cjt188 import SERIAL_MOST, Cjt188
from edge.protocol.codec import Answered, Codec, Refused
from edge.protocol.dlt645 import Dlt645
from edge.protocol.guard import LineGuard, Timing
from edge.protocol.modbus_rtu import ModbusRtu, RegisterQuestion
from edge.protocol.receiver import Receiver, Reception
from edge.transport.line import ByteLine, LinkLostError

QuestionT = TypeVar("QuestionT")
BITS_PER_CHARACTER = 11
SILENCE_CHARACTERS = 3.5
SILENCE_S_LEAST = 0.00175
FRAMING_BYTES_MOST = 32
TIMEOUTS_BEFORE_REOPEN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePace:
    """What follows from the speed of a line, in seconds."""

    character_s: float
    silence_s: float

    @classmethod
    def of_baud(cls, baud: int) -> LinePace:
        """Return the pace of a line speed: 11 bits a character, 3.5 characters of silence around a frame."""
        character_s = BITS_PER_CHARACTER / baud
        return cls(character_s=character_s, silence_s=max(SILENCE_CHARACTERS * character_s, SILENCE_S_LEAST))


class LineAsker:
    """The owner of a byte line."""

    def __init__(self, line: ByteLine, pace: LinePace, stats: WireStats, *, echo: bool) -> None:
        self._line = line
        self._pace = pace
        self._stats = stats
        self._echo = echo
        self._guard = LineGuard()
        self._serial = 0
        self._timeouts_in_a_row = 0

    async def ask(self, profile: Profile, device: DeviceConfig, block: Block) -> BlockData | BlockFailure:
        """Ask one block of a device."""
        timing = self._timing(profile, block)
        try:
            await self._open()
            if isinstance(block, RegisterBlock):
                question = self._freest(register_questions(block, device.address))
                return await self._exchange(ModbusRtu(), question, timing)
            return await self._ask_item(profile, device, block, timing)
        except LinkLostError as problem:
            await self._line.close()
            return BlockFailure(kind=FailureKind.LINK_LOST, detail=str(problem))

    async def close(self) -> None:
        """Release the line."""
        await self._line.close()

    async def _ask_item(
        self, profile: Profile, device: DeviceConfig, block: ItemBlock, timing: Timing
    ) -> BlockData | BlockFailure:
        if profile.protocol is ProtocolName.CJT188:
            self._serial = (self._serial + 1) % (SERIAL_MOST + 1)
            question = item_question(profile, block, device.address, self._serial)
            result = await self._exchange(Cjt188(), question, timing)
        else:
            result = await self._exchange(Dlt645(), identifier_question(profile, block, device.address), timing)
        if isinstance(result, BlockData) and len(result.data) != block.data_bytes:
            self._stats.bad_values += 1
            detail = f"{block.identifier} gave {len(result.data)} data bytes, the profile says {block.data_bytes}"
            return BlockFailure(kind=FailureKind.BAD_VALUE, detail=detail, exchange=result.exchange)
        return result

    async def _open(self) -> None:
        if self._timeouts_in_a_row >= TIMEOUTS_BEFORE_REOPEN:
            self._timeouts_in_a_row = 0
            self._stats.reconnects += 1
            await self._line.close()
        await self._line.open()

    def _freest(self, questions: tuple[RegisterQuestion, ...]) -> RegisterQuestion:
        """Return the form of a question that may be asked soonest."""
        codec = ModbusRtu()
        return min(questions, key=lambda question: self._guard.ready_at(codec.shape(question)))

    async def _exchange(self, codec: Codec[QuestionT], question: QuestionT, timing: Timing) -> BlockData | BlockFailure:
        request = codec.request(question)
        await self._rest(codec.shape(question))
        await self._line.write(request)
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        self._guard.asked(codec.shape(question), asked_at, timing)
        self._stats.exchanges += 1
        receiver = Receiver(codec, question, echo_of=request if self._echo else b"")
        reception = await self._receive(receiver, asked_at + timing.answer_s)
        self._count(reception)
        exchange = Exchange(request=request, response=receiver.received)
        if reception.verdict is None:
            self._guard.timed_out(asked_at, loop.time(), timing, self_identifying=codec.self_identifying)
            return self._no_answer(reception, exchange)
        self._guard.ended(loop.time(), timing)
        self._timeouts_in_a_row = 0
        return self._answer(reception.verdict, request)

    async def _rest(self, shape: Hashable) -> None:
        """Wait until the guard lets the question out, then forget what came since the last answer."""
        loop = asyncio.get_running_loop()
        wait_s = self._guard.ready_at(shape) - loop.time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        if self._line.drop_input():
            self._stats.late_frames += 1

    async def _receive(self, receiver: Receiver[QuestionT], deadline: float) -> Reception:
        """Feed the receiver until an answer stands with silence behind it, or the time is up."""
        loop = asyncio.get_running_loop()
        reception = receiver.examine(silent=False)
        while (left_s := deadline - loop.time()) > 0:
            settling = reception.verdict is not None
            data = await self._line.read(self._pace.silence_s if settling else left_s)
            if not data and settling:
                break
            receiver.feed(data)
            reception = receiver.examine(silent=False)
        return receiver.examine(silent=True)

    def _answer(self, verdict: Answered | Refused, request: bytes) -> BlockData | BlockFailure:
        exchange = Exchange(request=request, response=verdict.frame)
        if isinstance(verdict, Refused):
            self._stats.refusals += 1
            return BlockFailure(kind=FailureKind.REFUSED, detail=verdict.meaning, exchange=exchange)
        self._stats.answers += 1
        return BlockData(data=verdict.data, exchange=exchange)

    def _no_answer(self, reception: Reception, exchange: Exchange) -> BlockFailure:
        if reception.damaged_frames or reception.noise_bytes:
            return BlockFailure(
                kind=FailureKind.BAD_FRAME,
                detail="only damaged bytes came; check cable, shield and terminating resistor",
                exchange=exchange,
            )
        self._stats.timeouts += 1
        self._timeouts_in_a_row += 1
        return BlockFailure(
            kind=FailureKind.TIMEOUT,
            detail="no answer in time; check address, speed, parity and power of the meter",
            exchange=exchange,
        )

    def _count(self, reception: Reception) -> None:
        self._stats.foreign_frames += reception.foreign_frames
        self._stats.checksum_errors += reception.damaged_frames
        self._stats.noise_bytes += reception.noise_bytes

    def _timing(self, profile: Profile, block: Block) -> Timing:
        """Return the profile's times plus what the bytes themselves take on this line."""
        wire_s = self._pace.character_s * (data_bytes_of(block) + 2 * FRAMING_BYTES_MOST)
        return Timing(
            answer_s=profile.timing.answer_ms / 1000 + wire_s,
            longest_s=profile.timing.longest_ms / 1000 + wire_s,
            gap_s=max(profile.timing.gap_ms / 1000, self._pace.silence_s),
        )
