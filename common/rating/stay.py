"""From visits to charged time: what a stay is, its parts, and its runs of minutes in one window.

Durations are elapsed time between instants; windows are read off the clock on the wall, so a change of summer time
neither adds nor loses a minute. Pure arithmetic on instants; no price is applied here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from itertools import pairwise
from typing import assert_never

from common.civil import civil_day, midnight
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import Session, Visit
from common.rating.windows import WindowFinder
from common.tariff.session_model import Cut, SessionRule, SessionWindow, Visits

VISITS_MAX = 200
STAY_DAYS_MAX = 3_660
DAY = timedelta(days=1)
_SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of a stay that is priced on its own; `number` counts the parts of its visit from zero.

    `span` is where the day or the 24 hours began to which the part belongs; parts of one span share its cap.
    """

    start: datetime
    end: datetime
    number: int
    day: date
    span: datetime
    full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch of a part inside one window."""

    window: SessionWindow
    start: datetime
    end: datetime


def closed_visits(rule: SessionRule, session: Session) -> list[Visit]:
    """Return the visits with their exits settled and re-entries joined, in order of entry, without coupon minutes.

    Raises:
        RatingRefusedError: a visit is open, ends before it begins, overlaps another, or is beyond every bound.
    """
    if not 0 < len(session.visits) <= VISITS_MAX:
        raise RatingRefusedError(RefusalKind.NO_SESSION, f"a session has 1 to {VISITS_MAX} visits")
    visits = sorted((_close(rule, session, visit) for visit in session.visits), key=lambda visit: visit.entry)
    since = visits[session.charged].entry
    for earlier, later in pairwise(visits):
        if _end(earlier) > later.entry:
            raise RatingRefusedError(RefusalKind.BAD_SESSION, "two visits of one vehicle overlap")
    return _without_granted(_joined(rule, visits), _minutes(session.granted_minutes), since)


def _joined(rule: SessionRule, visits: Sequence[Visit]) -> list[Visit]:
    """Return the visits, those that follow within the re-entry minutes as one."""
    joined: list[Visit] = []
    for visit in visits:
        if rule.rejoin_minutes and joined and visit.entry - _end(joined[-1]) <= _minutes(rule.rejoin_minutes):
            joined[-1] = replace(joined[-1], exit=visit.exit)
        else:
            joined.append(visit)
    return joined


def connected_visits(rule: SessionRule, earlier: Sequence[Visit], entry: datetime, zone: tzinfo) -> tuple[Visit, ...]:
    """Return those of some earlier, closed visits of a vehicle that the price of a visit from `entry` on depends on.

    They are a chain: each lies near enough to the next for a cap, a day priced together or a re-entry to reach from
    one to the other. A longer chain than a session may have keeps its newest visits.
    """
    chain: list[Visit] = []
    for visit in sorted(earlier, key=lambda visit: visit.entry, reverse=True):
        if len(chain) == VISITS_MAX - 1 or not _reaches(rule, _end(visit), entry, zone):
            break
        chain.insert(0, visit)
        entry = visit.entry
    return tuple(chain)


def _reaches(rule: SessionRule, left: datetime, entry: datetime, zone: tzinfo) -> bool:
    gap = entry - left
    if rule.rejoin_minutes and gap <= _minutes(rule.rejoin_minutes):
        return True
    if rule.rolling_cap_micro is not None and gap < DAY:
        return True
    if not (rule.part_caps_micro or rule.visits is Visits.TOGETHER):
        return False
    if rule.cut is Cut.CALENDAR_DAY:
        return left > midnight(civil_day(entry, zone), zone)
    return rule.cut is Cut.DAY_FROM_FIRST_ENTRY and gap < DAY


def _without_granted(visits: Sequence[Visit], granted: timedelta, since: datetime) -> list[Visit]:
    """Return the visits without the minutes of a coupon, which are used once, by the stays not over by `since`."""
    shortened: list[Visit] = []
    for visit in visits:
        if _end(visit) <= since:
            shortened.append(visit)
            continue
        used = min(granted, _end(visit) - visit.entry)
        granted -= used
        shortened.append(replace(visit, entry=visit.entry + used))
    return shortened


def _close(rule: SessionRule, session: Session, visit: Visit) -> Visit:
    end = visit.exit
    if end is None and rule.missing_exit is not None:
        day = civil_day(visit.entry, session.zone)
        end = datetime.combine(day, rule.missing_exit, tzinfo=session.zone).astimezone(UTC)
    if end is None:
        raise RatingRefusedError(RefusalKind.OPEN_SESSION, "the exit is not known")
    paid = session.paid_at
    if paid is not None and visit.entry <= paid < end <= paid + _minutes(rule.exit_grace_minutes):
        end = paid
    if end < visit.entry:
        raise RatingRefusedError(RefusalKind.BAD_SESSION, "the exit lies before the entry")
    if end - visit.entry > DAY * STAY_DAYS_MAX:
        raise RatingRefusedError(RefusalKind.BAD_SESSION, f"the stay is longer than {STAY_DAYS_MAX} days")
    return replace(visit, exit=end)


def _end(visit: Visit) -> datetime:
    return visit.exit or visit.entry


def _minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def length_minutes(rule: SessionRule, start: datetime, end: datetime) -> Fraction:
    """Return the minutes between two instants: whole ones, or exact when the rule counts seconds."""
    seconds = (end - start) // timedelta(seconds=1)
    return Fraction(seconds, _SECONDS_PER_MINUTE) if rule.count_seconds else Fraction(seconds // _SECONDS_PER_MINUTE)


def parts_of(rule: SessionRule, visit: Visit, zone: tzinfo, running: datetime | None = None) -> list[Part]:
    """Return the parts of a visit; a visit of no length has none.

    `running` is the span of the last part before this visit, which may go on in it.
    """
    parts: list[Part] = []
    start, end, span = visit.entry, _end(visit), running
    while start < end:
        span, cut = _span_at(rule, start, zone, span)
        stop = min(cut, end)
        full = rule.cut is not Cut.NEVER and (start, stop) == (span, cut)
        parts.append(Part(start=start, end=stop, number=len(parts), day=civil_day(start, zone), span=span, full=full))
        start = stop
    return parts


def _span_at(rule: SessionRule, start: datetime, zone: tzinfo, running: datetime | None) -> tuple[datetime, datetime]:
    """Return where the span begins and ends that holds an instant."""
    match rule.cut:
        case Cut.NEVER:
            return start, datetime.max.replace(tzinfo=UTC)
        case Cut.CALENDAR_DAY:
            day = civil_day(start, zone)
            return midnight(day, zone), midnight(day + DAY, zone)
        case Cut.DAY_FROM_ENTRY:
            return start, start + DAY
        case Cut.DAY_FROM_FIRST_ENTRY:
            span = running if running is not None and start < running + DAY else start
            return span, span + DAY
        case unknown:
            assert_never(unknown)


def runs_of(finder: WindowFinder[SessionWindow], start: datetime, end: datetime) -> list[Run]:
    """Return the runs of a stretch; neighbours with the same prices are one run.

    Raises:
        RatingRefusedError: the windows ask for a calendar that is not known.
    """
    runs: list[Run] = []
    for first, last in finder.pieces(start, end):
        window = finder.at(first)
        if runs and _same_prices(runs[-1].window, window):
            runs[-1] = replace(runs[-1], end=last)
        else:
            runs.append(Run(window=window, start=first, end=last))
    return runs


def _same_prices(left: SessionWindow, right: SessionWindow) -> bool:
    """Return whether two windows price as one; rules for each occurrence hold for windows of one name only."""
    if left.name != right.name and left.bound_by_occurrence:
        return False
    return replace(left, name="", label=right.label, spans=(), days=right.days) == replace(right, name="", spans=())
