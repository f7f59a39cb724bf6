"""Rounding of exact fractions to integers, with the mode named at the call.

Python's `//` floors and PostgreSQL's truncates, so every division of money goes through here and a credit rounds
as its rule says. `HALF_UP` rounds halves away from zero, as Chinese billing practice and ISO 80000-1 rule B do.
"""

from __future__ import annotations

from enum import StrEnum

from common.errors import InvariantError


class RoundingMode(StrEnum):
    """How a value between two grid points is rounded."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    UP = "up"
    DOWN = "down"


# Looking a member up on an enum costs more than the comparison; this is the innermost loop of rating.
_HALF_UP, _HALF_EVEN, _UP = RoundingMode.HALF_UP, RoundingMode.HALF_EVEN, RoundingMode.UP


def divide(numerator: int, denominator: int, mode: RoundingMode) -> int:
    """Return numerator / denominator rounded to an integer.

    Modes act on the magnitude, so `divide(-n, d, mode) == -divide(n, d, mode)`: a reversal mirrors its original.

    Raises:
        InvariantError: the denominator is not positive.
    """
    if denominator <= 0:
        raise InvariantError("a rounding denominator is positive")
    quotient, remainder = divmod(abs(numerator), denominator)
    if remainder and _away_from_zero(quotient, remainder, denominator, mode):
        quotient += 1
    return quotient if numerator >= 0 else -quotient


def _away_from_zero(quotient: int, remainder: int, denominator: int, mode: RoundingMode) -> bool:
    if mode is _HALF_UP:
        return remainder * 2 >= denominator
    if mode is _HALF_EVEN:
        return remainder * 2 > denominator or (remainder * 2 == denominator and quotient % 2 == 1)
    return mode is _UP


def round_to(value: int, grid: int, mode: RoundingMode) -> int:
    """Return the value moved to a multiple of the grid; 1234 to a grid of 10 half up is 1230."""
    return divide(value, grid, mode) * grid
