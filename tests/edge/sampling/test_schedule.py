"""Slots are civil, in order, and none is skipped or doubled."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvariantError
from edge.sampling.schedule import Schedule

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
DENSE = date(2026, 2, 3)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "due", "following"),
    [
        ("2026-01-05T00:00+08:00", "2026-01-05T00:00+08:00", "2026-01-06T00:00+08:00"),
        ("2026-01-05T23:59:59+08:00", "2026-01-05T00:00+08:00", "2026-01-06T00:00+08:00"),
        ("2026-02-03T00:14+08:00", "2026-02-03T00:00+08:00", "2026-02-03T00:15+08:00"),
        ("2026-02-03T23:50+08:00", "2026-02-03T23:45+08:00", "2026-02-04T00:00+08:00"),
        ("2026-02-02T12:00+08:00", "2026-02-02T00:00+08:00", "2026-02-03T00:00+08:00"),
    ],
)
def test_the_slot_due_and_the_next_one(now: str, due: str, following: str) -> None:
    schedule = Schedule(zone=SHANGHAI, dense={DENSE: 15})
    assert schedule.latest_due(at(now)) == at(due)
    assert schedule.next_after(at(now)) == at(following)


def test_a_dense_day_has_ninety_six_slots_and_a_long_one_in_autumn_a_hundred() -> None:
    shanghai = Schedule(zone=SHANGHAI, dense={DENSE: 15})
    passed = shanghai.passed(at("2026-02-02T23:59+08:00"), at("2026-02-04T00:00+08:00"))
    assert passed is not None
    assert (passed.count, passed.first, passed.last) == (
        96,
        at("2026-02-03T00:00+08:00"),
        at("2026-02-03T23:45+08:00"),
    )
    berlin = Schedule(zone=BERLIN, dense={date(2026, 10, 25): 15})
    autumn = berlin.passed(at("2026-10-24T12:00+02:00"), at("2026-10-26T00:00+01:00"))
    assert autumn is not None
    assert autumn.count == 100


def test_no_slot_lies_between_neighbours() -> None:
    schedule = Schedule(zone=SHANGHAI)
    assert schedule.passed(at("2026-01-05T00:00+08:00"), at("2026-01-06T00:00+08:00")) is None


def test_a_daily_time_off_midnight_joins_the_grid_of_a_dense_day() -> None:
    schedule = Schedule(zone=SHANGHAI, daily_minute=10, dense={DENSE: 60})
    assert schedule.latest_due(at("2026-02-03T00:30+08:00")) == at("2026-02-03T00:10+08:00")
    assert schedule.next_after(at("2026-02-03T00:10+08:00")) == at("2026-02-03T01:00+08:00")


def test_a_slot_outside_the_day_is_refused() -> None:
    with pytest.raises(InvariantError, match="daily slot"):
        Schedule(zone=SHANGHAI, daily_minute=1440)


@given(
    start=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2026, 12, 1)),  # noqa: DTZ001 - made aware below
    hours=st.integers(min_value=1, max_value=24 * 20),
    zone=st.sampled_from([SHANGHAI, BERLIN]),
    step=st.sampled_from([15, 30, 60]),
)
def test_stepping_from_slot_to_slot_meets_exactly_the_slots_that_passed(
    start: datetime, hours: int, zone: ZoneInfo, step: int
) -> None:
    after = start.replace(tzinfo=UTC)
    before = after + timedelta(hours=hours)
    schedule = Schedule(zone=zone, dense={after.date() + timedelta(days=1): step})
    met = []
    slot = schedule.next_after(after)
    while slot < before:
        assert schedule.latest_due(slot) == slot
        met.append(slot)
        slot = schedule.next_after(slot)
    passed = schedule.passed(after, before)
    assert (passed.count if passed else 0) == len(met)
    assert not passed or (passed.first, passed.last) == (met[0], met[-1])


def test_the_shortest_period_is_that_of_the_densest_day() -> None:
    dense = {date(2026, 2, 3): 60, date(2026, 2, 4): 15}

    assert Schedule(zone=ZoneInfo("Asia/Shanghai")).shortest_period_s == 86_400
    assert Schedule(zone=ZoneInfo("Asia/Shanghai"), dense=dense).shortest_period_s == 900
