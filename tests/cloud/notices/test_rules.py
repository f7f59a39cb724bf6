"""Which reminder a bill gets on a day, and when people may be told: tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from cloud.notices.kinds import NoticeKind
from cloud.notices.rules import QUIET, QuietHours, step_on, told_at
from common.errors import RefusalError

DUE = date(2026, 3, 15)
CHINA = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("days", "kind"),
    [
        (-4, None),
        (-3, NoticeKind.DUE_SOON),
        (-2, None),
        (-1, None),
        (0, NoticeKind.DUE_TODAY),
        (1, None),
        (2, None),
        (6, None),
        (7, NoticeKind.OVERDUE),
        (9, NoticeKind.OVERDUE),
        (10, None),
        (30, NoticeKind.OVERDUE_LONG),
        (32, NoticeKind.OVERDUE_LONG),
        (33, None),
        (400, None),
    ],
)
def test_each_step_has_its_day_and_only_overdue_ones_are_made_up_for(days: int, kind: NoticeKind | None) -> None:
    assert step_on(DUE, DUE + timedelta(days=days)) is kind


@pytest.mark.parametrize(
    ("hour", "minute", "told"),
    [
        (7, 59, "2026-03-15T08:00"),
        (8, 0, "2026-03-15T08:00"),
        (12, 30, "2026-03-15T12:30"),
        (20, 59, "2026-03-15T20:59"),
        (21, 0, "2026-03-16T08:00"),
        (0, 0, "2026-03-15T08:00"),
    ],
)
def test_nobody_is_told_at_night_by_the_clock_of_the_place(hour: int, minute: int, told: str) -> None:
    now = datetime(2026, 3, 15, hour, minute, tzinfo=CHINA).astimezone(UTC)
    assert told_at(now, CHINA, QUIET) == datetime.fromisoformat(told).replace(tzinfo=CHINA)


def test_quiet_hours_may_lie_within_a_day_or_be_none() -> None:
    noon = QuietHours(starts=time(12), ends=time(14))
    assert [noon.hold(time(hour)) for hour in (11, 12, 13, 14)] == [False, True, True, False]
    assert not QuietHours(starts=time(8), ends=time(8)).hold(time(8))


def test_quiet_hours_with_a_zone_are_refused() -> None:
    with pytest.raises(RefusalError, match="times of the wall"):
        QuietHours(starts=time(8, tzinfo=UTC), ends=time(9))
