"""The gates of the rating bench hold: ratios against the tightest code for the same tariff, measured in one run."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from tests.bench.rating import COLUMN_RATIO_MAX, Measure, measure_columns, measure_compiling, measure_values


@pytest.mark.slow
@pytest.mark.parametrize("measure", [measure_columns, measure_values])
def test_rating_stays_close_to_the_tightest_code(measure: Callable[[], list[Measure]]) -> None:
    gated = [item for item in measure() if item.most is not None]
    assert gated
    assert [item for item in gated if not item.passed] == []


@pytest.mark.slow
def test_compiling_the_largest_tariff_is_no_event() -> None:
    (compiling,) = measure_compiling()
    assert compiling.value < 50


@pytest.mark.parametrize(("hundredths", "passed"), [(1_000, True), (1_001, False)])
def test_a_gate_fails_when_its_ratio_is_broken(hundredths: int, passed: bool) -> None:  # noqa: FBT001 - a column
    measure = Measure(name="columns", value=Fraction(hundredths, 100), unit="x", most=COLUMN_RATIO_MAX)
    assert measure.passed is passed
