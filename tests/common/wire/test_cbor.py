"""Only plain, bounded, deterministic CBOR is read; tags that would build Python objects never get that far."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.wire import cbor
from common.wire.refusal import Refusal, WireError
from tests.common.wire.builders import calm

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@calm
@given(plain)
def test_plain_values_come_back(value: Any) -> None:
    assert cbor.decode(cbor.encode(value), "it") == value
    cbor.require_plain(value, "it")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x9f\x00\xff",
        b"\x5f\x41\x00\xff",
        b"\x00\x00",
        b"\x18\x01",
        b"\xa2\x61a\x00\x61a\x00",
        b"\xa2\x61b\x00\x61a\x00",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x81" * 100_000,
        b"\xc1" * 100_000,
        b"\x61\xff",
        b"\xd8\x1c\x81\xd8\x1d\x00",
    ],
    ids=[
        "nothing",
        "indefinite array",
        "indefinite bytes",
        "bytes after it",
        "long integer",
        "repeated key",
        "unordered keys",
        "endless array",
        "endless bytes",
        "deep arrays",
        "deep tags",
        "broken text",
        "a cycle",
    ],
)
def test_anything_but_one_deterministic_bounded_value_is_refused(data: bytes) -> None:
    with pytest.raises(WireError) as refused:
        cbor.decode(data, "it")
    assert refused.value.reason is Refusal.MALFORMED


@pytest.mark.parametrize("tag", [*range(64), 100, *range(250, 270), 1004, 43000, 55799])
@pytest.mark.parametrize("inner", [0, "(a+)+$", b"\x01", [1, 2]])
def test_no_tag_builds_a_python_object(tag: int, inner: Any) -> None:
    data = cbor2.dumps(cbor2.CBORTag(tag, inner), canonical=True)
    try:
        value = cbor.decode(data, "it")
    except WireError:
        return
    assert type(value) is cbor2.CBORTag


@pytest.mark.parametrize("value", [1.5, {1: 2}, cbor2.CBORTag(72, b"\x01"), [{"a": {2: 3}}], 2**64, cbor2.undefined])
def test_what_the_wire_does_not_carry_is_not_plain(value: Any) -> None:
    with pytest.raises(WireError):
        cbor.require_plain(value, "it")


@calm
@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_signed_arrays_come_back(values: list[int]) -> None:
    packed = cbor.decode(cbor.encode(cbor.pack_integers(values, signed=True)), "it")
    assert cbor.unpack_integers(packed, "it", signed=True, count_max=20) == tuple(values)


@pytest.mark.parametrize(
    ("values", "signed", "tag", "size"),
    [
        ([], True, 72, 0),
        ([127, -128], True, 72, 2),
        ([128], True, 77, 2),
        ([-(2**31)], True, 78, 4),
        ([2**31], True, 79, 8),
        ([255], False, 64, 1),
        ([256], False, 69, 2),
        ([2**32 - 1], False, 70, 4),
        ([2**64 - 1], False, 71, 8),
    ],
)
def test_the_narrowest_array_is_taken(values: list[int], signed: bool, tag: int, size: int) -> None:  # noqa: FBT001
    packed = cbor.pack_integers(values, signed=signed)
    assert (packed.tag, len(packed.value)) == (tag, size)


def test_typed_arrays_are_the_little_endian_ones_of_rfc_8746() -> None:
    assert cbor.encode(cbor.pack_integers([1, -2, 300], signed=True)) == bytes.fromhex("d84d460100feff2c01")


def test_a_value_beyond_64_bits_is_refused() -> None:
    with pytest.raises(WireError):
        cbor.pack_integers([2**64], signed=False)


@pytest.mark.parametrize(
    "value",
    [
        b"\x01",
        cbor2.CBORTag(73, b"\x00\x01"),
        cbor2.CBORTag(77, b"\x01"),
        cbor2.CBORTag(72, b"\x01\x01"),
        cbor2.CBORTag(64, b"\x01"),
        cbor2.CBORTag(77, b""),
        cbor2.CBORTag(77, b"\x7f\x00"),
    ],
)
def test_an_array_of_another_kind_length_or_width_is_refused(value: Any) -> None:
    with pytest.raises(WireError):
        cbor.unpack_integers(value, "it", signed=True, count_max=1)


@calm
@given(st.lists(st.integers(-(2**30), 2**30), max_size=20))
def test_steps_come_back(values: list[int]) -> None:
    assert cbor.unpack_steps(cbor.pack_steps(values), "it", count_max=20) == tuple(values)
