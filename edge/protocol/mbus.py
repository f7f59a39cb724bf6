"""The link layer of wired M-Bus (EN 13757-2) as pure bytes: reset, secondary selection, request of user data.

Frames: the single byte E5 (acknowledged), `10 C A CS 16` (short), `68 L L 68 C A CI … CS 16` (long). The bus is read
by `REQ_UD2` whose frame count bit is toggled from telegram to telegram; a slave that sees the same bit again repeats
its last telegram, so every readout begins with a reset and never with an assumption. An acknowledgement names nobody
and an answer names no telegram: the codec is not self-identifying, the line guard adds its rules of time. Only reads
and selections can be built here.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum

from common.errors import RefusalError, ensure
from edge.protocol.codec import Answered, Foreign, Match, Noise, Refused

ACKNOWLEDGED = 0xE5
SHORT_START = 0x10
LONG_START = 0x68
END = 0x16
SND_NKE = 0x40
SND_UD = 0x73
REQ_UD2 = 0x5B
COUNT_BIT = 0x20
RSP_UD = 0x08
SELECTED = 0xFD
PRIMARY_MOST = 250
SHORT_BYTES = 5
LONG_BYTES_MOST = 261
SELECT = 0x52
VARIABLE_DATA = frozenset({0x72, 0x76})
FIXED_DATA = frozenset({0x73, 0x77})
ERROR_REPORT = 0x70
_LENGTH_LEAST, _LENGTH_MOST = 3, 255
_HEAD_BYTES = 4
_TAIL_BYTES = 2
_CONTROL_AT, _ADDRESS_AT, _INFORMATION_AT = 4, 5, 6
_DIRECTION_BITS = 0x30  # access demand and data flow control of an answer
_HEADER_BYTES = 12
_IDENTITY_BYTES = 8
_ERROR_WORDS = (
    "unspecified error",
    "unimplemented control information",
    "buffer too long",
    "too many records",
    "premature end of record",
    "too many DIFE",
    "too many VIFE",
    "reserved",
    "application busy",
    "too many readouts",
)
_PRIMARY_TEXT = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_SECONDARY_TEXT = re.compile(r"[0-9]{8}([0-9a-fA-F]{8})?", re.ASCII)


class Step(StrEnum):
    """The three questions of a readout."""

    RESET = "reset"
    SELECT = "select"
    TELEGRAM = "telegram"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkAddress:
    """Where a meter is: its primary address, or the selected one behind its secondary address.

    `secondary` is the identification as it stands in a telegram (serial, maker, version, medium: 8 bytes, FF in the
    last four for "any"), empty for a primary address.
    """

    primary: int
    secondary: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkQuestion:
    """One step of a readout; `count_bit` belongs to a request of a telegram."""

    step: Step
    address: LinkAddress
    count_bit: bool = False

    def __post_init__(self) -> None:
        """Check that a selection names whom it selects."""
        ensure(self.step is not Step.SELECT or len(self.address.secondary) == _IDENTITY_BYTES, "nobody is selected")


def parse_address(text: str) -> LinkAddress:
    """Return the address of a text: `1`..`250` primary, 8 digits or 16 hexadecimal digits secondary.

    A secondary address of 16 digits is serial, maker, version and medium in the order the meter prints them.

    Raises:
        RefusalError: the text is none of these.
    """
    if _PRIMARY_TEXT.fullmatch(text) and int(text) <= PRIMARY_MOST:
        return LinkAddress(primary=int(text))
    if _SECONDARY_TEXT.fullmatch(text):
        rest = bytes.fromhex(text[8:]) or b"\xff" * 4
        return LinkAddress(primary=SELECTED, secondary=bytes.fromhex(text[:8])[::-1] + rest)
    raise RefusalError(
        f"M-Bus address {text!r} is neither 1..{PRIMARY_MOST} nor 8 digits (serial) nor 16 (serial, maker, version, "
        "medium); read it on the meter's display"
    )


def short_frame(control: int, address: int) -> bytes:
    """Return a frame of control and address alone."""
    return bytes([SHORT_START, control, address, (control + address) & 0xFF, END])


def long_frame(control: int, address: int, body: bytes) -> bytes:
    """Return a frame with control information and data."""
    length = len(body) + 2
    ensure(_LENGTH_LEAST <= length <= _LENGTH_MOST, "a long frame holds 1 to 253 bytes")
    content = bytes([control, address]) + body
    return bytes([LONG_START, length, length, LONG_START]) + content + bytes([sum(content) & 0xFF, END])


def missing_bytes(prefix: bytes) -> int | None:
    """Return how many bytes the frame that starts here still lacks, or None when none starts here."""
    start = prefix[0]
    if start == ACKNOWLEDGED:
        return 1 - len(prefix)
    if start == SHORT_START:
        total = SHORT_BYTES
    elif start == LONG_START:
        if any(byte != LONG_START for byte in prefix[3:4]) or len(set(prefix[1:3])) > 1:
            return None
        length = prefix[1] if len(prefix) > 1 else _LENGTH_LEAST
        if length < _LENGTH_LEAST:
            return None
        total = _HEAD_BYTES + length + _TAIL_BYTES
    else:
        return None
    if len(prefix) >= total and prefix[total - 1] != END:
        return None
    return total - len(prefix)


def flaw(frame: bytes) -> Noise | None:
    """Return why a whole frame is none, or None when frame and sum hold."""
    if missing_bytes(frame) != 0:
        return Noise(reason="no M-Bus frame")
    content = frame[1:-_TAIL_BYTES] if frame[0] == SHORT_START else frame[_HEAD_BYTES:-_TAIL_BYTES]
    if frame[0] != ACKNOWLEDGED and sum(content) & 0xFF != frame[-_TAIL_BYTES]:
        return Noise(reason="checksum does not hold", damaged=True)
    return None


class Mbus:
    """The codec of M-Bus readouts; the data of an answered telegram is its whole frame."""

    self_identifying = False
    trailer_bytes_most = 0
    idle_byte = None

    def request(self, question: LinkQuestion) -> bytes:
        """Return the request frame."""
        address = question.address
        if question.step is Step.RESET:
            return short_frame(SND_NKE, address.primary)
        if question.step is Step.SELECT:
            return long_frame(SND_UD, SELECTED, bytes([SELECT]) + address.secondary)
        return short_frame(REQ_UD2 | COUNT_BIT * question.count_bit, address.primary)

    def expect(self, prefix: bytes) -> int | None:
        """Return how many bytes the frame that starts here still lacks, or None when none starts here."""
        return missing_bytes(prefix)

    def match(self, frame: bytes, question: LinkQuestion) -> Match:
        """Return what a whole frame is to the question."""
        found = flaw(frame)
        if found is not None:
            return found
        if frame[0] == ACKNOWLEDGED:
            if question.step is Step.TELEGRAM:
                return Noise(reason="an acknowledgement where a telegram was asked")
            return Answered(frame=frame, data=b"")
        if frame[0] == SHORT_START or frame[_CONTROL_AT] & ~_DIRECTION_BITS != RSP_UD:
            return Noise(reason="a request, seen as echo or from another master")
        if question.step is not Step.TELEGRAM:
            return Foreign(frame=frame, reason="a telegram where an acknowledgement was asked")
        return _telegram(frame, question.address)

    def shape(self, question: LinkQuestion) -> Hashable:
        """Return what an answer can be told apart by: an acknowledgement by nothing, a telegram by its meter."""
        return question.address if question.step is Step.TELEGRAM else Step.RESET


def _telegram(frame: bytes, asked: LinkAddress) -> Match:
    answered, information = frame[_ADDRESS_AT], frame[_INFORMATION_AT]
    if asked.primary not in {SELECTED, answered}:
        return Foreign(frame=frame, reason=f"answer of address {answered}")
    if information == ERROR_REPORT:
        code = frame[_INFORMATION_AT + 1] if frame[1] > _LENGTH_LEAST else 0
        meaning = _ERROR_WORDS[code] if code < len(_ERROR_WORDS) else f"application error {code:02x}"
        return Refused(frame=frame, code=code, meaning=meaning)
    if information in FIXED_DATA:
        return Refused(frame=frame, code=information, meaning="a fixed-data answer, as very old meters give; not read")
    if information not in VARIABLE_DATA or frame[1] < _LENGTH_LEAST + _HEADER_BYTES:
        return Refused(frame=frame, code=information, meaning=f"control information {information:02x} is not read")
    if asked.secondary and not _is_selected(frame, asked.secondary):
        return Foreign(frame=frame, reason="answer of a meter with another identification")
    return Answered(frame=frame, data=frame)


def _is_selected(frame: bytes, secondary: bytes) -> bool:
    """Return whether the telegram's identification is the selected one; FF was asked as "any"."""
    found = frame[_INFORMATION_AT + 1 : _INFORMATION_AT + 1 + _IDENTITY_BYTES]
    return found[:4] == secondary[:4] and all(
        want in {0xFF, have} for want, have in zip(secondary[4:], found[4:], strict=True)
    )
