"""From visits to charged time: what a stay is, its parts, and its runs of minutes in one window.

Durations are elapsed time between instants; windows are read off the clock on the wall, so a change of summer time
neither adds nor loses a minute. Pure arithmetic on instants; no price is applied here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from itertools import pairwise
from typing import assert_never

from common.civil import civil_day, midnight
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import Session, Visit
from common.rating.windows import WindowFinder
from common.tariff.session_model import Cut, SessionRule, SessionWindow

VISITS_MAX = 200
STAY_DAYS_MAX = 3_660
DAY = timedelta(days=1)
_SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of a stay that is priced on its own; `number` counts the parts of its visit from zero."""

    start: datetime
    end: datetime
    number: int
    day: date
    full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch of a part inside one window."""

    window: SessionWindow
    start: datetime
    end: datetime


def closed_visits(rule: SessionRule, session: Session) -> list[Visit]:
    """Return the visits with their exits settled, in order of entry.

    Raises:
        RatingRefusedError: a visit is open, ends before it begins, overlaps another, or is beyond every bound.
    """
    if not 0 < len(session.visits) <= VISITS_MAX:
        raise RatingRefusedError(RefusalKind.NO_SESSION, f"a session has 1 to {VISITS_MAX} visits")
    visits = sorted((_close(rule, session, visit) for visit in session.visits), key=lambda visit: visit.entry)
    for earlier, later in pairwise(visits):
        if _end(earlier) > later.entry:
            raise RatingRefusedError(RefusalKind.BAD_SESSION, "two visits of one vehicle overlap")
    return visits


def _close(rule: SessionRule, session: Session, visit: Visit) -> Visit:
    end = visit.exit
    if end is None and rule.missing_exit is not None:
        day = civil_day(visit.entry, session.zone)
        end = datetime.combine(day, rule.missing_exit, tzinfo=session.zone).astimezone(UTC)
    if end is None:
        raise RatingRefusedError(RefusalKind.OPEN_SESSION, "the exit is not known")
    if session.paid_at is not None and session.paid_at < end <= session.paid_at + _minutes(rule.exit_grace_minutes):
        end = session.paid_at
    if end < visit.entry:
        raise RatingRefusedError(RefusalKind.BAD_SESSION, "the exit lies before the entry")
    if end - visit.entry > DAY * STAY_DAYS_MAX:
        raise RatingRefusedError(RefusalKind.BAD_SESSION, f"the stay is longer than {STAY_DAYS_MAX} days")
    return replace(visit, entry=min(visit.entry + _minutes(session.granted_minutes), end), exit=end)


def _end(visit: Visit) -> datetime:
    return visit.exit if visit.exit is not None else visit.entry


def _minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def length_minutes(rule: SessionRule, start: datetime, end: datetime) -> Fraction:
    """Return the minutes between two instants: whole ones, or exact when the rule counts seconds."""
    seconds = (end - start) // timedelta(seconds=1)
    return Fraction(seconds, _SECONDS_PER_MINUTE) if rule.count_seconds else Fraction(seconds // _SECONDS_PER_MINUTE)


def parts_of(rule: SessionRule, visit: Visit, zone: tzinfo) -> list[Part]:
    """Return the parts of a visit; a visit of no length has none."""
    parts: list[Part] = []
    start, end = visit.entry, _end(visit)
    while start < end:
        stop = min(_next_cut(rule, start, zone), end)
        full = rule.cut is not Cut.NEVER and _is_full(rule, start, stop, zone)
        parts.append(Part(start=start, end=stop, number=len(parts), day=civil_day(start, zone), full=full))
        start = stop
    return parts


def _next_cut(rule: SessionRule, start: datetime, zone: tzinfo) -> datetime:
    match rule.cut:
        case Cut.NEVER:
            return datetime.max.replace(tzinfo=UTC)
        case Cut.CALENDAR_DAY:
            return midnight(civil_day(start, zone) + DAY, zone)
        case Cut.DAY_FROM_ENTRY:
            return start + DAY
        case unknown:
            assert_never(unknown)


def _is_full(rule: SessionRule, start: datetime, stop: datetime, zone: tzinfo) -> bool:
    if rule.cut is Cut.DAY_FROM_ENTRY:
        return stop - start == DAY
    day = civil_day(start, zone)
    return start == midnight(day, zone) and stop == midnight(day + DAY, zone)


def runs_of(finder: WindowFinder[SessionWindow], start: datetime, end: datetime) -> list[Run]:
    """Return the runs of a stretch; neighbours with the same prices are one run.

    Raises:
        RatingRefusedError: the windows ask for a calendar that is not known.
    """
    runs: list[Run] = []
    for first, last in _pieces(finder, start, end):
        window = finder.at(first)
        if runs and _same_prices(runs[-1].window, window):
            runs[-1] = replace(runs[-1], end=last)
        else:
            runs.append(Run(window=window, start=first, end=last))
    return runs


def _pieces(finder: WindowFinder[SessionWindow], start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    day = civil_day(start, finder.zone)
    cuts = [start]
    while midnight(day, finder.zone) < end:
        instants = (datetime.combine(day, edge, tzinfo=finder.zone).astimezone(UTC) for edge in finder.edges)
        cuts.extend(sorted({instant for instant in instants if cuts[-1] < instant < end}))
        day += DAY
    yield from zip(cuts, [*cuts[1:], end], strict=True)


def _same_prices(left: SessionWindow, right: SessionWindow) -> bool:
    """Return whether two windows price as one; rules for each occurrence hold for windows of one name only."""
    if left.name != right.name and (left.bound_by_occurrence or right.bound_by_occurrence):
        return False
    return replace(left, name="", label=right.label, spans=(), days=right.days) == replace(right, name="", spans=())
