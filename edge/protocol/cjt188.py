"""CJ/T 188 (water, gas, heat) as pure bytes: reads of one identifier and the reading of an address.

Frame: FE x n, 68, type, address (7 BCD bytes, lowest first), control, length, identifier (2), serial (1), data, sum,
16. Nothing is scrambled. The order of the identifier's bytes differs in the wild, so it is given as sent and the
answer must repeat it; the serial is echoed by the meter and matched. Valve and write commands have no builder here.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass

from common.errors import RefusalError, ensure
from edge.protocol.codec import Answered, Foreign, Match, Noise, Refused
from edge.protocol.summed_frame import START, TAIL_BYTES, WAKE_UP, FrameShape, close_frame, match_answer

ANY_TYPE = 0xAA
READ_DATA = 0x01
READ_ADDRESS = 0x03
FUNCTION_MASK = 0x3F
ADDRESS_BYTES = 7
WILDCARD = "aa" * ADDRESS_BYTES
IDENTIFIER_BYTES = 2
DATA_BYTES_MOST = 100
SERIAL_MOST = 0xFF
SIGNAL_BYTES = 2  # some radio meters add two bytes of signal strength after the end
WAKE_UP_BYTES = 3
_HEAD_BYTES = 11
_CONTROL_AT = 9
_ECHO_BYTES = IDENTIFIER_BYTES + 1
_TYPE_CLASSES = frozenset({0x10, 0x20, 0x30, 0x40})
_ADDRESS_TEXT = re.compile(r"[0-9]{14}|[aA]{14}", re.ASCII)
_IDENTIFIER_TEXT = re.compile(r"[0-9a-fA-F]{4}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemQuestion:
    """Which item of which meter is asked.

    `address` is printed highest digit first; `identifier` is two bytes of hexadecimal in the order they are sent;
    `serial` (0..255) tells consecutive questions apart.
    """

    meter_type: int
    address: str
    identifier: str
    serial: int
    function: int = READ_DATA

    def __post_init__(self) -> None:
        """Check that the serial is a byte and the function reads."""
        ensure(0 <= self.serial <= SERIAL_MOST, "the serial of a question is one byte")
        ensure(self.function in {READ_DATA, READ_ADDRESS}, "only reads can be asked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The parts of a sound frame; `payload` still begins with identifier and serial."""

    meter_type: int
    address: str
    control: int
    payload: bytes


def pack_address(text: str) -> bytes:
    """Return the seven bytes of a printed address, lowest byte first.

    Raises:
        RefusalError: the text is not fourteen digits (or fourteen A for any meter).
    """
    if _ADDRESS_TEXT.fullmatch(text) is None:
        raise RefusalError(
            f"CJ/T 188 address {text!r} is not 14 digits; the first four are the maker's code, then the meter number"
        )
    return bytes.fromhex(text)[::-1]


def build_frame(parts: Frame, *, wake_up_bytes: int = WAKE_UP_BYTES) -> bytes:
    """Return a frame of its parts."""
    address = bytes.fromhex(parts.address)[::-1]
    body = bytes([START, parts.meter_type]) + address + bytes([parts.control, len(parts.payload)]) + parts.payload
    return close_frame(body, wake_up_bytes)


def _type_fits(prefix: bytes) -> bool:
    return len(prefix) == 1 or prefix[1] == ANY_TYPE or prefix[1] & 0xF0 in _TYPE_CLASSES


SHAPE = FrameShape(name="CJ/T 188", head_bytes=_HEAD_BYTES, data_bytes_most=DATA_BYTES_MOST, fits=_type_fits)
missing_bytes = SHAPE.missing_bytes


def parse_frame(frame: bytes) -> Frame | Noise:
    """Return the parts of a whole frame, or why it is none."""
    flaw = SHAPE.flaw(frame)
    if flaw is not None:
        return flaw
    return Frame(
        meter_type=frame[1],
        address=frame[2:_CONTROL_AT][::-1].hex(),
        control=frame[_CONTROL_AT],
        payload=frame[_HEAD_BYTES:-TAIL_BYTES],
    )


class Cjt188:
    """The codec of CJ/T 188 reads."""

    self_identifying = True
    trailer_bytes_most = SIGNAL_BYTES
    idle_byte = WAKE_UP

    def request(self, question: ItemQuestion) -> bytes:
        """Return the request frame with its wake-up bytes.

        Raises:
            RefusalError: the address or the identifier has not the shape of the protocol.
        """
        pack_address(question.address)
        if _IDENTIFIER_TEXT.fullmatch(question.identifier) is None:
            raise RefusalError(f"CJ/T 188 identifier {question.identifier!r} is not 4 hexadecimal digits")
        payload = bytes.fromhex(question.identifier) + bytes([question.serial])
        frame = Frame(
            meter_type=question.meter_type, address=question.address, control=question.function, payload=payload
        )
        return build_frame(frame)

    def expect(self, prefix: bytes) -> int | None:
        """Return how many bytes the frame that starts here still lacks, or None when none starts here."""
        return missing_bytes(prefix)

    def match(self, frame: bytes, question: ItemQuestion) -> Match:
        """Return what a whole frame is to the question."""
        return match_answer(
            frame,
            parse_frame(frame),
            lambda parts: _stranger(parts, question),
            lambda parts: _refusal(frame, parts, question),
            lambda parts: _identified(frame, parts, question),
        )

    def shape(self, question: ItemQuestion) -> Hashable:
        """Return all that an answer repeats."""
        return (question.meter_type, question.address, question.identifier, question.serial, question.function)


def _stranger(parts: Frame, question: ItemQuestion) -> str:
    """Return why the frame is another meter's, or nothing when it is the asked one's."""
    if question.address.lower() not in {WILDCARD, parts.address}:
        return f"answer of meter {parts.address}"
    if ANY_TYPE not in {question.meter_type, parts.meter_type} and question.meter_type != parts.meter_type:
        return f"answer of meter type {parts.meter_type:02x}"
    if parts.control & FUNCTION_MASK != question.function:
        return f"answer to control {parts.control:02x}"
    return ""


def _refusal(frame: bytes, parts: Frame, question: ItemQuestion) -> Match:
    if not parts.payload:
        return Noise(reason="an error answer without content")
    if question.serial not in parts.payload[:_ECHO_BYTES]:
        return Foreign(frame=frame, reason="an error answer to another question")
    return Refused(frame=frame, code=parts.payload[-1], meaning=f"error answer {parts.payload.hex()}")


def _identified(frame: bytes, parts: Frame, question: ItemQuestion) -> Match:
    asked = bytes.fromhex(question.identifier)
    if parts.payload[:IDENTIFIER_BYTES] != asked:
        return Foreign(frame=frame, reason=f"answer to identifier {parts.payload[:IDENTIFIER_BYTES].hex()}")
    if parts.payload[IDENTIFIER_BYTES:_ECHO_BYTES] != bytes([question.serial]):
        return Foreign(frame=frame, reason="answer to an earlier question, by its serial")
    return Answered(frame=frame, data=parts.payload[_ECHO_BYTES:])
