"""The gates of the rating bench hold: ratios against the tightest code for the same tariff, measured in one run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bench.rating import Measure, measure_columns, measure_compiling, measure_values


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
