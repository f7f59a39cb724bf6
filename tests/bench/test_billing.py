"""The billing bench: a small town is billed whole, and billed again it writes nothing; limits are what they say."""

from __future__ import annotations

import pytest

from tests.bench.billing import measure
from tests.bench.billing_stand import Measure


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_small_town_is_billed_once() -> None:
    found = {one.name: one for one in measure(400, workers=1)}
    assert found["rows of the second run"].value == 0
    assert found["run / raw load"].value > 0
    assert found["processor time of the workers"].value > 0
    assert found["processor time of the server"].value > 0
    assert found["run / raw load in processor time"].value > 0


@pytest.mark.parametrize(
    ("value", "bounds", "said"),
    [
        (1.5, {"most": 1.5}, "(at most 1.5: pass)"),
        (1.6, {"most": 1.5}, "(at most 1.5: FAIL)"),
        (1500, {"least": 1500}, "(at least 1500: pass)"),
        (1499, {"least": 1500}, "(at least 1500: FAIL)"),
        (7, {}, ""),
    ],
)
def test_a_figure_says_its_limit_and_whether_it_is_kept(value: float, bounds: dict[str, float], said: str) -> None:
    assert Measure(name="a figure", value=value, unit="", **bounds).limit.strip() == said
