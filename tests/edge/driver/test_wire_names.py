"""Names of wires are taken from whatever a site bundle holds."""

from __future__ import annotations

from typing import Any

import pytest

from edge.driver.wire_names import wires_of


@pytest.mark.parametrize(
    ("wires", "names"),
    [([{"wire": "a"}, {"wire": "b"}], {"a", "b"}), ([{"kind": "mqtt"}, 5], set()), (None, set()), ("a", set())],
)
def test_names_are_taken_and_nonsense_has_none(wires: Any, names: set[str]) -> None:
    assert wires_of({"wires": wires}) == names
