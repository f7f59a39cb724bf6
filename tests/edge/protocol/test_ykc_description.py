"""YKC frames in words: short bodies are refused, unknown types shown as bytes."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from edge.protocol.ykc import LOGIN, REAL_TIME, RECORD, make_frame
from edge.protocol.ykc_description import describe_ykc, scaled


@pytest.mark.parametrize("kind", [LOGIN, REAL_TIME, RECORD])
def test_a_body_too_short_for_its_type_is_refused(kind: int) -> None:
    with pytest.raises(RefusalError):
        describe_ykc(make_frame(kind, b"\x20" * 5, 1))


def test_an_unknown_type_is_shown_as_bytes() -> None:
    assert describe_ykc(make_frame(0x77, b"\x01\x02", 1))["data"] == "0102"


def test_small_units_are_written_out() -> None:
    assert (scaled(1650, 4), scaled(0, 4), scaled(150_000, 5)) == ("0.1650", "0.0000", "1.50000")
