"""Splitting a pool by column is splitting it by value: the same parts, ties to the smaller id, all of it given out."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.rating.column_pools import fraction_texts, largest_remainder
from common.errors import InvariantError
from common.money.split import split_by_weight

WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any)


@given(values=st.lists(st.integers(0, 10**12), min_size=1), scale=st.sampled_from([1, 2, 3, 1000, 720]))
def test_a_weight_has_the_text_of_its_fraction(values: list[int], scale: int) -> None:
    texts = fraction_texts(np.array(values, dtype=np.int64), scale)
    assert texts == [str(Fraction(value, scale)) for value in values]


@given(total=st.integers(0, 10**9), weights=WEIGHTS)
def test_the_parts_are_those_of_the_split_by_value(total: int, weights: list[int]) -> None:
    parts = largest_remainder(total, np.array(weights, dtype=np.int64))
    assert parts.tolist() == list(split_by_weight(total, dict(enumerate(weights))).values())


def test_nothing_is_split_over_no_weight() -> None:
    with pytest.raises(InvariantError, match="above zero"):
        largest_remainder(100, np.zeros(3, dtype=np.int64))
