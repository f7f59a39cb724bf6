"""A plate in words."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from edge.protocol.plates_description import describe_plate


def test_a_plate_has_a_kind_and_nothing_has_none() -> None:
    assert describe_plate("京AD12345".encode()) == {"plate": "京AD12345", "kind": "new energy, small"}
    for text in ("_无_", "京I12345"):
        with pytest.raises(RefusalError):
            describe_plate(text.encode())
