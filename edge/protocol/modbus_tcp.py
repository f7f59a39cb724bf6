"""Modbus TCP as pure bytes: the frame of a question, and what the bytes of a connection say to it.

A stream carries no checksum, so a torn frame makes everything behind it a guess: bytes that are not whole frames from
first to last are called damaged, and the connection must then be given up.
"""

from __future__ import annotations

import struct

from edge.protocol.codec import Answered, Foreign, Match, Noise, Refused
from edge.protocol.modbus_rtu import EXCEPTION_FLAG, EXCEPTION_MEANINGS, RegisterQuestion

HEADER_BYTES = 7
PROTOCOL = b"\x00\x00"
TRANSACTION_MOST = 0xFFFF
_LENGTH_AT = 4
_PREFIX_BYTES = 6
_LENGTH_LEAST = 3
_LENGTH_MOST = 254
_REQUEST_LENGTH = 6
_REQUEST = struct.Struct(">HHHBBHH")


def request(transaction: int, question: RegisterQuestion) -> bytes:
    """Return the frame of a question; transactions are 1 to 65535, 0 is what careless servers answer with."""
    return _REQUEST.pack(
        transaction, 0, _REQUEST_LENGTH, question.unit, question.function, question.start, question.count
    )


def settles(received: bytes, sent: bytes) -> bool:
    """Return whether the bytes end the waiting: the frame of the own transaction is whole, or none can follow."""
    at = 0
    while len(received) - at > HEADER_BYTES:
        length = _length(received, at)
        if length is None:
            return True
        if len(received) < at + _PREFIX_BYTES + length:
            return False
        if received[at : at + 2] == sent[:2]:
            return True
        at += _PREFIX_BYTES + length
    return False


def split_frames(received: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole frames at the start of the bytes, and what is behind them."""
    frames, at = [], 0
    while len(received) - at > HEADER_BYTES:
        length = _length(received, at)
        if length is None or len(received) < at + _PREFIX_BYTES + length:
            break
        frames.append(received[at : at + _PREFIX_BYTES + length])
        at += _PREFIX_BYTES + length
    return frames, received[at:]


def _length(received: bytes, at: int) -> int | None:
    """Return what the header at a place says of the bytes behind its length, None where no header stands."""
    length = received[at + _LENGTH_AT] << 8 | received[at + _LENGTH_AT + 1]
    fits = received[at + 2 : at + _LENGTH_AT] == PROTOCOL and _LENGTH_LEAST <= length <= _LENGTH_MOST
    return length if fits else None


def match_stream(received: bytes, sent: bytes, question: RegisterQuestion) -> Match:
    """Return what the received bytes are to the question that was sent as the given frame."""
    if len(received) > HEADER_BYTES and received[:2] == sent[:2]:
        length = _length(received, 0)
        if length is not None and len(received) == _PREFIX_BYTES + length:
            return _match_frame(received, question)  # one frame and nothing else, as nearly always
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
