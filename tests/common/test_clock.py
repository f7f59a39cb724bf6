"""The pace of a business clock, and instants as whole milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import EPOCH, PACE_SIZE, Pace, from_epoch_ms, require_utc, to_epoch_ms
from common.errors import InvariantError, RefusalError

START = datetime(2026, 3, 1, tzinfo=UTC)
SECOND_NS = 1_000_000_000


def pace(speed_milli: int = 1000, ceiling: timedelta = timedelta(days=365)) -> Pace:
    start_ns = to_epoch_ms(START) * 1_000_000
    return Pace(
        start_ns=start_ns,
        monotonic_start_ns=50 * SECOND_NS,
        speed_milli=speed_milli,
        ceiling_ns=start_ns + ceiling // timedelta(microseconds=1) * 1000,
    )


def test_real_time_passes_at_speed_one() -> None:
    assert pace().at(60 * SECOND_NS) == START + timedelta(seconds=10)


def test_a_fast_clock_multiplies_the_elapsed_time() -> None:
    assert pace(speed_milli=40_000_000).at(51 * SECOND_NS) == START + timedelta(seconds=40_000)


def test_time_waits_at_the_ceiling() -> None:
    assert pace(40_000_000, timedelta(days=1)).at(10_000 * SECOND_NS) == START + timedelta(days=1)


@given(a=st.integers(0, 10**15), b=st.integers(0, 10**15), speed=st.integers(0, 10**8))
def test_a_business_clock_never_runs_backwards(a: int, b: int, speed: int) -> None:
    first, second = sorted((a, b))
    assert pace(speed).at(first) <= pace(speed).at(second)


@given(speed=st.integers(0, 10**9), days=st.integers(0, 3000))
def test_what_is_packed_is_unpacked(speed: int, days: int) -> None:
    packed = pace(speed, timedelta(days=days)).pack()
    assert len(packed) == PACE_SIZE
    assert Pace.unpack(packed) == pace(speed, timedelta(days=days))


@pytest.mark.parametrize("data", [b"", b"x" * PACE_SIZE, pace().pack()[:-1]])
def test_bytes_that_are_no_pace_are_refused(data: bytes) -> None:
    with pytest.raises(RefusalError, match="not a Gatehouse pace"):
        Pace.unpack(data)


def test_a_backward_pace_cannot_be_built() -> None:
    with pytest.raises(InvariantError, match="never runs backwards"):
        pace(speed_milli=-1)
    with pytest.raises(InvariantError, match="ceiling"):
        pace(ceiling=timedelta(days=-1))


@given(st.integers(-(10**13), 10**13))
def test_milliseconds_survive_the_round_trip(epoch_ms: int) -> None:
    assert to_epoch_ms(from_epoch_ms(epoch_ms)) == epoch_ms


@pytest.mark.parametrize("instant", [datetime(2026, 3, 1), EPOCH.astimezone(timezone(timedelta(hours=8)))])  # noqa: DTZ001 - the naive case
def test_a_naive_or_local_instant_is_a_bug(instant: datetime) -> None:
    with pytest.raises(InvariantError, match="aware and in UTC"):
        require_utc(instant)
