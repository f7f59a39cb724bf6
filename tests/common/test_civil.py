"""Periods tile time, and months counted from an anchor never drift."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.civil import Period, civil_day, days_of, midnight, month_of, nth_month, nth_period
from common.errors import InvariantError

SHANGHAI = ZoneInfo("Asia/Shanghai")
ANCHORS = st.dates(date(1980, 1, 1), date(2100, 12, 31))


@given(anchor=ANCHORS, count=st.integers(-240, 240), months=st.sampled_from([1, 2, 3, 12]))
def test_neighbouring_periods_tile_time(anchor: date, count: int, months: int) -> None:
    assert nth_period(anchor, count, months).end == nth_period(anchor, count + 1, months).start


@given(anchor=ANCHORS, count=st.integers(-240, 240))
def test_the_anchor_day_never_drifts(anchor: date, count: int) -> None:
    reached = nth_month(anchor, count)
    following = nth_month(reached.replace(day=1), 1)
    last_day = (following - timedelta(days=1)).day
    assert reached.day == min(anchor.day, last_day)


def test_the_31st_comes_back_after_february() -> None:
    assert [nth_month(date(2026, 1, 31), n) for n in (1, 2, 3)] == [
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
    ]


def test_a_leap_day_anchor_clamps_in_common_years() -> None:
    assert nth_month(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert nth_month(date(2024, 2, 29), 48) == date(2028, 2, 29)


def test_an_empty_or_backward_period_cannot_be_built() -> None:
    with pytest.raises(InvariantError, match="empty or backwards"):
        Period(date(2026, 3, 1), date(2026, 3, 1))


@given(start=ANCHORS, first=st.integers(1, 400), second=st.integers(1, 400), shift=st.integers(-400, 400))
def test_an_overlap_lies_in_both_and_no_day_of_both_is_outside(
    start: date, first: int, second: int, shift: int
) -> None:
    one = Period(start, start + timedelta(days=first))
    other = Period(start + timedelta(days=shift), start + timedelta(days=shift + second))
    shared = one.overlap(other)
    both = set(days_of(one)) & set(days_of(other))
    assert (set(days_of(shared)) if shared else set()) == both


def test_a_period_is_half_open() -> None:
    march = month_of(date(2026, 3, 17))
    assert str(march) == "2026-03-01..2026-04-01"
    assert march.days == 31
    assert date(2026, 3, 31) in march
    assert date(2026, 4, 1) not in march


def test_the_midnights_of_a_community_are_utc_instants_of_its_own_zone() -> None:
    assert midnight(date(2026, 3, 1), SHANGHAI) == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert civil_day(datetime(2026, 2, 28, 16, tzinfo=UTC), SHANGHAI) == date(2026, 3, 1)
    start, end = month_of(date(2026, 3, 1)).instants(SHANGHAI)
    assert end - start == timedelta(days=31)


def test_a_day_of_a_clock_change_is_as_long_as_it_is() -> None:
    madrid = ZoneInfo("Europe/Madrid")
    start, end = Period(date(2016, 10, 30), date(2016, 10, 31)).instants(madrid)
    assert end - start == timedelta(hours=25)
