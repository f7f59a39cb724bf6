"""One question and its answer on a byte line, with the pace, the silence and the guard that the line needs.

Invariants: one exchanger owns its line and asks one question at a time; before a question the line is silent as the
guard demands and what came meanwhile is dropped; an answer counts only once the line has fallen silent behind it, so
glued and doubled frames are seen whole; a line on which nobody answers any more is reopened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TypeVar

from edge.device import model
from edge.driver.asking import BlockData, BlockFailure
from edge.driver.outcome import Exchange, FailureKind, WireStats
from edge.protocol.codec import Answered, Codec, Refused
from edge.protocol.guard import LineGuard, Timing
from edge.protocol.receiver import Receiver, Reception
from edge.transport.line import ByteLine

QuestionT = TypeVar("QuestionT")
BITS_PER_CHARACTER = 11
SILENCE_CHARACTERS = 3.5
SILENCE_S_LEAST = 0.00175
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

    def timing(self, pace: model.Timing, wire_bytes: int) -> Timing:
        """Return a model's times plus what the bytes of question and answer themselves take on this line."""
        wire_s = self.character_s * wire_bytes
        return Timing(
            answer_s=pace.answer_ms / 1000 + wire_s,
            longest_s=pace.longest_ms / 1000 + wire_s,
            gap_s=max(pace.gap_ms / 1000, self.silence_s),
        )


class Exchanger:
    """The owner of a byte line."""

    def __init__(self, line: ByteLine, pace: LinePace, stats: WireStats, *, echo: bool) -> None:
        self.pace = pace
        self.stats = stats
        self._line = line
        self._echo = echo
        self._guard = LineGuard()
        self._timeouts_in_a_row = 0

    async def open(self) -> None:
        """Open the line unless it is open; a line that has long been silent is opened anew.

        Raises:
            LinkLostError: it cannot be opened now.
        """
        if self._timeouts_in_a_row >= TIMEOUTS_BEFORE_REOPEN:
            self._timeouts_in_a_row = 0
            self.stats.reconnects += 1
            await self._line.close()
        await self._line.open()

    async def close(self) -> None:
        """Release the line."""
        await self._line.close()

    def free_at(self, shape: Hashable) -> float:
        """Return the loop's time from which a question of the shape may be asked."""
        return self._guard.ready_at(shape)

    async def exchange(self, codec: Codec[QuestionT], question: QuestionT, timing: Timing) -> BlockData | BlockFailure:
        """Ask one question of an open line and return what answered it.

        Raises:
            LinkLostError: the line broke.
        """
        request = codec.request(question)
        await self._rest(codec.shape(question))
        await self._line.write(request)
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        self._guard.asked(codec.shape(question), asked_at, timing)
        self.stats.exchanges += 1
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
            self.stats.late_frames += 1

    async def _receive(self, receiver: Receiver[QuestionT], deadline: float) -> Reception:
        """Feed the receiver until an answer stands with silence behind it, or the time is up."""
        loop = asyncio.get_running_loop()
        reception = receiver.examine(silent=False)
        while (left_s := deadline - loop.time()) > 0:
            settling = reception.verdict is not None
            data = await self._line.read(self.pace.silence_s if settling else left_s)
            if not data and settling:
                break
            receiver.feed(data)
            reception = receiver.examine(silent=False)
        return receiver.examine(silent=True)

    def _answer(self, verdict: Answered | Refused, request: bytes) -> BlockData | BlockFailure:
        exchange = Exchange(request=request, response=verdict.frame)
        if isinstance(verdict, Refused):
            self.stats.refusals += 1
            return BlockFailure(kind=FailureKind.REFUSED, detail=verdict.meaning, exchange=exchange)
        self.stats.answers += 1
        return BlockData(data=verdict.data, exchange=exchange)

    def _no_answer(self, reception: Reception, exchange: Exchange) -> BlockFailure:
        if reception.damaged_frames or reception.noise_bytes:
            return BlockFailure(
                kind=FailureKind.BAD_FRAME,
                detail="only damaged bytes came; check cable, shield and terminating resistor",
                exchange=exchange,
            )
        self.stats.timeouts += 1
        self._timeouts_in_a_row += 1
        return BlockFailure(
            kind=FailureKind.TIMEOUT,
            detail="no answer in time; check address, speed, parity and power of the meter",
            exchange=exchange,
        )

    def _count(self, reception: Reception) -> None:
        self.stats.foreign_frames += reception.foreign_frames
        self.stats.checksum_errors += reception.damaged_frames
        self.stats.noise_bytes += reception.noise_bytes
