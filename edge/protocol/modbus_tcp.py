"""What the bytes of a Modbus TCP connection say to one question: the frame of its transaction, or why there is none.

A stream carries no checksum, so a torn frame makes everything behind it a guess: bytes that are not whole frames from
first to last are called damaged, and the connection must then be given up.
"""

from __future__ import annotations

from edge.protocol.codec import Answered, Foreign, Match, Noise, Refused
from edge.protocol.modbus_rtu import EXCEPTION_FLAG, EXCEPTION_MEANINGS, RegisterQuestion

HEADER_BYTES = 7
PROTOCOL = b"\x00\x00"
_LENGTH_AT = 4
_PREFIX_BYTES = 6
_LENGTH_LEAST = 3
_LENGTH_MOST = 254


def split_frames(received: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole frames at the start of the bytes, and what is behind them."""
    frames = []
    while len(received) > HEADER_BYTES:
        length = int.from_bytes(received[_LENGTH_AT:_PREFIX_BYTES])
        total = _PREFIX_BYTES + length
        fits = received[2:_LENGTH_AT] == PROTOCOL and _LENGTH_LEAST <= length <= _LENGTH_MOST
        if not fits or len(received) < total:
            break
        frames.append(received[:total])
        received = received[total:]
    return frames, received


def match_stream(received: bytes, sent: bytes, question: RegisterQuestion) -> Match:
    """Return what the received bytes are to the question that was sent as the given frame."""
    frames, rest = split_frames(received)
    own = [frame for frame in frames if frame[:2] == sent[:2]]
    if rest:
        return Noise(reason="the stream ends inside a frame", damaged=True)
    if not own:
        return Foreign(frame=received, reason="only answers of other transactions")
    if any(frame != own[0] for frame in own):
        return Noise(reason="two different answers of one transaction", damaged=True)
    return _match_frame(own[0], question)


def _match_frame(frame: bytes, question: RegisterQuestion) -> Match:
    unit, body = frame[HEADER_BYTES - 1], frame[HEADER_BYTES:]
    if unit != question.unit:
        return Foreign(frame=frame, reason=f"answer of unit {unit}")
    if body[0] == question.function | EXCEPTION_FLAG:
        return Refused(frame=frame, code=body[1], meaning=EXCEPTION_MEANINGS.get(body[1], f"exception {body[1]}"))
    if body[0] != question.function or body[1] != 2 * question.count or len(body) != 2 + body[1]:
        return Foreign(frame=frame, reason="another function or another count of registers")
    return Answered(frame=frame, data=body[2:])
