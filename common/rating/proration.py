"""How many months a period is worth, month by month, so that adjacent parts add up and a whole month is exactly 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from fractions import Fraction

from common.civil import Period, nth_month, nth_period
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.tariff.model import Proration

_THIRTY = 30


def month_shares(period: Period, rule: Proration, anchor: date | None = None) -> list[Fraction]:
    """Return the share of each month that the period touches, counted from the anchor (None: calendar months).

    Raises:
        RatingRefusedError: the rule allows whole months only and a part of one is asked for.
    """
    return [_SHARES[rule](period, month) for month in months_of(period, anchor)]


def months_of(period: Period, anchor: date | None = None) -> Iterator[Period]:
    """Return the months, counted from the anchor, that the period touches."""
    first = anchor if anchor is not None else period.start.replace(day=1)
    count = (period.start.year - first.year) * 12 + period.start.month - first.month
    while nth_month(first, count) > period.start:
        count -= 1
    while nth_month(first, count) < period.end:
        yield nth_period(first, count)
        count += 1


def _actual_days(period: Period, month: Period) -> Fraction:
    return Fraction(_overlap_days(period, month), month.days)


def _thirty_days(period: Period, month: Period) -> Fraction:
    def position(day: date) -> int:
        if day >= month.end:
            return _THIRTY
        return max(0, min((day - month.start).days, _THIRTY))

    return Fraction(position(period.end) - position(period.start), _THIRTY)


def _started_months(_period: Period, _month: Period) -> Fraction:
    return Fraction(1)


def _whole_months(period: Period, month: Period) -> Fraction:
    return Fraction(_overlap_days(period, month) == month.days)


def _no_part(period: Period, month: Period) -> Fraction:
    if _overlap_days(period, month) != month.days:
        raise RatingRefusedError(RefusalKind.PART_MONTH, f"{period} is not made of whole months")
    return Fraction(1)


def _overlap_days(period: Period, month: Period) -> int:
    return (min(period.end, month.end) - max(period.start, month.start)).days


_SHARES: dict[Proration, Callable[[Period, Period], Fraction]] = {
    Proration.ACTUAL_DAYS: _actual_days,
    Proration.THIRTY_DAYS: _thirty_days,
    Proration.STARTED_MONTHS: _started_months,
    Proration.WHOLE_MONTHS: _whole_months,
    Proration.NONE: _no_part,
}
