"""Which revision of a tariff holds: by the day of service and by what was known.

A revision has a start and a number and no end, so overlaps cannot be said. Valid at a day is the revision with the
greatest start not after it, and of those the greatest number recorded by the time of knowledge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from common.civil import Period
from common.errors import RefusalError


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RevisionRef:
    """The name of a revision, ordered by start and number within a tariff; `body_sha` is empty for a withdrawal."""

    tariff_code: str
    effective_from: date
    rev: int
    body_sha: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRevision:
    """A revision and the instant from which it was known."""

    ref: RevisionRef
    recorded_at: datetime


class NoRevisionError(RefusalError):
    """A day on which no price holds."""


def choose(revisions: Iterable[KnownRevision], day: date, known_at: datetime) -> RevisionRef:
    """Return the revision that holds on a day, as far as was known at an instant.

    Raises:
        NoRevisionError: no revision had begun, or the one that holds withdraws the tariff.
    """
    candidates = [
        revision.ref
        for revision in revisions
        if revision.ref.effective_from <= day and revision.recorded_at <= known_at
    ]
    chosen = max(candidates, default=None)
    if chosen is None or not chosen.body_sha:
        raise NoRevisionError(f"no price holds on {day}; record a revision that begins by then")
    return chosen


def split_period(
    revisions: Iterable[KnownRevision], period: Period, known_at: datetime
) -> list[tuple[Period, RevisionRef]]:
    """Return the parts of a period with the revision of each; they tile the period.

    Raises:
        NoRevisionError: on a day of the period no price holds.
    """
    known = list(revisions)
    starts = {revision.ref.effective_from for revision in known if revision.ref.effective_from in period}
    parts: list[tuple[Period, RevisionRef]] = []
    for start in sorted({period.start} | starts):
        chosen = choose(known, start, known_at)
        if parts and parts[-1][1] == chosen:
            continue
        if parts:
            parts[-1] = (Period(parts[-1][0].start, start), parts[-1][1])
        parts.append((Period(start, period.end), chosen))
    return parts


def split_usage_by_days(quantity_milli: int, parts: Iterable[Period]) -> list[int]:
    """Return a usage spread over the parts of its period by days, where no reading stands at the boundary.

    Running totals are cut, not parts, so the pieces are whole milli-units and sum to the usage exactly.
    """
    periods = list(parts)
    days = sum(period.days for period in periods)
    pieces: list[int] = []
    passed = timedelta(0)
    for period in periods:
        before = quantity_milli * passed.days // days
        passed += timedelta(days=period.days)
        pieces.append(quantity_milli * passed.days // days - before)
    return pieces
