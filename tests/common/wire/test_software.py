"""The release of a gateway as one number, and back."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from common.wire.software import pack_release, unpack_release


@pytest.mark.parametrize(("text", "number"), [("0.1.0", 1_000), ("1.20.3", 1_020_003), ("999.999.999", 999_999_999)])
def test_a_release_is_one_number_and_back(text: str, number: int) -> None:
    assert pack_release(text) == number
    assert unpack_release(number) == text


def test_what_stands_behind_the_third_number_is_left_out() -> None:
    assert pack_release("2.4.1rc1+build.7") == pack_release("2.4.1")
    assert unpack_release(pack_release("2.4")) == "2.4.0"


@pytest.mark.parametrize("text", ["", "seven", "1", "1.2.3456", "-1.2.3"])
def test_what_is_no_release_is_refused(text: str) -> None:
    with pytest.raises(RefusalError, match="release"):
        pack_release(text)
