"""A cap on any 24 hours: never passed, and nothing given away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.rating.pricers.rolling import DUES_MAX, SPAN, Due, rolling_excess
from common.rating.refusal import RatingRefusedError, RefusalKind

START = datetime(2026, 6, 1, tzinfo=UTC)


def test_what_fell_due_24_hours_ago_makes_room_at_that_very_instant() -> None:
    cap = Fraction(10)
    first = Due(at=START, minor=cap)
    assert rolling_excess([first, Due(at=START + SPAN, minor=cap)], cap) == 0
    assert rolling_excess([first, Due(at=START + SPAN - timedelta(seconds=1), minor=cap)], cap) == cap


def test_dues_are_taken_in_the_order_of_time_and_only_so_many() -> None:
    late, early = Due(at=START + SPAN, minor=Fraction(7)), Due(at=START, minor=Fraction(8))
    assert rolling_excess([late, early], Fraction(7)) == 1
    assert rolling_excess([], Fraction(0)) == 0
    assert rolling_excess([early] * DUES_MAX, Fraction(8)) == 8 * (DUES_MAX - 1)
    with pytest.raises(RatingRefusedError, match="no more than 20000 units") as refusal:
        rolling_excess([early] * (DUES_MAX + 1), Fraction(8))
    assert refusal.value.kind is RefusalKind.BAD_SESSION


@given(
    st.lists(st.tuples(st.integers(0, 5 * 1440), st.integers(0, 900)), max_size=30),
    st.integers(0, 2_000),
)
def test_no_24_hours_cost_more_than_a_rolling_cap_and_nothing_is_given_away(
    written: list[tuple[int, int]], cap: int
) -> None:
    dues = [Due(at=START + timedelta(minutes=minute), minor=Fraction(minor)) for minute, minor in written]
    ordered = sorted(dues, key=lambda due: due.at)
    kept = [
        due.minor - rolling_excess(ordered[: n + 1], Fraction(cap)) + rolling_excess(ordered[:n], Fraction(cap))
        for n, due in enumerate(ordered)
    ]
    for n, due in enumerate(ordered):
        inside = [own for own, other in zip(kept, ordered, strict=True) if due.at - SPAN < other.at <= due.at]
        assert sum(inside) <= cap
        before = sum(own for own, other in zip(kept[: n + 1], ordered, strict=False) if due.at - SPAN < other.at)
        assert kept[n] == due.minor or before == cap
