"""What pages share: bounded forms, ids that are ids."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from edge.kiosk.rendering import FORM_BYTES_MAX, parse_id
from tests.edge.kiosk.test_pages import Box, box

__all__ = ["box"]


async def test_a_form_past_the_bound_is_refused(box: Box) -> None:
    answer = await box.browser.post("/parking", content=b"plate=" + b"x" * FORM_BYTES_MAX)
    assert answer.status_code == 413


def test_a_text_that_is_no_id_is_refused_with_what_to_do() -> None:
    with pytest.raises(RefusalError, match="open the page again"):
        parse_id("nonsense")
