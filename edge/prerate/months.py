"""The registers of one meter at the midnights that open months, kept so that a month can be priced when it closes.

A mark is (civil day, register before the multiplier); the first register ever seen is a mark too, so that a meter
installed in mid-year has a beginning. A month without both of its marks is not priced: unknown is never zero. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import msgspec

from common.civil import Period, nth_month
from common.reading.usage import MeterFacts, RegisterSpan, span_usage_milli

MARKS_MAX = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Months:
    """Marks in the order of days, at most a year and a bit of them."""

    marks: tuple[tuple[date, int], ...] = ()

    def with_mark(self, day: date, register_milli: int) -> Months:
        """Return the marks with one more; only the first ever and those that open months are kept."""
        if self.marks and (day.day != 1 or day <= self.marks[-1][0]):
            return self
        return Months(marks=(*self.marks, (day, register_milli))[-MARKS_MAX:])

    def closed_month(self) -> Period | None:
        """Return the month that the newest mark closes, when the mark that opened it is there."""
        if len(self.marks) <= 1:
            return None
        (start, _), (end, _) = self.marks[-2:]
        return Period(start, end) if start.day == 1 and nth_month(start, 1) == end else None

    def usage_milli(self, period: Period, facts: MeterFacts) -> int | None:
        """Return the usage between two marks; None when one is missing or the register went backwards."""
        registers = dict(self.marks)
        if period.start not in registers or period.end not in registers:
            return None
        span = RegisterSpan(facts=facts, start_milli=registers[period.start], end_milli=registers[period.end])
        return span_usage_milli(span)

    def prior_milli(self, since: date, until: date, facts: MeterFacts) -> int | None:
        """Return the usage from the first mark on or after a day until another mark; 0 when they are the same."""
        start = next((day for day, _ in self.marks if day >= since), None)
        if start is None or start > until:
            return None
        return 0 if start == until else self.usage_milli(Period(start, until), facts)

    def pack(self) -> bytes:
        """Return the stored form."""
        return msgspec.msgpack.encode(self.marks)

    @classmethod
    def unpack(cls, body: bytes) -> Months:
        """Read the stored form; damaged bytes begin anew, and the month they belonged to is not priced."""
        try:
            return cls(marks=msgspec.msgpack.decode(body, type=tuple[tuple[date, int], ...]))
        except msgspec.DecodeError:
            return cls()
