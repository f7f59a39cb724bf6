"""The billing bench works: a small town is billed whole, and billed again it writes nothing."""

from __future__ import annotations

import pytest

from tests.bench.billing import measure


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_small_town_is_billed_once() -> None:
    found = {one.name: one for one in measure(400, workers=1)}
    assert found["rows of the second run"].value == 0
    assert found["run / raw load"].value > 0
