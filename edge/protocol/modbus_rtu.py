"""Modbus RTU as pure bytes: reads of holding (03) and input (04) registers, nothing else.

An RTU frame has no start mark and an answer does not say which registers it holds, so the codec is not
self-identifying: unit, function, length and CRC are compared here, the rest is the line guard's work.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from common.errors import ensure
from edge.protocol.codec import Answered, Foreign, Match, Noise, Refused

HOLDING_REGISTERS = 0x03
INPUT_REGISTERS = 0x04
REGISTERS_MOST = 125
UNIT_MOST = 247
EXCEPTION_FLAG = 0x80
EXCEPTION_BYTES = 5
_HEAD_BYTES = 3
_CRC_BYTES = 2
_CRC_POLYNOMIAL = 0xA001
_READS = frozenset({HOLDING_REGISTERS, INPUT_REGISTERS})
EXCEPTION_MEANINGS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, still working",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not answer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterQuestion:
    """Which registers of which unit are asked; addresses are as sent, counted from 0."""

    unit: int
    function: int
    start: int
    count: int

    def __post_init__(self) -> None:
        """Check the limits of the protocol."""
        ensure(1 <= self.unit <= UNIT_MOST, f"unit {self.unit} is outside 1..{UNIT_MOST}")
        ensure(self.function in _READS, f"function {self.function} does not read registers")
        ensure(1 <= self.count <= REGISTERS_MOST, f"{self.count} registers do not fit one answer")
        ensure(self.start >= 0 and self.start + self.count <= 1 << 16, "registers end at FFFF")


def _crc_table() -> tuple[int, ...]:
    table = []
    for index in range(256):
        value = index
        for _ in range(8):
            value = value >> 1 ^ _CRC_POLYNOMIAL if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


_CRC_TABLE = _crc_table()


def crc16(data: bytes) -> bytes:
    """Return the CRC of Modbus over the bytes, low byte first as it goes out."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _CRC_TABLE[(value ^ byte) & 0xFF]
    return value.to_bytes(_CRC_BYTES, "little")


def crc_holds(frame: bytes) -> bool:
    """Return whether the last two bytes are the CRC of the rest."""
    return len(frame) > _CRC_BYTES and crc16(frame[:-_CRC_BYTES]) == frame[-_CRC_BYTES:]


class ModbusRtu:
    """The codec of Modbus RTU reads."""

    self_identifying = False
    trailer_bytes_most = 0
    idle_byte = None

    def request(self, question: RegisterQuestion) -> bytes:
        """Return the request frame."""
        body = bytes([question.unit, question.function]) + question.start.to_bytes(2) + question.count.to_bytes(2)
        return body + crc16(body)

    def expect(self, prefix: bytes) -> int | None:
        """Return how many bytes the frame that starts here still lacks, or None when none starts here."""
        if len(prefix) < _HEAD_BYTES:
            function_fits = len(prefix) == 1 or prefix[1] & ~EXCEPTION_FLAG in _READS
            return EXCEPTION_BYTES - len(prefix) if function_fits else None
        unit, function, third = prefix[0], prefix[1], prefix[2]
        if not 1 <= unit <= UNIT_MOST or function & ~EXCEPTION_FLAG not in _READS:
            return None
        if function & EXCEPTION_FLAG:
            return EXCEPTION_BYTES - len(prefix)
        if third == 0 or third % 2 or third > 2 * REGISTERS_MOST:
            return None
        return _HEAD_BYTES + third + _CRC_BYTES - len(prefix)

    def match(self, frame: bytes, question: RegisterQuestion) -> Match:
        """Return what a whole frame is to the question."""
        if not crc_holds(frame):
            return Noise(reason="CRC does not hold", damaged=True)
        if frame[0] != question.unit:
            return Foreign(frame=frame, reason=f"answer of unit {frame[0]}")
        if frame[1] & ~EXCEPTION_FLAG != question.function:
            return Foreign(frame=frame, reason=f"answer to function {frame[1]}")
        if frame[1] & EXCEPTION_FLAG:
            code = frame[2]
            return Refused(frame=frame, code=code, meaning=EXCEPTION_MEANINGS.get(code, f"exception {code}"))
        data = frame[_HEAD_BYTES:-_CRC_BYTES]
        if len(data) != 2 * question.count:
            return Foreign(frame=frame, reason=f"{len(data) // 2} registers, not the {question.count} asked for")
        return Answered(frame=frame, data=data)

    def shape(self, question: RegisterQuestion) -> Hashable:
        """Return unit, function and count: all that an answer tells."""
        return (question.unit, question.function, question.count)
