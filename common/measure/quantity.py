"""Quantities: an integer count of milli-units with its unit; decimal only while parsing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from typing_extensions import override

from common.errors import ensure
from common.money.amount import check_int64, parse_scaled

MILLI_EXPONENT = 3
MILLI = 10**MILLI_EXPONENT


class Unit(StrEnum):
    """The units that meters count and tariffs price."""

    KILOWATT_HOUR = "kWh"
    CUBIC_METRE = "m3"
    TONNE = "t"
    GIGAJOULE = "GJ"
    SQUARE_METRE = "m2"
    KILOWATT = "kW"
    MINUTE = "min"
    HOUR = "h"
    DAY = "day"
    MONTH = "month"
    HOUSEHOLD = "household"
    PERSON = "person"
    PIECE = "piece"
    VOLT = "V"
    AMPERE = "A"
    CELSIUS = "degC"


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount of something in milli-units; sums refuse to mix units."""

    milli: int
    unit: Unit

    def __post_init__(self) -> None:
        """Check the 64-bit range."""
        check_int64(self.milli, "quantity")

    def __add__(self, other: Quantity) -> Quantity:
        """Return the sum of two quantities of one unit."""
        return Quantity(self.milli + self._same(other).milli, self.unit)

    def __sub__(self, other: Quantity) -> Quantity:
        """Return the difference of two quantities of one unit."""
        return Quantity(self.milli - self._same(other).milli, self.unit)

    @override
    def __str__(self) -> str:
        """Return the quantity as decimal text with its unit."""
        return f"{format_milli(self.milli)} {self.unit}"

    def _same(self, other: Quantity) -> Quantity:
        ensure(self.unit == other.unit, f"cannot add {self.unit} and {other.unit}")
        return other


def parse_quantity(text: str, unit: Unit) -> Quantity:
    """Return the quantity written as decimal text.

    Raises:
        RefusalError: the text is no decimal number, or is finer than a milli-unit.
    """
    return Quantity(parse_scaled(text, MILLI_EXPONENT, f"quantity in {unit}"), unit)


def format_milli(milli: int) -> str:
    """Return milli-units as the shortest decimal text, 150000 as `150` and 1500 as `1.5`."""
    whole, fraction = divmod(abs(milli), MILLI)
    sign = "-" if milli < 0 else ""
    digits = f"{fraction:03d}".rstrip("0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"
