"""Reads an M-Bus meter out: reset or select it, then ask telegram after telegram until its points are there.

Invariants: every readout starts anew, so a meter never repeats a telegram of an earlier one; the frame count bit
toggles from telegram to telegram; a telegram that came before, byte for byte, is a repeat and ends the readout; half
a readout gives no value.
"""

from __future__ import annotations

from edge.device.model import Profile, RecordPlace
from edge.device.plan import RecordBlock
from edge.driver.asking import BlockData, BlockFailure
from edge.driver.exchanger import Exchanger
from edge.driver.outcome import Exchange, FailureKind
from edge.driver.records import find_records
from edge.protocol.guard import Timing
from edge.protocol.mbus import LONG_BYTES_MOST, LinkAddress, LinkQuestion, Mbus, Step
from edge.protocol.mbus_records import Telegram, parse_telegram
from edge.protocol.values import ValueRefusedError

TELEGRAMS_MOST = 16
ACKNOWLEDGEMENT_BYTES = 24


async def read_out(
    exchanger: Exchanger, profile: Profile, address: LinkAddress, block: RecordBlock
) -> BlockData | BlockFailure:
    """Return the telegrams of a meter, one behind the other, up to the one that completes the block.

    Raises:
        LinkLostError: the line broke.
    """
    short, long = (exchanger.pace.timing(profile.timing, size) for size in (ACKNOWLEDGEMENT_BYTES, LONG_BYTES_MOST))
    step = Step.SELECT if address.secondary else Step.RESET
    greeting = await exchanger.exchange(Mbus(), LinkQuestion(step=step, address=address), short)
    if isinstance(greeting, BlockFailure):
        return greeting
    return await _telegrams(exchanger, address, block, long)


async def _telegrams(
    exchanger: Exchanger, address: LinkAddress, block: RecordBlock, timing: Timing
) -> BlockData | BlockFailure:
    frames: list[bytes] = []
    requests: list[bytes] = []
    count_bit = True
    while len(frames) < TELEGRAMS_MOST:
        question = LinkQuestion(step=Step.TELEGRAM, address=address, count_bit=count_bit)
        result = await exchanger.exchange(Mbus(), question, timing)
        if isinstance(result, BlockFailure):
            return result
        if result.data in frames:
            detail = "the meter repeated a telegram; it is read out again at the next sweep"
            return BlockFailure(kind=FailureKind.BAD_FRAME, detail=detail, exchange=result.exchange)
        frames.append(result.data)
        requests.append(result.exchange.request)
        count_bit = not count_bit
        if _complete(frames, block):
            break
    exchange = Exchange(request=b"".join(requests), response=b"".join(frames))
    return BlockData(data=exchange.response, exchange=exchange)


def _complete(frames: list[bytes], block: RecordBlock) -> bool:
    """Return whether nothing is missing or nothing more can come; what cannot be read is judged by the decoder."""
    try:
        telegrams = [parse_telegram(frame) for frame in frames]
    except ValueRefusedError:
        return True
    return not telegrams[-1].more_follows or all(_has(telegrams, field.point.place) for field in block.fields)


def _has(telegrams: list[Telegram], place: object) -> bool:
    return isinstance(place, RecordPlace) and bool(find_records(telegrams, place))
