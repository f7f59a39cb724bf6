"""Law 4: the parts of a split sum to the whole, do not depend on order, and are never off by a unit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import RefusalError
from common.money.split import split_by_weight

WEIGHTS = st.dictionaries(st.text("abcdef0123", min_size=1, max_size=4), st.integers(0, 10**9), min_size=1, max_size=30)
POOLS = st.integers(-(10**12), 10**12)


@given(POOLS, WEIGHTS.filter(lambda weights: any(weights.values())))
def test_parts_sum_to_the_whole_and_none_is_off_by_a_unit(total: int, weights: dict[str, int]) -> None:
    parts = split_by_weight(total, weights)
    assert sum(parts.values()) == total
    weight_sum = sum(weights.values())
    assert all(abs(parts[key] - Fraction(total * weight, weight_sum)) < 1 for key, weight in weights.items())


@given(POOLS, WEIGHTS.filter(lambda weights: any(weights.values())), st.data())
def test_the_order_of_the_keys_changes_nothing(total: int, weights: dict[str, int], data: st.DataObject) -> None:
    keys = data.draw(st.permutations(sorted(weights)))
    assert split_by_weight(total, {key: weights[key] for key in keys}) == split_by_weight(total, weights)


@given(st.integers(0, 10**12), WEIGHTS.filter(lambda weights: any(weights.values())))
def test_a_larger_weight_never_gets_less(total: int, weights: dict[str, int]) -> None:
    parts = split_by_weight(total, weights)
    ordered = sorted(weights, key=lambda key: (weights[key], parts[key]))
    by_weight: dict[int, list[int]] = {}
    for key in ordered:
        by_weight.setdefault(weights[key], []).append(parts[key])
    least = [min(found) for _, found in sorted(by_weight.items())]
    most = [max(found) for _, found in sorted(by_weight.items())]
    assert all(low <= high for low, high in zip(most, least[1:], strict=False))


def test_ties_go_to_the_smaller_key() -> None:
    assert split_by_weight(10_000, {"b": 1, "c": 1, "a": 1}) == {"a": 3_334, "b": 3_333, "c": 3_333}
    assert split_by_weight(-100, {2: 1, 1: 1, 3: 1}) == {1: -34, 2: -33, 3: -33}
    assert split_by_weight(5, {b"x": 0, b"y": 7}) == {b"x": 0, b"y": 5}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({}, "an amount cannot be split over nobody; name at least one share"),
        ({"a": 1, "c": -1, "b": -2}, "negative share for b, c; a share is zero or more"),
        ({"a": 0, "b": 0}, "all shares are zero; at least one must be positive"),
    ],
)
def test_a_split_without_positive_weights_is_refused(weights: dict[str, int], message: str) -> None:
    with pytest.raises(RefusalError, match=f"^{message}$"):
        split_by_weight(100, weights)
