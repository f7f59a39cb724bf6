"""Register bytes to exact numbers, and exact numbers to milli-units. No float leaves this module.

A pattern that is no number (non-BCD digits, NaN, a "not available" mark) is refused, never read as zero: the caller
keeps the raw bytes and reports the value as one that must not be billed.
"""

from __future__ import annotations

import math
import struct
from enum import StrEnum
from fractions import Fraction

from common.errors import RefusalError

_MILLI = 1000
_DECIMAL_BASE = 10
_SIGN_BIT = 0x80


class ValueRefusedError(RefusalError):
    """Bytes of a sound frame that are no value one may bill."""


class RegisterType(StrEnum):
    """How the bytes of a register make a number. The `bcd_low_*` types are those of DL/T 645 and CJ/T 188."""

    U16 = "u16"
    S16 = "s16"
    U32 = "u32"
    S32 = "s32"
    U64 = "u64"
    S64 = "s64"
    F32 = "f32"
    F64 = "f64"
    BCD = "bcd"
    BCD_LOW_FIRST = "bcd_low_first"
    BCD_LOW_FIRST_SIGNED = "bcd_low_first_signed"


class ByteOrder(StrEnum):
    """Order of the bytes of a multi-register number; A is the most significant byte of the first form."""

    ABCD = "ABCD"
    CDAB = "CDAB"  # low word first
    BADC = "BADC"  # bytes swapped inside each word
    DCBA = "DCBA"


REGISTER_BYTES = {
    RegisterType.U16: 2,
    RegisterType.S16: 2,
    RegisterType.U32: 4,
    RegisterType.S32: 4,
    RegisterType.U64: 8,
    RegisterType.S64: 8,
    RegisterType.F32: 4,
    RegisterType.F64: 8,
}
_FLOATS = frozenset({RegisterType.F32, RegisterType.F64})
_SIGNED = frozenset({RegisterType.S16, RegisterType.S32, RegisterType.S64})


def number(raw: bytes, register_type: RegisterType, order: ByteOrder = ByteOrder.ABCD) -> Fraction:
    """Return the exact number that the bytes hold.

    Raises:
        ValueRefusedError: the bytes are no number of the type.
    """
    whole = whole_number(raw, register_type, order)
    return _float_number(_reorder(raw, order)) if whole is None else Fraction(whole)


def whole_number(raw: bytes, register_type: RegisterType, order: ByteOrder = ByteOrder.ABCD) -> int | None:
    """Return the integer that the bytes hold; None for the float types, whose numbers need not be whole.

    Raises:
        ValueRefusedError: the bytes are no number of the type.
    """
    if register_type is RegisterType.BCD_LOW_FIRST:
        return bcd_low_first(raw)
    if register_type is RegisterType.BCD_LOW_FIRST_SIGNED:
        return bcd_low_first_signed(raw)
    big_endian = raw if order is ByteOrder.ABCD else _reorder(raw, order)
    if register_type is RegisterType.BCD:
        return bcd_low_first(big_endian[::-1])
    if len(raw) != REGISTER_BYTES[register_type]:
        raise ValueRefusedError(f"{register_type} needs {REGISTER_BYTES[register_type]} bytes, got {len(raw)}")
    if register_type in _FLOATS:
        return None
    return int.from_bytes(big_endian, signed=register_type in _SIGNED)


def bcd_low_first(raw: bytes) -> int:
    """Return the number of BCD digits sent lowest byte first.

    Raises:
        ValueRefusedError: a half byte is no decimal digit.
    """
    value = 0
    for byte in reversed(raw):
        high, low = byte >> 4, byte & 0x0F
        if high >= _DECIMAL_BASE or low >= _DECIMAL_BASE:
            raise ValueRefusedError(f"bytes {raw.hex()} hold a digit above 9; the value is refused, the frame kept")
        value = value * 100 + high * 10 + low
    return value


def bcd_low_first_signed(raw: bytes) -> int:
    """Return a BCD number whose sign is the top bit of its highest byte (DL/T 645 instants).

    Raises:
        ValueRefusedError: there is no byte, or a half byte is no decimal digit.
    """
    if not raw:
        raise ValueRefusedError("a signed number of no bytes")
    magnitude = bcd_low_first(raw[:-1] + bytes([raw[-1] & ~_SIGN_BIT & 0xFF]))
    return -magnitude if raw[-1] & _SIGN_BIT else magnitude


def to_milli(value: Fraction) -> int:
    """Return the value in whole milli-units, halves away from zero."""
    return ratio_milli(value.numerator, value.denominator)


def ratio_milli(numerator: int, denominator: int) -> int:
    """Return a quotient in whole milli-units, halves away from zero; the denominator is above zero."""
    magnitude = (abs(numerator) * _MILLI * 2 // denominator + 1) // 2
    return -magnitude if numerator < 0 else magnitude


def decimal_text(digits: int, decimals: int) -> str:
    """Return an integer count of the last decimal place as decimal text, 26 with 2 decimals as `0.26`."""
    whole, fraction = divmod(abs(digits), _DECIMAL_BASE**decimals)
    sign = "-" if digits < 0 else ""
    return f"{sign}{whole}.{fraction:0{decimals}d}" if decimals else f"{sign}{whole}"


def _reorder(raw: bytes, order: ByteOrder) -> bytes:
    words = [raw[n : n + 2] for n in range(0, len(raw), 2)]
    if order in {ByteOrder.CDAB, ByteOrder.DCBA}:
        words.reverse()
    if order in {ByteOrder.BADC, ByteOrder.DCBA}:
        words = [word[::-1] for word in words]
    return b"".join(words)


def _float_number(big_endian: bytes) -> Fraction:
    layout = ">f" if len(big_endian) == REGISTER_BYTES[RegisterType.F32] else ">d"
    (value,) = struct.unpack(layout, big_endian)
    if not math.isfinite(value):
        raise ValueRefusedError(f"bytes {big_endian.hex()} are no finite number")
    return Fraction(value)
