"""What the serial lines of the simulation share: faults on the way out, and one log line an exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.simulation.devices.dial import Dial, ExchangeLog, Look

NOISE = bytes.fromhex("00ff6833a5")
_SPLIT_S = 0.004


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a meter says to one request, and the values that a right reader must get from it."""

    dial: Dial
    look: Look
    frame: bytes
    values: Mapping[str, int]
    refused: bool = False


async def deliver(answer: Answer, request: bytes, write: Callable[[bytes], None], log: ExchangeLog) -> None:
    """Put an answer on the line as its meter's faults have it, and log what a gateway may take from it."""
    look = answer.look
    if look.fault("dead"):
        return
    late = look.fault("late")
    pause_s = (late.ms if late else answer.dial.line.answer_ms) / 1000
    if pause_s > 0:
        await asyncio.sleep(pause_s)
    frame = answer.frame
    if look.fault("bad_checksum"):
        frame = frame[:-2] + bytes([frame[-2] ^ 0x5A]) + frame[-1:]
    if look.fault("truncated"):
        frame = frame[: len(frame) * 2 // 3]
    if look.fault("noise"):
        write(NOISE)
    if look.fault("split"):
        write(frame[: len(frame) // 2])
        await asyncio.sleep(_SPLIT_S)
        write(frame[len(frame) // 2 :])
    else:
        write(frame)
    if look.fault("doubled"):
        write(frame)
    log.write(
        line=answer.dial.line.line,
        meter=answer.dial.meter.serial,
        at=look.at.isoformat(),
        values=dict(answer.values),
        refused=answer.refused,
        faults=[fault.kind for fault in look.faults],
        request=request.hex(),
        response=frame.hex(),
    )
