"""Civil dates: half-open periods, and months counted from an anchor.

A period is `[start, end)` in the community's own zone. The n-th month is always counted from the anchor day and
clamped to the month's length, never stepped from the previous date: 31 Jan -> 28 Feb -> 31 Mar, not 28 Mar.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from typing_extensions import override

from common.errors import ensure

_MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A half-open span of civil dates, `start` included and `end` not."""

    start: date
    end: date

    def __post_init__(self) -> None:
        """Check that the period holds at least one day."""
        ensure(self.start < self.end, f"period {self.start}..{self.end} is empty or backwards")

    @property
    def days(self) -> int:
        """Return the count of days."""
        return (self.end - self.start).days

    def __contains__(self, day: date) -> bool:
        """Return whether the day lies in the period."""
        return self.start <= day < self.end

    def overlap(self, other: Period) -> Period | None:
        """Return the days that both periods share, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None

    def instants(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """Return the UTC instants of the midnights at which the period starts and ends in the zone."""
        return midnight(self.start, zone), midnight(self.end, zone)

    @override
    def __str__(self) -> str:
        """Return both dates in ISO form."""
        return f"{self.start.isoformat()}..{self.end.isoformat()}"


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the UTC instant at which a civil day begins in the zone."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def civil_day(instant: datetime, zone: tzinfo) -> date:
    """Return the civil day of an instant in the zone."""
    return instant.astimezone(zone).date()


def nth_month(anchor: date, count: int) -> date:
    """Return the anchor plus a count of months, clamped to the length of the month reached."""
    month_index = anchor.year * _MONTHS_PER_YEAR + anchor.month - 1 + count
    year, month = divmod(month_index, _MONTHS_PER_YEAR)
    last_day = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(anchor.day, last_day))


def nth_period(anchor: date, count: int, months: int = 1) -> Period:
    """Return the n-th period of whole months from the anchor; neighbouring periods tile time."""
    return Period(nth_month(anchor, count * months), nth_month(anchor, (count + 1) * months))


def month_of(day: date) -> Period:
    """Return the calendar month that holds the day."""
    return nth_period(day.replace(day=1), 0)


def days_of(period: Period) -> tuple[date, ...]:
    """Return every day of the period in order."""
    return tuple(period.start + timedelta(days=n) for n in range(period.days))
