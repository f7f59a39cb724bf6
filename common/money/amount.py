"""Money: an integer count of minor units with its currency. 64-bit, checked, never a float.

Amounts are parsed from decimal text only; a unit price is an integer count of millionths of the major unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from typing_extensions import override

from common.errors import InvariantError, RefusalError, ensure

INT64_MAX = 2**63 - 1
MICRO = 1_000_000
_DECIMAL_TEXT = re.compile(r"(?P<sign>[+-]?)(?P<whole>[0-9]{1,19})(?:\.(?P<fraction>[0-9]{1,18}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency of ISO 4217: its letter code and the exponent of its minor unit."""

    code: str
    exponent: int

    @property
    def minor_per_major(self) -> int:
        """Return how many minor units make one major unit."""
        return int(10**self.exponent)


CNY = Currency("CNY", 2)
CURRENCIES = {
    currency.code: currency
    for currency in (
        CNY,
        Currency("EUR", 2),
        Currency("KRW", 0),
        Currency("SGD", 2),
        Currency("TWD", 2),
        Currency("USD", 2),
    )
}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (fen for CNY); sums refuse to mix currencies."""

    minor: int
    currency: Currency = CNY

    def __post_init__(self) -> None:
        """Check the 64-bit range."""
        check_int64(self.minor, "money")

    def __add__(self, other: Money) -> Money:
        """Return the sum of two amounts of one currency."""
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        """Return the difference of two amounts of one currency."""
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> Money:
        """Return the mirrored amount."""
        return Money(-self.minor, self.currency)

    @override
    def __str__(self) -> str:
        """Return the amount as decimal text with its currency code."""
        return f"{format_minor(self.minor, self.currency)} {self.currency.code}"

    def _same(self, other: Money) -> Money:
        ensure(self.currency == other.currency, f"cannot add {self.currency.code} and {other.currency.code}")
        return other


def check_int64(value: int, what: str) -> int:
    """Return the value when it fits a signed 64-bit integer.

    Raises:
        InvariantError: the value would wrap in the database.
    """
    if not -INT64_MAX <= value <= INT64_MAX:
        raise InvariantError(f"{what} does not fit 64 bits: {value}")
    return value


def parse_scaled(text: str, exponent: int, what: str) -> int:
    """Return decimal text as an integer of 10**-exponent units: `parse_scaled("0.4883", 6, ...)` is 488300.

    Raises:
        RefusalError: the text is not plain ASCII decimal digits, has more decimals than the scale, or is out of range.
    """
    match = _DECIMAL_TEXT.fullmatch(text)
    if match is None:
        raise RefusalError(f"{what}: {text!r} is not a decimal number; write plain digits such as 12.50")
    fraction = (match["fraction"] or "").rstrip("0")
    if len(fraction) > exponent:
        raise RefusalError(f"{what}: {text!r} has more than {exponent} decimals; give at most {exponent}")
    value = int(match["whole"] + fraction.ljust(exponent, "0"))
    if value > INT64_MAX:
        raise RefusalError(f"{what}: {text!r} is too large for 64 bits")
    return -value if match["sign"] == "-" else value


def parse_money(text: str, currency: Currency = CNY) -> Money:
    """Return the amount written as decimal text in major units.

    Raises:
        RefusalError: the text is not an amount of the currency.
    """
    return Money(parse_scaled(text, currency.exponent, "amount"), currency)


def format_minor(minor: int, currency: Currency = CNY) -> str:
    """Return minor units as decimal text in major units, `-1234` fen as `-12.34`."""
    whole, fraction = divmod(abs(minor), currency.minor_per_major)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{fraction:0{currency.exponent}d}" if currency.exponent else f"{sign}{whole}"
