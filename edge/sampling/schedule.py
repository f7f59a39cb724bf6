"""When meters are read: a daily civil time in the site's zone, and denser days. Pure.

A slot is an instant at which every meter is due. Slots are counted from the civil midnight of each day, so a day of
another length (summer time) has its own slots and none is skipped or doubled.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from common.civil import civil_day, midnight
from common.errors import ensure

MINUTES_PER_DAY = 24 * 60
DAYS_LOOKED_BACK_MAX = 400
DAYS_KNOWN_MAX = 8
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRange:
    """Slots that passed: the first, the last and how many there are."""

    first: datetime
    last: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Daily at a minute of the civil day, and on dense days every so many minutes from midnight on."""

    zone: tzinfo
    daily_minute: int = 0
    dense: Mapping[date, int] = field(default_factory=dict)
    _known: dict[date, tuple[datetime, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _starts: dict[datetime, datetime] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the bounds of the minutes."""
        ensure(0 <= self.daily_minute < MINUTES_PER_DAY, "the daily slot lies inside the day")
        ensure(all(1 <= step <= MINUTES_PER_DAY for step in self.dense.values()), "a dense day has a step of minutes")

    @property
    def shortest_period_s(self) -> int:
        """Return the seconds between two slots where they stand closest."""
        return 60 * min((*self.dense.values(), MINUTES_PER_DAY))

    def latest_due(self, now: datetime) -> datetime:
        """Return the newest slot at or before an instant."""
        today = civil_day(now, self.zone)
        held = (self._slots(day) for day in (today - _DAY, today))
        return max(slots[place - 1] for slots in held if (place := bisect_right(slots, now)))

    def next_after(self, now: datetime) -> datetime:
        """Return the first slot after an instant."""
        today = civil_day(now, self.zone)
        held = (self._slots(day) for day in (today, today + _DAY))
        return min(slots[place] for slots in held if (place := bisect_right(slots, now)) < len(slots))

    def passed(self, after: datetime, before: datetime) -> SlotRange | None:
        """Return the slots strictly between two instants; of a very long absence only the newest part is counted."""
        if self.next_after(after) >= before:
            return None
        last_day = civil_day(before, self.zone)
        first_day = max(civil_day(after, self.zone), last_day - timedelta(days=DAYS_LOOKED_BACK_MAX))
        days = (first_day + timedelta(days=n) for n in range((last_day - first_day).days + 1))
        slots = [slot for day in days for slot in _between(self._slots(day), after, before)]
        return SlotRange(first=slots[0], last=slots[-1], count=len(slots)) if slots else None

    def day_start(self, slot: datetime) -> datetime:
        """Return the midnight that opens the slot's civil day."""
        known = self._starts.get(slot)
        if known is None:
            known = midnight(civil_day(slot, self.zone), self.zone)
            if len(self._starts) >= DAYS_KNOWN_MAX:
                self._starts.clear()
            self._starts[slot] = known
        return known

    def _slots(self, day: date) -> tuple[datetime, ...]:
        """Return the slots of a civil day in order; the few days around the present are asked for over and over."""
        known = self._known.get(day)
        if known is None:
            if len(self._known) >= DAYS_KNOWN_MAX:
                self._known.clear()
            known = self._known[day] = tuple(sorted(self._make_slots(day)))
        return known

    def _make_slots(self, day: date) -> Iterator[datetime]:
        start = midnight(day, self.zone)
        step = self.dense.get(day)
        if step is not None:
            count = (midnight(day + _DAY, self.zone) - start) // timedelta(minutes=step)
            yield from (start + timedelta(minutes=step * n) for n in range(count))
        if step is None or self.daily_minute % step:
            yield start + timedelta(minutes=self.daily_minute)


def _between(slots: Sequence[datetime], after: datetime, before: datetime) -> Sequence[datetime]:
    """Return the slots of a day strictly between two instants."""
    return slots[bisect_right(slots, after) : bisect_left(slots, before)]
