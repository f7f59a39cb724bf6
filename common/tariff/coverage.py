"""Whether time windows leave a hole: every minute of every kind of day has to fall into one.

Windows are first-match lists, so an overlap is an order, but a minute that no window holds has no price.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import time
from itertools import product

from common.tariff.model import DayKind, Days, TimeSpan

_MINUTES_PER_DAY = 24 * 60
_MONTHS = range(1, 13)
_WEEKDAYS = range(7)
_WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WindowTimes = tuple[Sequence[TimeSpan], Days]


def holds_on(days: Days, month: int, weekday: int, kind: DayKind | None) -> bool:
    """Return whether a rule holds on such a day; `kind` None means that no calendar is needed."""
    return (
        (not days.months or month in days.months)
        and (not days.weekdays or weekday in days.weekdays)
        and (not days.kinds or kind in days.kinds)
    )


def uncovered(windows: Sequence[WindowTimes]) -> list[str]:
    """Return the first hole of each different set of windows, in words; an empty list means full cover."""
    holes: dict[tuple[int, ...], str] = {}
    kinds: tuple[DayKind | None, ...] = tuple(DayKind) if any(days.kinds for _, days in windows) else (None,)
    for month, weekday, kind in product(_MONTHS, _WEEKDAYS, kinds):
        active = tuple(n for n, (_, days) in enumerate(windows) if holds_on(days, month, weekday, kind))
        if active in holes:
            continue
        hole = _first_hole([span for n in active for span in windows[n][0]])
        day = f"{_WEEKDAY_NAMES[weekday]} of month {month}" + (f", {kind}" if kind else "")
        holes[active] = f"{hole:%H:%M} on a {day}" if hole is not None else ""
    return [hole for hole in holes.values() if hole]


def _first_hole(spans: Sequence[TimeSpan]) -> time | None:
    covered = bytearray(_MINUTES_PER_DAY)
    for first, last in (stretch for span in spans for stretch in _stretches(span)):
        covered[first:last] = b"\1" * (last - first)
    minute = covered.find(0)
    return None if minute < 0 else time(minute // 60, minute % 60)


def _stretches(span: TimeSpan) -> Iterator[tuple[int, int]]:
    start, end = _minute(span.start), _minute(span.end)
    if start < end:
        yield start, end
        return
    yield start, _MINUTES_PER_DAY
    yield 0, end


def _minute(moment: time) -> int:
    return moment.hour * 60 + moment.minute
