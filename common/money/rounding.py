"""Rounding of exact fractions to integers, with the mode named at the call.

Python's `//` floors and PostgreSQL's truncates, so every division of money goes through here and a credit rounds
as its rule says. `HALF_UP` rounds halves away from zero, as Chinese billing practice and ISO 80000-1 rule B do.
"""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from common.errors import ensure


class RoundingMode(StrEnum):
    """How a value between two grid points is rounded."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    UP = "up"
    DOWN = "down"


def divide(numerator: int, denominator: int, mode: RoundingMode) -> int:
    """Return numerator / denominator rounded to an integer.

    Modes act on the magnitude, so `divide(-n, d, mode) == -divide(n, d, mode)`: a reversal mirrors its original.

    Raises:
        InvariantError: the denominator is not positive.
    """
    ensure(denominator > 0, "a rounding denominator is positive")
    quotient, remainder = divmod(abs(numerator), denominator)
    if remainder and _away_from_zero(quotient, remainder, denominator, mode):
        quotient += 1
    return quotient if numerator >= 0 else -quotient


def _away_from_zero(quotient: int, remainder: int, denominator: int, mode: RoundingMode) -> bool:
    match mode:
        case RoundingMode.HALF_UP:
            return remainder * 2 >= denominator
        case RoundingMode.HALF_EVEN:
            return remainder * 2 > denominator or (remainder * 2 == denominator and quotient % 2 == 1)
        case RoundingMode.UP:
            return True
        case RoundingMode.DOWN:
            return False
        case _:
            assert_never(mode)


def round_to(value: int, grid: int, mode: RoundingMode) -> int:
    """Return the value moved to a multiple of the grid; 1234 to a grid of 10 half up is 1230."""
    return divide(value, grid, mode) * grid
