"""The official calendar as data: which days are worked, which are off, and which of those are statutory holidays.

"Public holiday" has two meanings, and a tariff has to say which: a statutory day is the holiday itself, a day off is
any day of the free block around it; a swapped workday is a weekend day that is worked. A year whose calendar has not
been published refuses, it is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from common.errors import Fault, FaultsError, RefusalError
from common.tariff.canonical import canonical_sha, to_plain
from common.tariff.model import DayKind
from common.tariff.parse.section import Section

_SATURDAY = 5
_RANGE_DAYS_MAX = 31


class UnknownYearError(RefusalError):
    """A day of a year for which no official calendar is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarYear:
    """The notice of one year."""

    year: int
    days_off: frozenset[date]
    workdays: frozenset[date]
    statutory: frozenset[date]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialCalendar:
    """The years known, and the hash of their documents; what a notice does not name follows Monday to Friday."""

    code: str
    years: Mapping[int, CalendarYear]
    sha: str

    def kind_of(self, day: date) -> DayKind:
        """Return what the day is.

        Raises:
            UnknownYearError: the year's notice is not known.
        """
        notice = self.years.get(day.year)
        if notice is None:
            known = ", ".join(str(year) for year in sorted(self.years)) or "none"
            raise UnknownYearError(f"calendar {self.code} has no official notice for {day.year} (known: {known})")
        if day in notice.statutory:
            return DayKind.STATUTORY
        if day in notice.workdays:
            return DayKind.WORKDAY
        return DayKind.DAY_OFF if day in notice.days_off or day.weekday() >= _SATURDAY else DayKind.WORKDAY


def parse_calendar(code: str, sources: Iterable[Mapping[str, object]]) -> OfficialCalendar:
    """Return the calendar that documents of single years make up.

    Raises:
        FaultsError: the documents have faults; all of them are listed.
    """
    faults: list[Fault] = []
    years: dict[int, CalendarYear] = {}
    documents = list(sources)
    for source in documents:
        section = Section(source, "", faults)
        notice = _read_year(section)
        if notice.year in years:
            section.fault("year", f"{notice.year} stands twice", "give one document a year")
        years[notice.year] = notice
    if faults:
        raise FaultsError(f"calendar {code}", faults)
    return OfficialCalendar(code=code, years=years, sha=canonical_sha([to_plain(source) for source in documents]))


def _read_year(section: Section) -> CalendarYear:
    year = section.integer("year", 1949, 9999)
    days_off = frozenset(day for entry in section.sections("days_off") for day in _read_range(entry))
    notice = CalendarYear(
        year=year,
        days_off=days_off,
        workdays=_read_dates(section, "workdays"),
        statutory=_read_dates(section, "statutory"),
        source=section.text("source"),
    )
    for day in sorted(notice.days_off | notice.workdays | notice.statutory):
        if day.year != year:
            section.fault("year", f"{day} is not in {year}", "write it into the document of its own year")
    for day in sorted(notice.workdays & notice.days_off):
        section.fault("workdays", f"{day} is also a day off", "keep it in one of the two lists")
    for day in sorted(notice.statutory - notice.days_off):
        section.fault("statutory", f"{day} is no day off", "put it into a range of days off")
    section.close()
    return notice


def _read_dates(section: Section, key: str) -> frozenset[date]:
    entry = section.listed(key)
    days = (entry.day(name) for name in entry.names())
    return frozenset(day for day in days if day is not None)


def _read_range(section: Section) -> list[date]:
    first, last = section.day("from"), section.day("to")
    section.close()
    if first is None or last is None or not timedelta(0) <= last - first <= timedelta(days=_RANGE_DAYS_MAX):
        section.fault("", "it is no range of days", "write from and to, both included, at most a month apart")
        return []
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
