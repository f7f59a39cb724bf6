"""Which time window an instant falls into, by the clock on the wall and, where asked for, the official calendar."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Generic, Protocol, TypeVar

from common.civil import civil_day, midnight
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.tariff.coverage import holds_on
from common.tariff.daytype import OfficialCalendar, UnknownYearError
from common.tariff.model import DayKind, Days, TimeSpan, Window

_ONE_DAY = timedelta(days=1)


class Timed(Protocol):
    """Anything that holds at some times of some days."""

    @property
    def spans(self) -> tuple[TimeSpan, ...]:
        """Return the spans of the day."""
        ...

    @property
    def days(self) -> Days:
        """Return the days."""
        ...


WindowT = TypeVar("WindowT", bound=Timed)


class WindowFinder(Generic[WindowT]):
    """Looks instants up in a list of windows; of several that hold, the first listed wins."""

    def __init__(self, windows: Sequence[WindowT], zone: tzinfo, calendar: OfficialCalendar | None) -> None:
        self.zone = zone
        self.windows = tuple(windows)
        self._calendar = calendar
        self._needs_calendar = any(window.days.kinds for window in windows)
        edges = {edge for window in windows for span in window.spans for edge in (span.start, span.end)}
        self.edges = sorted(edges | {time()})

    def at(self, instant: datetime) -> WindowT:
        """Return the window that holds an instant.

        Raises:
            RatingRefusedError: no window does, or the windows ask for a calendar that is not known.
        """
        local = instant.astimezone(self.zone)
        kind = self._kind_of(local.date()) if self._needs_calendar else None
        for window in self.windows:
            on_time = any(local.time() in span for span in window.spans)
            if on_time and holds_on(window.days, local.month, local.weekday(), kind):
                return window
        raise RatingRefusedError(RefusalKind.NO_PRICE, f"no window holds {local:%Y-%m-%d %H:%M}")

    def pieces(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Return a stretch of time cut at every midnight and at every time of day at which a window begins or ends."""
        day = civil_day(start, self.zone)
        cuts = [start]
        while midnight(day, self.zone) < end:
            instants = (datetime.combine(day, edge, tzinfo=self.zone).astimezone(UTC) for edge in self.edges)
            cuts.extend(sorted({instant for instant in instants if cuts[-1] < instant < end}))
            day += _ONE_DAY
        yield from zip(cuts, [*cuts[1:], end], strict=True)

    def _kind_of(self, day: date) -> DayKind:
        if self._calendar is None:
            raise RatingRefusedError(RefusalKind.NO_CALENDAR, f"the windows need the official calendar of {day.year}")
        try:
            return self._calendar.kind_of(day)
        except UnknownYearError as error:
            raise RatingRefusedError(RefusalKind.NO_CALENDAR, str(error)) from error


def usage_by_window(finder: WindowFinder[Window], intervals: Iterable[tuple[datetime, int]]) -> dict[str, int]:
    """Return the usage of each window from intervals given by their start (UTC) and usage in milli-units.

    An interval counts where it starts, so intervals have to be cut at the edges of the windows, as hours and quarter
    hours are. Intervals are all the usage there was, so a window of their months that none falls into has zero.

    Raises:
        RatingRefusedError: an interval falls into no window, or a calendar is not known.
    """
    totals: dict[str, int] = {}
    months: set[int] = set()
    for start, milli in intervals:
        name = finder.at(start).name
        totals[name] = totals.get(name, 0) + milli
        months.add(start.astimezone(finder.zone).month)
    for window in finder.windows:
        if months and window.is_open(months):
            totals.setdefault(window.name, 0)
    return totals


def rate_registers(windows: Sequence[Window], months: Collection[int]) -> dict[str, int]:
    """Return the rate register of each window that holds in some civil months.

    Empty when registers cannot tell the windows apart: one of them has none, or two of them share one.
    """
    registers = {window.name: window.register for window in windows if window.is_open(months)}
    known = {name: register for name, register in registers.items() if register is not None}
    return known if len(known) == len(registers) == len(set(known.values())) else {}
