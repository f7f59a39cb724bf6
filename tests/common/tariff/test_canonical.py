"""Law 9: canonical JSON reads back to what was printed, and one value has one hash."""

from __future__ import annotations

import json
from datetime import date
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import RefusalError
from common.tariff.canonical import canonical_json, canonical_sha, to_plain

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_printed_is_read_back(value: object) -> None:
    printed = canonical_json(value)
    assert json.loads(printed) == value
    assert canonical_json(json.loads(printed)) == printed


@given(st.dictionaries(st.text(max_size=8), st.integers(), min_size=2))
def test_the_order_of_fields_changes_no_hash(value: dict[str, int]) -> None:
    assert canonical_sha(dict(reversed(value.items()))) == canonical_sha(value)


def test_the_bytes_are_frozen() -> None:
    value = {"b": [1, True, None], "a": "物业费", "d": date(2026, 11, 23), "c": ("x",)}
    printed = '{"a":"物业费","b":[1,true,null],"c":["x"],"d":"2026-11-23"}'
    assert canonical_json(value) == printed.encode()
    assert canonical_sha({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"price": 0.55}, r"document\.price: 0\.55 is a binary fraction; write the decimal in quotes"),
        ([1, float("nan")], r"document\[1\]: nan is a binary fraction"),
        ({1: "a"}, r"document: the key 1 is not text; put it in quotes"),
        ({"a": {b"x"}}, r"document\.a: set is no JSON value"),
    ],
)
def test_what_json_cannot_say_exactly_is_refused(value: object, message: str) -> None:
    with pytest.raises(RefusalError, match=message):
        to_plain(value)


def test_any_mapping_is_plain() -> None:
    assert to_plain(MappingProxyType({"a": MappingProxyType({})})) == {"a": {}}
