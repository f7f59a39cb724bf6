"""DL/T 645 (2007 and 1997) as pure bytes: reads of one identifier and the reading of an address.

Frame: FE x n, 68, address (6 BCD bytes, lowest first), 68, control, length, data (each byte +33h), sum, 16. The codec
names meter and identifier in both directions, so an answer is compared with the very question. Only reads can be
built here: clearing, writing, baud and relay commands have no builder on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum

from common.errors import RefusalError
from edge.protocol.codec import Answered, Foreign, Match, Noise, Refused
from edge.protocol.summed_frame import (
    START,
    TAIL_BYTES,
    WAKE_UP,
    FrameShape,
    close_frame,
    match_answer,
)

SCRAMBLE = 0x33
FOLLOWS_FLAG = 0x20
FUNCTION_MASK = 0x1F
READ_2007 = 0x11
READ_1997 = 0x01
READ_ADDRESS = 0x13
ADDRESS_BYTES = 6
WILDCARD = b"\xaa" * ADDRESS_BYTES
DATA_BYTES_MOST = 200
WAKE_UP_BYTES = 4
_HEAD_BYTES = 10
_SECOND_START = 7
_ADDRESS_TEXT = re.compile(r"[0-9]{12}|[aA]{12}", re.ASCII)
ERROR_BITS = (
    "other error",
    "no such data",
    "password wrong or not authorised",
    "baud rate cannot change",
    "too many year zones",
    "too many day slots",
    "too many tariffs",
)


class Edition(StrEnum):
    """The two editions on the market; frames are alike, identifiers and control codes are not."""

    Y2007 = "2007"
    Y1997 = "1997"


IDENTIFIER_BYTES = {Edition.Y2007: 4, Edition.Y1997: 2}
_READ_FUNCTION = {Edition.Y2007: READ_2007, Edition.Y1997: READ_1997}


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierQuestion:
    """Which identifier of which meter is asked; both as printed, highest digit first.

    `accept_wildcard_answer` is for the 1997 meters that answer with the wildcard as their address; only one such
    meter may stand on a line. An `identifier` of None asks for the address itself (2007 only).
    """

    address: str
    identifier: str | None
    edition: Edition = Edition.Y2007
    accept_wildcard_answer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The parts of a sound frame, data already unscrambled."""

    address: str
    control: int
    data: bytes


def pack_address(text: str) -> bytes:
    """Return the six bytes of a printed address, lowest byte first.

    Raises:
        RefusalError: the text is not twelve digits (or twelve A for any meter).
    """
    if _ADDRESS_TEXT.fullmatch(text) is None:
        raise RefusalError(f"DL/T 645 address {text!r} is not 12 digits; copy them from the nameplate, with zeros")
    return bytes.fromhex(text)[::-1]


def build_frame(address: bytes, control: int, data: bytes, *, wake_up_bytes: int = WAKE_UP_BYTES) -> bytes:
    """Return a frame around unscrambled data."""
    scrambled = bytes((byte + SCRAMBLE) & 0xFF for byte in data)
    body = bytes([START]) + address + bytes([START, control, len(data)]) + scrambled
    return close_frame(body, wake_up_bytes)


def _second_start_fits(prefix: bytes) -> bool:
    return len(prefix) <= _SECOND_START or prefix[_SECOND_START] == START


SHAPE = FrameShape(name="DL/T 645", head_bytes=_HEAD_BYTES, data_bytes_most=DATA_BYTES_MOST, fits=_second_start_fits)
missing_bytes = SHAPE.missing_bytes


def parse_frame(frame: bytes) -> Frame | Noise:
    """Return the parts of a whole frame, or why it is none."""
    flaw = SHAPE.flaw(frame)
    if flaw is not None:
        return flaw
    data = bytes((byte - SCRAMBLE) & 0xFF for byte in frame[_HEAD_BYTES:-TAIL_BYTES])
    return Frame(address=frame[1:_SECOND_START][::-1].hex(), control=frame[_SECOND_START + 1], data=data)


def error_meaning(word: int) -> str:
    """Return the set bits of a 2007 error word in words."""
    names = [name for bit, name in enumerate(ERROR_BITS) if word >> bit & 1]
    return ", ".join(names) if names else f"error word {word:02x}"


class Dlt645:
    """The codec of both editions; the question says which."""

    self_identifying = True
    trailer_bytes_most = 0
    idle_byte = WAKE_UP

    def request(self, question: IdentifierQuestion) -> bytes:
        """Return the request frame with its wake-up bytes."""
        address = pack_address(question.address)
        if question.identifier is None:
            return build_frame(address, READ_ADDRESS, b"")
        identifier = pack_identifier(question.identifier, question.edition)
        return build_frame(address, _READ_FUNCTION[question.edition], identifier)

    def expect(self, prefix: bytes) -> int | None:
        """Return how many bytes the frame that starts here still lacks, or None when none starts here."""
        return missing_bytes(prefix)

    def match(self, frame: bytes, question: IdentifierQuestion) -> Match:
        """Return what a whole frame is to the question."""
        return match_answer(
            frame,
            parse_frame(frame),
            lambda parts: _stranger(parts, question),
            lambda parts: _refusal(frame, parts, question.edition),
            lambda parts: _answer(frame, parts, question),
        )

    def shape(self, question: IdentifierQuestion) -> Hashable:
        """Return meter and identifier, which an answer repeats."""
        return (question.edition, question.address, question.identifier)


def pack_identifier(text: str, edition: Edition) -> bytes:
    """Return the bytes of a printed identifier, lowest byte first.

    Raises:
        RefusalError: the text has not the edition's count of hexadecimal digits.
    """
    digits = 2 * IDENTIFIER_BYTES[edition]
    if re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", text, re.ASCII) is None:
        raise RefusalError(f"DL/T 645-{edition} identifier {text!r} is not {digits} hexadecimal digits")
    return bytes.fromhex(text)[::-1]


def _stranger(parts: Frame, question: IdentifierQuestion) -> str:
    """Return why the frame is another meter's, or nothing when it is the asked one's."""
    wildcard = WILDCARD.hex()
    if question.address.lower() not in {wildcard, parts.address} and not (
        question.accept_wildcard_answer and parts.address == wildcard
    ):
        return f"answer of meter {parts.address}"
    asked = READ_ADDRESS if question.identifier is None else _READ_FUNCTION[question.edition]
    if parts.control & FUNCTION_MASK != asked:
        return f"answer to control {parts.control & FUNCTION_MASK:02x}"
    return ""


def _refusal(frame: bytes, parts: Frame, edition: Edition) -> Match:
    if len(parts.data) != 1:
        return Noise(reason=f"an error answer of {len(parts.data)} bytes")
    word = parts.data[0]
    meaning = error_meaning(word) if edition is Edition.Y2007 else f"error byte {word:02x} (1997, meaning not sure)"
    return Refused(frame=frame, code=word, meaning=meaning)


def _answer(frame: bytes, parts: Frame, question: IdentifierQuestion) -> Match:
    identifier = question.identifier
    if identifier is None:
        return Answered(frame=frame, data=parts.data)
    size = IDENTIFIER_BYTES[question.edition]
    answered = parts.data[:size][::-1].hex()
    if answered != identifier.lower():
        return Foreign(frame=frame, reason=f"answer to identifier {answered}")
    if parts.control & FOLLOWS_FLAG:
        return Refused(frame=frame, code=parts.control, meaning="the item is longer than one frame; ask a smaller one")
    return Answered(frame=frame, data=parts.data[size:])
