"""The platform side of 云快充 (YKC) piles: one TCP port, one connection a pile.

Invariants: a transaction record is confirmed only after the stage has stored it, so a pile repeats what was not; a pile
is let in only when it is of the site; a damaged frame costs its bytes and not the connection; energy is taken, the
pile's own arithmetic of money is not. A charge is numbered by us: pile, gun and our number make the 32 digits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from common.clock import Clock, to_epoch_ms
from common.errors import RefusalError
from edge.driver.gate_mqtt import split_address
from edge.driver.outcome import WireConfig, WireStats
from edge.driver.pile_events import PileDesk, Plug, Sampled, StartTold, StopAnswer, StopTold, Verdict
from edge.protocol import ykc
from edge.protocol.ykc import YkcFrame, bcd_text

ANSWER_S_MOST = 20.0
SILENT_S_MOST = 120.0  # a pile beats every 10 s
FRAME_BYTES_MOST = 512
BALANCE_FEN = 100_000  # shown by the pile; what is charged is billed to the household
_PILE_DIGITS, _GUN_DIGITS, _NUMBER_DIGITS = 14, 2, 16
_TENTHS_OF_WH = 10
_CHARGING, _IDLE, _FAULT = 3, 2, 1
_OK, _REFUSED = b"\x00", b"\x01"
_LOG = structlog.get_logger()


@dataclass(slots=True)
class _Line:
    """One pile while it is connected."""

    pile: str
    writer: asyncio.StreamWriter
    sequence: int = 0
    answers: dict[int, asyncio.Future[bool]] = field(default_factory=dict)


class YkcWire:
    """The owner of the port that YKC piles connect to."""

    def __init__(self, config: WireConfig, piles: Iterable[str], desk: PileDesk, clock: Clock) -> None:
        self._config = config
        self._host, self._port = split_address(config.address)
        self._piles = frozenset(piles)
        self._desk = desk
        self._clock = clock
        self._online: dict[str, _Line] = {}
        self._handlers: Mapping[int, Callable[[_Line, YkcFrame], Awaitable[None]]] = {
            ykc.HEARTBEAT: self._heartbeat,
            ykc.PRICE_CHECK: self._price_check,
            ykc.REAL_TIME: self._real_time,
            ykc.START_ASKED: self._start_asked,
            ykc.RECORD: self._record,
            ykc.REMOTE_START_ANSWER: self._remote_answered,
            ykc.REMOTE_STOP_ANSWER: self._remote_answered,
        }
        self.stats = WireStats()
        self.bound = asyncio.Event()
        self.port = self._port

    async def run(self) -> None:
        """Serve until cancelled."""
        server = await asyncio.start_server(self._serve, self._host, self._port, limit=FRAME_BYTES_MOST)
        self.port = server.sockets[0].getsockname()[1]
        self.bound.set()
        async with server:
            await asyncio.Event().wait()

    async def remote_start(self, pile: str, connector: int, card: str) -> StopAnswer:
        """Ask a pile to begin a charge; one that does not begin is ended at nothing."""
        line = self._online.get(pile)
        if line is None:
            return StopAnswer.UNREACHABLE
        number, _ = await self._desk.start(self._start(pile, connector, card))
        logical = bytes.fromhex(f"{card:0>16}"[-16:]) if card.isdigit() else bytes(8)
        body = (
            _transaction(pile, connector, number)
            + bytes.fromhex(pile)
            + bytes([connector])
            + logical * 2
            + BALANCE_FEN.to_bytes(4, "little")
        )
        answer = await self._ask(line, ykc.REMOTE_START, body, ykc.REMOTE_START_ANSWER)
        if answer is StopAnswer.REFUSED:
            await self._desk.stop(self._stop(pile, number, 0, "not started"))
        return answer

    async def remote_stop(self, pile: str, connector: int, transaction: int) -> StopAnswer:
        """Ask a pile to end what goes on at a gun; the protocol names no charge."""
        line = self._online.get(pile)
        if line is None:
            return StopAnswer.UNREACHABLE
        _LOG.info("remote_stop", pile=pile, gun=connector, transaction=transaction)
        body = bytes.fromhex(pile) + bytes([connector])
        return await self._ask(line, ykc.REMOTE_STOP, body, ykc.REMOTE_STOP_ANSWER)

    async def _ask(self, line: _Line, kind: int, body: bytes, answer_kind: int) -> StopAnswer:
        waiting = line.answers[answer_kind] = asyncio.get_running_loop().create_future()
        self.stats.exchanges += 1
        try:
            async with asyncio.timeout(ANSWER_S_MOST):
                await self._send(line, kind, body)
                accepted = await waiting
        except (TimeoutError, OSError):
            self.stats.timeouts += 1
            return StopAnswer.UNKNOWN
        finally:
            line.answers.pop(answer_kind, None)
        return StopAnswer.ACCEPTED if accepted else StopAnswer.REFUSED

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line: _Line | None = None
        try:
            while True:
                async with asyncio.timeout(SILENT_S_MOST):
                    frame = await self._next(reader)
                if line is None:
                    line = await self._login(frame, writer)
                    if line is None:
                        return
                    continue
                await self._handle(line, frame)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            self.stats.reconnects += 1
        finally:
            if line is not None and self._online.get(line.pile) is line:
                del self._online[line.pile]
            writer.close()

    async def _next(self, reader: asyncio.StreamReader) -> YkcFrame:
        """Return the next sound frame; what is none is skipped byte by byte."""
        data = b""
        while True:
            lacking = ykc.missing_bytes(data)
            if lacking is None:
                self.stats.noise_bytes += bool(data)
                data = data[1:] or await reader.readexactly(1)
                continue
            if lacking:
                data += await reader.readexactly(lacking)
                continue
            size = 2 + data[1] + ykc.CRC_BYTES
            try:
                return ykc.parse_frame(data[:size])
            except RefusalError as problem:
                self.stats.checksum_errors += 1
                _LOG.warning("pile_frame_refused", wire=self._config.wire, reason=str(problem))
                data = data[1:]

    async def _login(self, frame: YkcFrame, writer: asyncio.StreamWriter) -> _Line | None:
        """Let a pile of the site in; everybody else is told no and left."""
        if frame.kind != ykc.LOGIN or len(frame.body) < ykc.PILE_BYTES:
            self.stats.refusals += 1
            return None
        number = frame.body[: ykc.PILE_BYTES]
        pile = number.hex()
        line = _Line(pile=pile, writer=writer)
        known = pile in self._piles and await self._desk.boot(pile)
        await self._send(line, ykc.LOGIN_ANSWER, number + (_OK if known else _REFUSED), frame.sequence)
        if not known:
            self.stats.refusals += 1
            _LOG.warning("unknown_pile_turned_away", wire=self._config.wire, pile=pile)
            return None
        before = self._online.get(pile)
        if before is not None:
            before.writer.close()
        self._online[pile] = line
        await self._send(line, ykc.SET_CLOCK, number + ykc.make_time(self._clock.now()))
        return line

    async def _handle(self, line: _Line, frame: YkcFrame) -> None:
        handler = self._handlers.get(frame.kind)
        self.stats.answers += 1
        if handler is None:
            return
        try:
            await handler(line, frame)
        except (RefusalError, IndexError) as problem:
            self.stats.bad_values += 1
            _LOG.warning("pile_message_refused", pile=line.pile, kind=f"{frame.kind:02x}", reason=str(problem))

    async def _heartbeat(self, line: _Line, frame: YkcFrame) -> None:
        await self._send(line, ykc.HEARTBEAT_ANSWER, frame.body[:8] + _OK, frame.sequence)

    async def _price_check(self, line: _Line, frame: YkcFrame) -> None:
        """Say that the price model is right: what a charge costs is worked out here, not in the pile."""
        await self._send(line, ykc.PRICE_CHECK_ANSWER, frame.body[:9] + _OK, frame.sequence)

    async def _start_asked(self, line: _Line, frame: YkcFrame) -> None:
        """Decide on a card at the pile, and number the charge when it may."""
        gun, card = frame.body[7], frame.body[10:18]
        text = card.hex().lstrip("0") or "0"
        verdict = await self._desk.authorize(line.pile, text)
        number = 0
        if verdict is Verdict.ACCEPTED:
            number, _ = await self._desk.start(self._start(line.pile, gun, text))
        decision = b"\x01\x00" if verdict is Verdict.ACCEPTED else b"\x00\x01"
        head = _transaction(line.pile, gun, number) + frame.body[:8]
        body = head + card + BALANCE_FEN.to_bytes(4, "little") + decision
        await self._send(line, ykc.START_ANSWER, body, frame.sequence)

    async def _real_time(self, line: _Line, frame: YkcFrame) -> None:
        body, now_ms = frame.body, to_epoch_ms(self._clock.now())
        gun, state, plugged = body[23], body[24], body[26] == 1
        number = _number_of(line.pile, body[: ykc.TRANSACTION_BYTES])
        if number is not None:
            wh = int.from_bytes(body[46:50], "little") // _TENTHS_OF_WH
            sample = Sampled(pile=line.pile, connector=gun, transaction=number, meter_wh=wh, at_ms=now_ms)
            await self._desk.sample(sample)
        plug = Plug.FAULTED if state <= _FAULT else Plug.CHARGING if state == _CHARGING else Plug.PLUGGED
        if state == _IDLE and not plugged:
            plug = Plug.FREE
        await self._desk.plug(line.pile, gun, plug, now_ms)

    async def _record(self, line: _Line, frame: YkcFrame) -> None:
        """Take the record of a finished charge, then confirm it."""
        record = ykc.parse_record(frame.body)
        number = _number_of(line.pile, frame.body[: ykc.TRANSACTION_BYTES])
        told = StopTold(
            pile=line.pile,
            transaction=number,
            meter_wh=record.energy // _TENTHS_OF_WH,
            at_ms=to_epoch_ms(record.end),
            reason=f"ykc {record.stop_reason:02x}",
        )
        await self._desk.stop(told)
        await self._send(line, ykc.RECORD_ANSWER, frame.body[: ykc.TRANSACTION_BYTES] + _OK, frame.sequence)

    async def _remote_answered(self, line: _Line, frame: YkcFrame) -> None:
        at = 24 if frame.kind == ykc.REMOTE_START_ANSWER else 8
        accepted = frame.body[at] == 1
        waiting = line.answers.get(frame.kind)
        if waiting is not None and not waiting.done():
            waiting.set_result(accepted)

    async def _send(self, line: _Line, kind: int, body: bytes, sequence: int | None = None) -> None:
        if sequence is None:
            line.sequence = (line.sequence + 1) & 0xFFFF
        line.writer.write(ykc.make_frame(kind, body, line.sequence if sequence is None else sequence))
        async with asyncio.timeout(ANSWER_S_MOST):
            await line.writer.drain()

    def _start(self, pile: str, gun: int, card: str) -> StartTold:
        return StartTold(pile=pile, connector=gun, card=card, meter_wh=0, at_ms=to_epoch_ms(self._clock.now()))

    def _stop(self, pile: str, number: int, wh: int, reason: str) -> StopTold:
        now_ms = to_epoch_ms(self._clock.now())
        return StopTold(pile=pile, transaction=number, meter_wh=wh, at_ms=now_ms, reason=reason)


def _transaction(pile: str, gun: int, number: int) -> bytes:
    """Return the 32 digits of a charge of ours."""
    return bytes.fromhex(f"{pile}{gun:0{_GUN_DIGITS}d}{number:0{_NUMBER_DIGITS}d}")


def _number_of(pile: str, transaction: bytes) -> int | None:
    """Return our number of a charge, None for one that the pile began by itself."""
    digits = bcd_text(transaction)
    number = int(digits[_PILE_DIGITS + _GUN_DIGITS :])
    return number if digits.startswith(pile) and number else None
