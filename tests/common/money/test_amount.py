"""Money is whole minor units of one currency, parsed from plain digits and never wrapped."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvariantError, RefusalError
from common.money.amount import CNY, CURRENCIES, INT64_MAX, Currency, Money, format_minor, parse_money, parse_scaled

USD = CURRENCIES["USD"]
KRW = CURRENCIES["KRW"]


def test_amounts_of_one_currency_add_and_subtract_and_mirror() -> None:
    assert Money(150) + Money(50) == Money(200)
    assert Money(150) - Money(200) == Money(-50)
    assert -Money(5, USD) == Money(-5, USD)
    assert Money(7, USD) + Money(5, USD) == Money(12, USD)
    assert Money(7, USD) - Money(5, USD) == Money(2, USD)
    assert str(Money(-1234)) == "-12.34 CNY"


@pytest.mark.parametrize("operate", [Money.__add__, Money.__sub__])
def test_currencies_are_never_mixed(operate: Callable[[Money, Money], Money]) -> None:
    with pytest.raises(InvariantError, match="cannot add CNY and USD"):
        operate(Money(1), Money(1, USD))


def test_an_amount_beyond_64_bits_is_an_error_and_never_wraps() -> None:
    assert Money(INT64_MAX).minor == INT64_MAX
    assert Money(-INT64_MAX).minor == -INT64_MAX
    with pytest.raises(InvariantError, match="money does not fit 64 bits"):
        Money(INT64_MAX + 1)
    with pytest.raises(InvariantError, match="money does not fit 64 bits"):
        Money(INT64_MAX) + Money(1)
    with pytest.raises(InvariantError, match="money does not fit 64 bits"):
        Money(-INT64_MAX) - Money(1)


@pytest.mark.parametrize(
    ("text", "exponent", "scaled"),
    [
        ("0", 2, 0),
        ("12.5", 2, 1250),
        ("12.50", 2, 1250),
        ("12.500000", 2, 1250),
        ("-0.01", 2, -1),
        ("+3", 2, 300),
        ("007", 0, 7),
        ("0.4883", 6, 488_300),
        ("100", 0, 100),
    ],
)
def test_decimal_text_is_scaled_exactly(text: str, exponent: int, scaled: int) -> None:
    assert parse_scaled(text, exponent, "number") == scaled


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1.",
        ".5",
        "1e3",
        "NaN",
        "inf",
        "1,000",
        "0x10",
        "--1",
        "1_000",
        "\uff11",
        "\u0661",
        "1\u00b2",
        "1.2.3",
    ],
)
def test_anything_but_plain_ascii_digits_is_refused(text: str) -> None:
    with pytest.raises(RefusalError, match="is not a decimal number; write plain digits"):
        parse_scaled(text, 6, "number")


def test_more_decimals_than_the_scale_are_refused_and_not_cut() -> None:
    with pytest.raises(RefusalError, match=r"amount: '0.001' has more than 2 decimals; give at most 2"):
        parse_money("0.001")


def test_a_number_too_large_for_64_bits_is_refused() -> None:
    assert parse_scaled("92233720368547758.07", 2, "amount") == INT64_MAX
    with pytest.raises(RefusalError, match="is too large for 64 bits"):
        parse_scaled("92233720368547758.08", 2, "amount")


@given(st.integers(-INT64_MAX, INT64_MAX), st.sampled_from(sorted(CURRENCIES)))
def test_what_is_printed_is_read_back(minor: int, code: str) -> None:
    currency = CURRENCIES[code]
    assert parse_money(format_minor(minor, currency), currency) == Money(minor, currency)


def test_a_currency_without_minor_unit_prints_no_decimals() -> None:
    assert format_minor(14_600, KRW) == "14600"
    assert format_minor(-5, KRW) == "-5"
    assert format_minor(-5) == "-0.05"
    assert format_minor(0) == "0.00"
    assert format_minor(1_205) == "12.05"
    assert Currency("CNY", 2) == CNY
    assert CNY.minor_per_major == 100
    assert KRW.minor_per_major == 1
