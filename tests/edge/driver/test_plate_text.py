"""The plate in a camera's message is bounded and normalised."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from edge.driver.plate_text import checked_plate


def test_a_plate_is_normalised_and_no_plate_is_none() -> None:
    assert checked_plate("蓝京a·12345") == "京A12345"
    assert checked_plate("_无_") is None


@pytest.mark.parametrize("text", ["京" * 13, "京" * 10_000])
def test_a_text_too_long_for_a_plate_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(RefusalError, match="check what sends"):
        checked_plate(text)
