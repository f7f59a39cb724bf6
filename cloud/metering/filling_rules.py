"""What a missing register may be estimated to be: four methods, each with the figures it rests on.

Only sure registers are used: measured or read by a person, not held, not estimated themselves. Where a method has
nothing to rest on there is no value; a guess of zero does not exist. Registers are in milli-units before the
multiplier. Pure values and functions; no database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from cloud.metering.usage import HELD, RegisterRef
from common.civil import nth_month
from common.reading.reading import Quality

# How many days after a hole are searched for the next register, and over how many a usual pace is taken.
AHEAD = timedelta(days=62)
PACE_DAYS_MAX = timedelta(days=90)
PACE_DAYS_MIN = timedelta(days=14)
DAYS_ESTIMATED_MAX = 200
_ONE_DAY = timedelta(days=1)
_MONTHS_BACK = -12
_MILLI = 1_000


class Method(StrEnum):
    """How a register was estimated."""

    BETWEEN = "between"  # on the straight line between the registers around it
    YEAR_BEFORE = "year_before"  # by what the same days of the year before used
    RECENT = "recent"  # by the daily use of the days before
    AGREED = "agreed"  # a figure agreed with who pays


WORDS: Mapping[Method, tuple[str, str]] = {
    Method.BETWEEN: ("按前后读数插值", "on the line between the readings around it"),
    Method.YEAR_BEFORE: ("按去年同期用量", "by the same days of last year"),
    Method.RECENT: ("按近期日均用量", "by the daily use of the days before"),
    Method.AGREED: ("与缴费人协商", "agreed with who pays"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A sure register at the midnight that begins a day."""

    day: date
    value_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a method makes of a missing register, and the figures that it rests on."""

    method: Method
    value_milli: int
    basis: Mapping[str, int | str]


Lookup = Callable[[date], RegisterRef | None]


def sure(at: Lookup, day: date) -> Known | None:
    """Return the register at a midnight when it is beyond doubt, else None."""
    ref = at(day)
    if ref is None or ref.quality & (HELD | Quality.ESTIMATED):
        return None
    return Known(day=day, value_milli=ref.value_milli)


def asked_days(day: date) -> frozenset[date]:
    """Return every midnight whose register the methods may look at."""
    reach = timedelta(days=DAYS_ESTIMATED_MAX) + PACE_DAYS_MAX
    around = [day - reach + _ONE_DAY * n for n in range((reach + AHEAD).days + 1)]
    return frozenset(around) | {nth_month(one, _MONTHS_BACK) for one in around if one <= day}


def last_sure(at: Lookup, day: date, first: date) -> Known | None:
    """Return the newest sure register before a day, not older than `first`."""
    days = (day - _ONE_DAY * n for n in range(1, DAYS_ESTIMATED_MAX + 1))
    return next((known for one in days if one >= first and (known := sure(at, one)) is not None), None)


def proposals(at: Lookup, day: date, last: Known, whole_digits: int) -> Iterator[Proposal]:
    """Yield what each method that has something to rest on makes of the register of a midnight."""
    for made in (_between(at, day, last), _year_before(at, day, last), _recent(at, day, last)):
        if made is not None and made.value_milli < 10**whole_digits * _MILLI:
            yield made


def _between(at: Lookup, day: date, last: Known) -> Proposal | None:
    days = (day + _ONE_DAY * n for n in range(1, AHEAD.days + 1))
    after = next((known for one in days if (known := sure(at, one)) is not None), None)
    return None if after is None else _paced(Method.BETWEEN, day, last, (last, after))


def _year_before(at: Lookup, day: date, last: Known) -> Proposal | None:
    start, end = (sure(at, nth_month(one, _MONTHS_BACK)) for one in (last.day, day))
    if start is None or end is None or start.day >= end.day:
        return None
    return _paced(Method.YEAR_BEFORE, day, last, (start, end))


def _recent(at: Lookup, day: date, last: Known) -> Proposal | None:
    reach = (PACE_DAYS_MAX - PACE_DAYS_MIN).days
    days = (last.day - PACE_DAYS_MAX + _ONE_DAY * n for n in range(reach + 1))
    start = next((known for one in days if (known := sure(at, one)) is not None), None)
    return None if start is None else _paced(Method.RECENT, day, last, (start, last))


def _paced(method: Method, day: date, last: Known, pace: tuple[Known, Known]) -> Proposal | None:
    """Return the last register carried on at the pace between two others, rounded half up; None if it ran back."""
    start, end = pace
    used, span = end.value_milli - start.value_milli, (end.day - start.day).days
    if used < 0:
        return None
    ahead = (day - last.day).days
    value = last.value_milli + (2 * used * ahead + span) // (2 * span)
    basis: dict[str, int | str] = {
        "last_day": last.day.isoformat(),
        "last_milli": last.value_milli,
        "pace_start": start.day.isoformat(),
        "pace_end": end.day.isoformat(),
        "pace_milli": used,
    }
    return Proposal(method=method, value_milli=value, basis=basis)
