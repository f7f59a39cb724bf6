"""Decisions about notices as functions of values: which reminder a bill gets on a day, and when people may be told.

A reminder never shuts anything: it is words, and nothing else in the house reads it. No database, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from cloud.notices.kinds import NoticeKind
from common.errors import RefusalError

# Days after the due day -> what the payer is told then.
STEPS = {-3: NoticeKind.DUE_SOON, 0: NoticeKind.DUE_TODAY, 7: NoticeKind.OVERDUE, 30: NoticeKind.OVERDUE_LONG}
CATCH_UP_DAYS_MAX = 2
# After how long a letter that was certainly not sent is tried again; then it has failed.
RETRY_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
# After how long it is asked what became of a letter.
ASK_AFTER = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From when to when, by the clock on the wall, somebody is not told anything; equal ends mean never quiet."""

    starts: time
    ends: time

    def __post_init__(self) -> None:
        """Check that both are plain times of the wall.

        Raises:
            RefusalError: one of them carries a zone.
        """
        if self.starts.tzinfo is not None or self.ends.tzinfo is not None:
            raise RefusalError("quiet hours are times of the wall without a zone, such as 21:00 and 08:00")

    def hold(self, at: time) -> bool:
        """Return whether a time of the wall is quiet; hours that end before they start run over midnight."""
        if self.starts <= self.ends:
            return self.starts <= at < self.ends
        return at >= self.starts or at < self.ends


QUIET = QuietHours(starts=time(21, 0), ends=time(8, 0))


def step_on(due: date, today: date) -> NoticeKind | None:
    """Return the reminder of a bill on a day, or None; a missed step is made up for within two days.

    A step before the due day is never told late: it would say something that is no longer so.
    """
    late = (today - due).days
    for missed in range(CATCH_UP_DAYS_MAX + 1):
        kind = STEPS.get(late - missed)
        if kind is not None and (missed == 0 or late - missed > 0):
            return kind
    return None


def told_at(now: datetime, zone: tzinfo, quiet: QuietHours) -> datetime:
    """Return the first instant from now on at which somebody may be told something."""
    here = now.astimezone(zone)
    if not quiet.hold(here.time()):
        return now
    day = here.date() if here.time() < quiet.ends else here.date() + _DAY
    return datetime.combine(day, quiet.ends, tzinfo=zone).astimezone(UTC)


def pause_before(plan: tuple[timedelta, ...], done: int) -> timedelta | None:
    """Return how long to wait before the next step of a plan of which some are done; None when none is left."""
    return plan[done] if done < len(plan) else None
