"""Register bytes to exact numbers: every type and byte order, and what is refused instead of read as zero."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.protocol.values import (
    ByteOrder,
    RegisterType,
    ValueRefusedError,
    bcd_low_first,
    bcd_low_first_signed,
    decimal_text,
    number,
    to_milli,
)


@pytest.mark.parametrize(
    ("raw", "kind", "order", "expected"),
    [
        ("0902", RegisterType.U16, ByteOrder.ABCD, Fraction(2306)),
        ("fffe", RegisterType.S16, ByteOrder.ABCD, Fraction(-2)),
        ("0001e240", RegisterType.U32, ByteOrder.ABCD, Fraction(123456)),
        ("e2400001", RegisterType.U32, ByteOrder.CDAB, Fraction(123456)),
        ("010040e2", RegisterType.U32, ByteOrder.BADC, Fraction(123456)),
        ("40e20100", RegisterType.U32, ByteOrder.DCBA, Fraction(123456)),
        ("fffffffe", RegisterType.S32, ByteOrder.ABCD, Fraction(-2)),
        ("0000000000bc614e", RegisterType.S64, ByteOrder.ABCD, Fraction(12345678)),
        ("ffffffffffffffff", RegisterType.U64, ByteOrder.ABCD, Fraction(2**64 - 1)),
        ("00004148", RegisterType.F32, ByteOrder.CDAB, Fraction(25, 2)),
        ("4028000000000000", RegisterType.F64, ByteOrder.ABCD, Fraction(12)),
        ("00123456", RegisterType.BCD, ByteOrder.ABCD, Fraction(123456)),
        ("56341200", RegisterType.BCD_LOW_FIRST, ByteOrder.ABCD, Fraction(123456)),
        ("341285", RegisterType.BCD_LOW_FIRST_SIGNED, ByteOrder.ABCD, Fraction(-51234)),
    ],
)
def test_a_register_holds_exactly_this_number(
    raw: str, kind: RegisterType, order: ByteOrder, expected: Fraction
) -> None:
    assert number(bytes.fromhex(raw), kind, order) == expected


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("7fc00000", RegisterType.F32),
        ("7f800000", RegisterType.F32),
        ("ff800000", RegisterType.F32),
        ("7ff8000000000000", RegisterType.F64),
        ("00140a00", RegisterType.BCD_LOW_FIRST),
        ("a0000000", RegisterType.BCD_LOW_FIRST),
        ("ffffffff", RegisterType.BCD),
        ("", RegisterType.BCD_LOW_FIRST_SIGNED),
        ("0001", RegisterType.U32),
        ("000102030405", RegisterType.F32),
    ],
)
def test_what_is_no_number_is_refused(raw: str, kind: RegisterType) -> None:
    with pytest.raises(ValueRefusedError):
        number(bytes.fromhex(raw), kind)


def test_the_top_bit_is_a_sign_only_in_signed_items() -> None:
    raw = bytes.fromhex("00000080")

    assert bcd_low_first(raw) == 80_000_000
    assert bcd_low_first_signed(raw) == 0


@pytest.mark.parametrize(
    ("value", "milli"),
    [
        (Fraction(1), 1000),
        (Fraction(1, 2000), 1),
        (Fraction(1, 2001), 0),
        (Fraction(-1, 2000), -1),
        (Fraction(-51234, 10000), -5123),
        (Fraction(struct.unpack(">f", bytes.fromhex("43663334"))[0]), 230200),
    ],
)
def test_milli_units_round_halves_away_from_zero(value: Fraction, milli: int) -> None:
    assert to_milli(value) == milli


@given(value=st.integers(0, 99_999_999))
def test_decimal_digits_come_back(value: int) -> None:
    raw = bytes.fromhex(f"{value:08d}")[::-1]

    assert bcd_low_first(raw) == value
    assert decimal_text(value, 2) == f"{value // 100}.{value % 100:02d}"


@pytest.mark.parametrize(("digits", "decimals", "text"), [(26, 2, "0.26"), (-51234, 4, "-5.1234"), (223, 0, "223")])
def test_decimal_text_keeps_every_place(digits: int, decimals: int, text: str) -> None:
    assert decimal_text(digits, decimals) == text
