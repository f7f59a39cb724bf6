"""Rounding of exact fractions: the mode is named, the magnitude decides, a reversal mirrors its original."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvariantError
from common.money.rounding import RoundingMode, divide, round_to

MODES = list(RoundingMode)


@pytest.mark.parametrize(
    ("numerator", "half_up", "half_even", "up", "down"),
    [
        (0, 0, 0, 0, 0),
        (1, 0, 0, 1, 0),
        (2, 1, 0, 1, 0),
        (3, 1, 1, 1, 0),
        (4, 1, 1, 1, 1),
        (5, 1, 1, 2, 1),
        (6, 2, 2, 2, 1),
        (10, 3, 2, 3, 2),
        (14, 4, 4, 4, 3),
        (18, 5, 4, 5, 4),
    ],
)
def test_quarters_round_as_the_mode_says(numerator: int, half_up: int, half_even: int, up: int, down: int) -> None:
    found = {mode: divide(numerator, 4, mode) for mode in MODES}
    assert found == {
        RoundingMode.HALF_UP: half_up,
        RoundingMode.HALF_EVEN: half_even,
        RoundingMode.UP: up,
        RoundingMode.DOWN: down,
    }


@given(st.integers(), st.integers(1, 10**12), st.sampled_from(MODES))
def test_a_reversal_mirrors_its_original(numerator: int, denominator: int, mode: RoundingMode) -> None:
    assert divide(-numerator, denominator, mode) == -divide(numerator, denominator, mode)


@given(st.integers(), st.integers(1, 10**12), st.sampled_from(MODES))
def test_no_mode_is_off_by_a_unit_and_the_half_modes_by_more_than_half(
    numerator: int, denominator: int, mode: RoundingMode
) -> None:
    off = abs(Fraction(numerator, denominator) - divide(numerator, denominator, mode))
    assert off < 1
    if mode in {RoundingMode.HALF_UP, RoundingMode.HALF_EVEN}:
        assert off <= Fraction(1, 2)


@given(st.integers(), st.integers(1, 1000), st.sampled_from(MODES))
def test_rounding_to_a_grid_is_idempotent(value: int, grid: int, mode: RoundingMode) -> None:
    rounded = round_to(value, grid, mode)
    assert rounded % grid == 0
    assert round_to(rounded, grid, mode) == rounded
    assert abs(rounded - value) < grid


@pytest.mark.parametrize("denominator", [0, -1])
def test_a_denominator_that_is_not_positive_is_an_invariant_error(denominator: int) -> None:
    with pytest.raises(InvariantError, match=r"^a rounding denominator is positive$"):
        divide(1, denominator, RoundingMode.HALF_UP)


def test_fen_go_to_jiao_and_yuan() -> None:
    assert round_to(1_234, 10, RoundingMode.HALF_UP) == 1_230
    assert round_to(1_235, 10, RoundingMode.HALF_UP) == 1_240
    assert round_to(-1_235, 10, RoundingMode.HALF_UP) == -1_240
    assert round_to(1_299, 100, RoundingMode.DOWN) == 1_200
