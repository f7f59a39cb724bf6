"""Ids are UUIDs of version 7 and sort by the time they were made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import to_epoch_ms
from common.errors import InvariantError
from common.ids import TimeOrderedIds, uuid7

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone is beside it


@given(instant=INSTANTS, entropy=st.binary(min_size=10, max_size=10))
def test_an_id_carries_version_variant_and_its_millisecond(instant: datetime, entropy: bytes) -> None:
    made = uuid7(instant, lambda _: entropy)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == to_epoch_ms(instant)


@given(instant=INSTANTS, later_ms=st.integers(1, 10**9), entropy=st.binary(min_size=20, max_size=20))
def test_a_later_id_sorts_after_an_earlier_one(instant: datetime, later_ms: int, entropy: bytes) -> None:
    first = uuid7(instant, lambda _: entropy[:10])
    second = uuid7(instant + timedelta(milliseconds=later_ms), lambda _: entropy[10:])
    assert first < second


def test_the_example_of_the_standard_is_met() -> None:
    # RFC 9562 appendix A.6: 2022-02-22 19:22:22 UTC, rand_a CC3, rand_b 18C4DC0C0C07398F
    entropy = bytes.fromhex("0cc318c4dc0c0c07398f")
    made = uuid7(datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC), lambda _: entropy)
    assert str(made) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def test_a_source_short_of_randomness_is_a_bug() -> None:
    with pytest.raises(InvariantError, match="wrong count of bytes"):
        uuid7(datetime(2026, 1, 1, tzinfo=UTC), lambda _: b"")


def test_a_source_of_ids_asks_its_clock_each_time() -> None:
    instants = iter([datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)])
    ids = TimeOrderedIds(lambda: next(instants), bytes)
    assert ids.new() < ids.new()
