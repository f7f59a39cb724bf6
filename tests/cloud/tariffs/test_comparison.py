"""The figures of a comparison: everyone is counted once, in the table and in the spread."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloud.tariffs.comparison import BUCKETS_MAX, percent, signed, summarise
from cloud.tariffs.trial import Change
from common.money.amount import CNY


def test_changes_are_ordered_counted_and_summed() -> None:
    rise, fall, same = (Change(name=name, old=1_000, new=new) for name, new in (("a", 1_200), ("b", 900), ("c", 1_000)))
    unknown = Change(name="d", old=None, new=5, reason="no reading")
    found = summarise([fall, unknown, same, rise])
    assert found.known == (rise, same, fall)
    assert found.refused == (unknown,)
    assert (found.more, found.same, found.less, found.total) == (1, 1, 1, 100)
    assert summarise([unknown]).buckets == ()


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)), min_size=1, max_size=60))
def test_the_buckets_count_everyone_once_without_holes(amounts: list[tuple[int, int]]) -> None:
    changes = [Change(name=str(n), old=old, new=new) for n, (old, new) in enumerate(amounts)]
    found = summarise(changes)
    assert len(found.buckets) <= BUCKETS_MAX
    assert sum(bucket.count for bucket in found.buckets) == len(changes) == found.more + found.same + found.less
    assert all(one.high + 1 == other.low for one, other in zip(found.buckets, found.buckets[1:], strict=False))
    for bucket in found.buckets:
        assert bucket.count == sum(bucket.low <= (one.difference or 0) <= bucket.high for one in changes)


def test_a_change_carries_its_sign_and_its_share() -> None:
    assert [signed(minor, CNY) for minor in (150, 0, -150)] == ["+1.50", "0.00", "-1.50"]
    shares = [percent(Change(name="", old=old, new=new)) for old, new in ((1_000, 1_125), (1_000, 900), (0, 5))]
    assert shares == ["+12.5%", "-10.0%", ""]
    assert percent(Change(name="", old=None, new=5)) == ""
