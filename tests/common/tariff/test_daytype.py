"""The official calendar is data: working days and statutory days differ, and an unknown year refuses."""

from __future__ import annotations

from datetime import date

import chinese_calendar
import holidays
import pytest

from common.civil import Period, days_of
from common.errors import FaultsError
from common.tariff.daytype import UnknownYearError, parse_calendar
from common.tariff.model import DayKind
from tests.common.tariff import library

YEARS = (2024, 2025, 2026)
STATUTORY_DAYS = {2024: 11, 2025: 13, 2026: 13}


def days_in(year: int) -> tuple[date, ...]:
    return days_of(Period(date(year, 1, 1), date(year + 1, 1, 1)))


@pytest.mark.parametrize("year", YEARS)
def test_working_days_agree_with_two_independent_packages(year: int) -> None:
    calendar = library.calendar()
    other = holidays.country_holidays("CN", years=year)
    for day in days_in(year):
        worked = calendar.kind_of(day) is DayKind.WORKDAY
        assert worked == chinese_calendar.is_workday(day), day
        assert worked == other.is_working_day(day), day


@pytest.mark.parametrize("year", YEARS)
def test_statutory_days_are_the_holidays_themselves(year: int) -> None:
    calendar = library.calendar()
    statutory = [day for day in days_in(year) if calendar.kind_of(day) is DayKind.STATUTORY]
    named = holidays.country_holidays("CN", years=year)
    assert len(statutory) == STATUTORY_DAYS[year]
    assert all("off" not in named[day].lower() and "observed" not in named[day] for day in statutory)


def test_a_swapped_workday_is_worked_and_a_free_day_of_the_block_is_not_statutory() -> None:
    calendar = library.calendar()
    assert calendar.kind_of(date(2026, 2, 14)) is DayKind.WORKDAY
    assert calendar.kind_of(date(2026, 2, 17)) is DayKind.STATUTORY
    assert calendar.kind_of(date(2026, 2, 23)) is DayKind.DAY_OFF
    assert calendar.kind_of(date(2026, 6, 6)) is DayKind.DAY_OFF
    assert calendar.kind_of(date(2026, 6, 5)) is DayKind.WORKDAY


@pytest.mark.parametrize("year", [2023, 2027])
def test_a_year_without_a_notice_refuses_and_is_never_guessed(year: int) -> None:
    with pytest.raises(UnknownYearError, match=rf"calendar cn has no official notice for {year} \(known: 2024, 2025"):
        library.calendar().kind_of(date(year, 1, 1))
    with pytest.raises(UnknownYearError, match=r"\(known: none\)"):
        parse_calendar("none", []).kind_of(date(year, 1, 1))


def year_of(**fields: object) -> dict[str, object]:
    plain: dict[str, object] = {"year": 2026, "source": "test", "days_off": [], "workdays": [], "statutory": []}
    return {**plain, **fields}


BROKEN: list[tuple[dict[str, object], str]] = [
    ({"days_off": [{"from": "2026-01-03", "to": "2026-01-01"}]}, "days_off[0]: it is no range of days"),
    ({"days_off": [{"from": "2026-01-03"}]}, "days_off[0]: it is no range of days"),
    ({"days_off": [{"from": "2026-01-01", "to": "2026-06-01"}]}, "days_off[0]: it is no range of days"),
    ({"workdays": ["2026-02-30"]}, "workdays.0: day"),
    ({"workdays": ["2025-02-01"]}, "year: 2025-02-01 is not in 2026"),
    ({"statutory": ["2026-01-01"]}, "statutory: 2026-01-01 is no day off"),
    (
        {"days_off": [{"from": "2026-01-01", "to": "2026-01-01"}], "workdays": ["2026-01-01"]},
        "workdays: 2026-01-01 is also a day off",
    ),
    ({"year": 20}, "year: 20 is out of range"),
    ({"other": 1}, "other: the field is unknown"),
]


@pytest.mark.parametrize(("fields", "expected"), BROKEN)
def test_a_broken_notice_is_refused_with_the_fault_named(fields: dict[str, object], expected: str) -> None:
    with pytest.raises(FaultsError) as refusal:
        parse_calendar("cn", [year_of(**fields)])
    assert [fault for fault in map(str, refusal.value.faults) if expected in fault], refusal.value


def test_a_year_that_stands_twice_is_refused() -> None:
    with pytest.raises(FaultsError, match="2026 stands twice"):
        parse_calendar("cn", [year_of(), year_of()])


def test_the_hash_of_a_calendar_names_its_content() -> None:
    first, again = parse_calendar("cn", [year_of()]), parse_calendar("cn", [year_of()])
    other = parse_calendar("cn", [year_of(source="another")])
    assert first.sha == again.sha != other.sha


def test_a_notice_keeps_its_days_as_they_are_written() -> None:
    days = [{"from": "2026-01-01", "to": "2026-01-03"}, {"from": "2026-05-01", "to": "2026-05-31"}]
    calendar = parse_calendar("cn", [year_of(days_off=days, workdays=["2026-01-04"], statutory=["2026-01-01"])])
    notice = calendar.years[2026]
    assert calendar.code == "cn"
    assert sorted(notice.days_off) == [
        *(date(2026, 1, day) for day in (1, 2, 3)),
        *(date(2026, 5, day) for day in range(1, 32)),
    ]
    assert (notice.workdays, notice.statutory) == (frozenset({date(2026, 1, 4)}), frozenset({date(2026, 1, 1)}))


def test_a_range_of_days_off_may_reach_a_month_and_no_further() -> None:
    month = [{"from": "2026-01-01", "to": "2026-02-01"}]
    assert len(parse_calendar("cn", [year_of(days_off=month)]).years[2026].days_off) == 32
    with pytest.raises(FaultsError, match=r"days_off\[0\]: it is no range of days"):
        parse_calendar("cn", [year_of(days_off=[{"from": "2026-01-01", "to": "2026-02-02"}])])


@pytest.mark.parametrize(("year", "fits"), [(1948, False), (1949, True), (9999, True), (10_000, False)])
def test_a_notice_is_of_a_year_since_1949(year: int, fits: bool) -> None:  # noqa: FBT001 - a column of the table
    if fits:
        assert set(parse_calendar("cn", [year_of(year=year)]).years) == {year}
        return
    with pytest.raises(FaultsError, match=f"year: {year} is out of range"):
        parse_calendar("cn", [year_of(year=year)])
