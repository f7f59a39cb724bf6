"""Whether time windows leave a hole, or stand there for nothing: every minute of every kind of day falls into one.

Windows are first-match lists, so an overlap is an order, but a minute that no window holds has no price, and a window
whose every minute earlier ones hold is a price that never applies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    holes: list[str] = []
    for active, day in _kinds_of_days(windows).items():
        minute = _cover(windows[n][0] for n in active).find(0)
        if minute >= 0:
            holes.append(f"{time(minute // 60, minute % 60):%H:%M} on a {day}")
    return holes


def unreached(windows: Sequence[WindowTimes]) -> list[int]:
    """Return the positions of the windows that earlier ones leave no minute of any day."""
    reached: set[int] = set()
    for active in _kinds_of_days(windows):
        for place, number in enumerate(active):
            before = _cover(windows[n][0] for n in active[:place])
            if _cover(windows[n][0] for n in active[: place + 1]) != before:
                reached.add(number)
    return [number for number in range(len(windows)) if number not in reached]


def _kinds_of_days(windows: Sequence[WindowTimes]) -> dict[tuple[int, ...], str]:
    """Return the different sets of windows that hold on a day, each with the first such day in words."""
    found: dict[tuple[int, ...], str] = {}
    kinds: tuple[DayKind | None, ...] = tuple(DayKind) if any(days.kinds for _, days in windows) else (None,)
    for month, weekday, kind in product(_MONTHS, _WEEKDAYS, kinds):
        active = tuple(n for n, (_, days) in enumerate(windows) if holds_on(days, month, weekday, kind))
        found.setdefault(active, f"{_WEEKDAY_NAMES[weekday]} of month {month}" + (f", {kind}" if kind else ""))
    return found


def _cover(spans: Iterable[Sequence[TimeSpan]]) -> bytearray:
    """Return the minutes of the day that some windows hold."""
    covered = bytearray(_MINUTES_PER_DAY)
    for first, last in (stretch for times in spans for span in times for stretch in _stretches(span)):
        covered[first:last] = b"\1" * (last - first)
    return covered


def _stretches(span: TimeSpan) -> Iterator[tuple[int, int]]:
    start, end = _minute(span.start), _minute(span.end)
    if start < end:
        yield start, end
        return
    yield start, _MINUTES_PER_DAY
    yield 0, end


def _minute(moment: time) -> int:
    return moment.hour * 60 + moment.minute
