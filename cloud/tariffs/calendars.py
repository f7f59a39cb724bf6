"""Use cases of the official calendar: which days are worked and which are free, as an authority announced them.

A year whose notice is not recorded is not known: a tariff that asks for its days is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate.values import Community
from cloud.kit.db import Unit
from cloud.tariffs import repository
from cloud.tariffs.book import KnownCalendar
from cloud.tariffs.events import tell_of_change
from cloud.tariffs.tables import CalendarRevisionRow
from common.civil import Period
from common.rating.usage_document import Place
from common.tariff.canonical import canonical_json, canonical_sha, to_plain
from common.tariff.daytype import parse_calendar

CALENDAR_CODE = "cn"
_ALL_YEARS = Period(date(1949, 1, 1), date(9999, 1, 1))


async def record_calendar(unit: Unit, document: Mapping[str, object], *, basis_document: str) -> int:
    """Record the official calendar of one year and return its revision number; the same document again is the same.

    Raises:
        FaultsError: the document has faults; all are listed and nothing is stored.
    """
    (year,) = parse_calendar(CALENDAR_CODE, [document]).years
    plain = to_plain(document)
    newest = await repository.newest_calendar(unit.session, CALENDAR_CODE, year)
    if newest is not None and newest.body_sha == canonical_sha(plain):
        return newest.rev
    row = CalendarRevisionRow(
        tenant_id=unit.tenant,
        calendar_code=CALENDAR_CODE,
        year=year,
        rev=1 if newest is None else newest.rev + 1,
        body=plain,
        body_sha=canonical_sha(plain),
        basis_document=basis_document,
        recorded_at=unit.now,
    )
    unit.session.add(row)
    unit.record("recorded", "calendar", unit.tenant, after={"year": year, "rev": row.rev, "body_sha": row.body_sha})
    tell_of_change(unit)
    return row.rev


async def official_calendar(session: AsyncSession, period: Period, known_at: datetime) -> KnownCalendar | None:
    """Return the official calendar of a period's years and the one before, or None when no notice is known."""
    (found,) = await official_calendars(session, [period], known_at)
    return found


async def official_calendars(
    session: AsyncSession, periods: Sequence[Period], known_at: datetime
) -> tuple[KnownCalendar | None, ...]:
    """Return the official calendar of each of some periods; one statement, and periods of the same years share one."""
    notices = await official_notices(session, known_at)
    made: dict[tuple[int, ...], KnownCalendar | None] = {(): None}
    found = []
    for period in periods:
        years = tuple(year for year in notices if period.start.year - 1 <= year <= period.end.year)
        if years not in made:
            documents = [notices[year] for year in years]
            known = KnownCalendar(calendar=parse_calendar(CALENDAR_CODE, documents), body=canonical_json(documents))
            made[years] = known
        found.append(made[years])
    return tuple(found)


async def official_notices(session: AsyncSession, known_at: datetime) -> dict[int, Mapping[str, object]]:
    """Return the newest known notice of each year, in the order of years."""
    return {row.year: row.body for row in await repository.calendars(session, CALENDAR_CODE, known_at)}


async def trial_place(session: AsyncSession, community: Community, known_at: datetime) -> Place:
    """Return where a tariff is tried out for a community: its zone, and every official notice that is known."""
    known = await official_calendar(session, _ALL_YEARS, known_at)
    calendar = None if known is None else known.calendar
    return Place(zone=community.zone, zone_name=community.zone_name, calendar=calendar)
