"""Law 7: one revision holds for each day and state of knowledge; a new one changes nothing outside its days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.civil import Period, days_of
from common.tariff.revision import (
    KnownRevision,
    NoRevisionError,
    RevisionRef,
    choose,
    split_period,
    split_usage_by_days,
)

START = date(2026, 1, 1)
KNOWN = datetime(2026, 6, 1, tzinfo=UTC)
LATER = KNOWN + timedelta(days=30)
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))


def revision(day: date, rev: int = 1, sha: str = "a", recorded_at: datetime = KNOWN) -> KnownRevision:
    ref = RevisionRef(tariff_code="t", effective_from=day, rev=rev, body_sha=sha)
    return KnownRevision(ref=ref, recorded_at=recorded_at)


def test_the_latest_start_holds_and_then_the_greatest_number() -> None:
    known = [revision(START, 1), revision(MARCH.start, 1), revision(MARCH.start, 2, "b")]
    assert choose(known, date(2026, 2, 28), KNOWN).effective_from == START
    assert choose(known, MARCH.start, KNOWN).rev == 2


def test_what_was_not_yet_known_does_not_hold() -> None:
    known = [revision(START), revision(MARCH.start, 1, "b", LATER)]
    assert choose(known, MARCH.start, KNOWN).body_sha == "a"
    assert choose(known, MARCH.start, LATER).body_sha == "b"


def test_a_day_without_a_price_refuses_and_a_withdrawal_is_none() -> None:
    with pytest.raises(NoRevisionError, match="no price holds on 2025-12-31; record a revision"):
        choose([revision(START)], date(2025, 12, 31), KNOWN)
    with pytest.raises(NoRevisionError, match="no price holds on 2026-03-05"):
        choose([revision(START), revision(MARCH.start, 1, "")], date(2026, 3, 5), KNOWN)


def test_a_revision_not_yet_known_cuts_nothing_and_hides_no_later_one() -> None:
    known = [revision(START), revision(date(2026, 3, 10), 1, "b", LATER), revision(date(2026, 3, 20), 1, "c")]
    assert [(str(part), ref.body_sha) for part, ref in split_period(known, MARCH, KNOWN)] == [
        ("2026-03-01..2026-03-20", "a"),
        ("2026-03-20..2026-04-01", "c"),
    ]


def test_a_usage_spread_by_days_leaves_the_odd_unit_where_the_running_total_turns() -> None:
    days = [Period(date(2026, 3, day), date(2026, 3, day + 1)) for day in (1, 2, 3)]
    assert split_usage_by_days(10, days) == [3, 3, 4]


def test_a_price_change_on_the_tenth_splits_the_month_there() -> None:
    known = [revision(START), revision(date(2026, 3, 10), 1, "b"), revision(date(2026, 3, 10), 2, "c")]
    parts = split_period(known, MARCH, KNOWN)
    assert [(str(part), ref.body_sha) for part, ref in parts] == [
        ("2026-03-01..2026-03-10", "a"),
        ("2026-03-10..2026-04-01", "c"),
    ]


def test_a_revision_that_is_not_known_yet_splits_nothing() -> None:
    known = [revision(START), revision(date(2026, 3, 10), 1, "b", LATER)]
    assert [str(part) for part, _ in split_period(known, MARCH, KNOWN)] == ["2026-03-01..2026-04-01"]


REVISIONS = st.lists(
    st.builds(
        revision,
        st.dates(date(2026, 1, 1), date(2026, 6, 1)),
        st.integers(1, 3),
        st.sampled_from("abc"),
        st.sampled_from([KNOWN, LATER]),
    ),
    max_size=8,
)


@given(REVISIONS, st.sampled_from([KNOWN, LATER]))
def test_the_parts_tile_the_period_and_each_day_has_the_revision_chosen_for_it(
    revisions: list[KnownRevision], known_at: datetime
) -> None:
    known = [revision(START - timedelta(days=1)), *revisions]
    period = Period(START, date(2026, 7, 1))
    parts = split_period(known, period, known_at)
    assert [parts[0][0].start, parts[-1][0].end] == [period.start, period.end]
    assert all(left.end == right.start for (left, _), (right, _) in pairwise(parts))
    for part, ref in parts:
        assert all(choose(known, day, known_at) == ref for day in days_of(part))


@given(REVISIONS, st.dates(date(2026, 1, 1), date(2026, 6, 1)))
def test_a_new_revision_changes_nothing_before_its_day_or_before_it_was_known(
    revisions: list[KnownRevision], day: date
) -> None:
    known = [revision(START - timedelta(days=1)), *revisions]
    added = [*known, revision(day, 9, "new", LATER)]
    for probe in days_of(Period(START, date(2026, 7, 1))):
        assert choose(added, probe, KNOWN) == choose(known, probe, KNOWN)
        if probe < day:
            assert choose(added, probe, LATER) == choose(known, probe, LATER)


@given(st.integers(0, 10**12), st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_usage_spread_by_days_sums_to_the_usage(quantity: int, lengths: list[int]) -> None:
    periods, day = [], START
    for length in lengths:
        periods.append(Period(day, day + timedelta(days=length)))
        day += timedelta(days=length)
    pieces = split_usage_by_days(quantity, periods)
    assert sum(pieces) == quantity
    assert all(
        abs(piece * sum(lengths) - quantity * length) < sum(lengths)
        for piece, length in zip(pieces, lengths, strict=True)
    )
