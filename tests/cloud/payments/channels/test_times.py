"""Beijing time without a zone, whatever the machine's zone is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cloud.payments.channels.times import COMPACT, beijing_text, read_beijing
from common.errors import RefusalError


def test_a_time_is_written_and_read_back_in_both_forms() -> None:
    instant = datetime(2026, 3, 5, 16, 30, 1, tzinfo=UTC)
    assert beijing_text(instant) == "2026-03-06 00:30:01"
    assert beijing_text(instant, COMPACT) == "20260306003001"
    assert read_beijing("2026-03-06 00:30:01") == read_beijing("20260306003001", COMPACT) == instant


@pytest.mark.parametrize("text", ["", "2026-02-30 00:00:00", "2026-03-05T00:00:00", "tomorrow"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(RefusalError):
        read_beijing(text)
