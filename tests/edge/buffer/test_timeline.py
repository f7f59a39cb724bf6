"""Dates come from the anchor that leaves the least doubt, and each date says how much doubt there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvariantError
from common.wire.stamp import Anchor, ClockSource
from edge.buffer.timeline import DRIFT_PPM, REFRESH_MS, STEP_MS_MIN, Timeline
from edge.clock import Instant

DAY_MS = 86_400_000


def anchor(
    boot_ms: int, utc_ms: int, *, boot_no: int = 1, source: ClockSource = ClockSource.SYNCHRONISED, doubt: int = 10
) -> Anchor:
    return Anchor(boot_no=boot_no, boot_ms=boot_ms, utc_ms=utc_ms, source=source, uncertainty_ms=doubt)


def look(boot_ms: int, utc_ms: int, source: ClockSource = ClockSource.SYNCHRONISED) -> Instant:
    return Instant(boot_ms, utc_ms, source, 10)


def test_a_record_is_dated_before_and_after_its_anchor() -> None:
    timeline = Timeline([anchor(1_000, 5_000_000)])
    assert timeline.date(1, 0).at_ms == 4_999_000
    assert timeline.date(1, 2_500).at_ms == 5_001_500


def test_doubt_grows_with_the_distance() -> None:
    timeline = Timeline([anchor(0, 0)])
    assert timeline.date(1, 0).uncertainty_ms == 10
    assert timeline.date(1, DAY_MS).uncertainty_ms == 10 + DAY_MS * DRIFT_PPM // 1_000_000


def test_a_trusted_anchor_wins_over_a_nearer_doubtful_one() -> None:
    timeline = Timeline([anchor(0, 777, source=ClockSource.BOUNDED, doubt=10**10), anchor(DAY_MS, 2 * DAY_MS)])
    stamp = timeline.date(1, 1)
    assert (stamp.source, stamp.at_ms) == (ClockSource.SYNCHRONISED, DAY_MS + 1)


def test_a_boot_is_never_dated_by_another_boots_anchor() -> None:
    with pytest.raises(InvariantError, match="boot 2"):
        Timeline([anchor(0, 0)]).date(2, 0)


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (look(1_000, 1_000), False),
        (look(1_000, 1_000 + STEP_MS_MIN), False),
        (look(1_000, 1_001 + STEP_MS_MIN), True),
        (look(1_000, 1_000 - STEP_MS_MIN - 1), True),
        (look(REFRESH_MS, REFRESH_MS), True),
        (look(REFRESH_MS, REFRESH_MS, ClockSource.BOUNDED), False),
    ],
)
def test_a_new_anchor_is_made_for_a_step_and_now_and_then(seen: Instant, wanted: bool) -> None:  # noqa: FBT001 - a table
    assert (Timeline([anchor(0, 0)]).missing(1, seen) is not None) == wanted


def test_a_better_source_makes_an_anchor_at_once_and_a_worse_one_does_not() -> None:
    bounded = Timeline([anchor(0, 0, source=ClockSource.BOUNDED)])
    assert bounded.missing(1, look(1, 1)) is not None
    assert Timeline([anchor(0, 0)]).missing(1, look(1, 1, ClockSource.BOUNDED)) is None


def test_every_boot_gets_an_anchor() -> None:
    assert Timeline([anchor(0, 0)]).missing(2, look(5, 5)) == anchor(5, 5, boot_no=2)


@given(
    drift_ppm=st.integers(-DRIFT_PPM, DRIFT_PPM),
    at=st.lists(st.integers(0, 400 * DAY_MS), min_size=1, max_size=8, unique=True),
    asked=st.integers(0, 400 * DAY_MS),
)
def test_the_true_date_lies_within_the_stated_doubt(drift_ppm: int, at: list[int], asked: int) -> None:
    def true_utc(boot_ms: int) -> int:
        return boot_ms + boot_ms * drift_ppm // 1_000_000

    timeline = Timeline(anchor(boot_ms, true_utc(boot_ms)) for boot_ms in at)
    stamp = timeline.date(1, asked)
    assert abs(stamp.at_ms - true_utc(asked)) <= stamp.uncertainty_ms
