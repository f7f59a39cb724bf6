"""Work that recurs: each schedule inserts one job per civil day, keyed by schedule and day.

A missed day is made up for, oldest first, because the row of a schedule says through which day it has fired; the
key of the job makes a second insert harmless. Days are those of the company's zone, in business time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.db import MACHINERY, Unit
from cloud.kit.jobs import NewJob
from cloud.kit.tables import TenantRow, table_flags
from common.civil import civil_day

DAYS_AT_ONCE_MAX = 400
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A job of some kind on every day, or on one day of each month, at a civil time.

    The job's payload is `{"day": "2026-05-01"}`, its `run_at` the instant at which it was due.
    """

    name: str
    kind: str
    at: time
    day_of_month: int | None = None

    def falls_on(self, day: date) -> bool:
        """Return whether the schedule fires on the day."""
        return self.day_of_month is None or self.day_of_month == day.day

    def due(self, day: date, zone: tzinfo) -> datetime:
        """Return the UTC instant at which the schedule fires on the day."""
        return datetime.combine(day, self.at, tzinfo=zone).astimezone(UTC)


class ScheduleRow(TenantRow):
    """Through which day a schedule has fired for the company."""

    __tablename__ = "schedule"

    name: Mapped[str] = mapped_column(primary_key=True)
    fired_through: Mapped[date]

    __table_args__ = (table_flags(machinery=True),)


async def fire_due(unit: Unit, schedules: Sequence[Schedule], zone: tzinfo) -> None:
    """Insert the jobs of every schedule that are due and not inserted yet; a new schedule starts today."""
    fired = {row.name: row.fired_through for row in await unit.session.scalars(select(ScheduleRow).with_for_update())}
    today = civil_day(unit.now, zone)
    for schedule in schedules:
        through = fired.get(schedule.name, today - _DAY)
        done = through
        for day in _days(through + _DAY, today):
            if schedule.due(day, zone) > unit.now:
                break
            done = day
            if schedule.falls_on(day):
                unit.enqueue(_job(schedule, day, zone))
        if done != through or schedule.name not in fired:
            await _note(unit, schedule, done)


def next_due(schedules: Sequence[Schedule], after: datetime, zone: tzinfo) -> datetime | None:
    """Return the earliest instant after another at which any schedule may fire."""
    today = civil_day(after, zone)
    instants = [schedule.due(day, zone) for schedule in schedules for day in (today, today + _DAY)]
    return min((instant for instant in instants if instant > after), default=None)


def _days(first: date, last: date) -> Iterator[date]:
    count = min((last - first).days + 1, DAYS_AT_ONCE_MAX)
    return (first + n * _DAY for n in range(count))


def _job(schedule: Schedule, day: date, zone: tzinfo) -> NewJob:
    return NewJob(
        kind=schedule.kind,
        key=f"schedule:{schedule.name}:{day.isoformat()}",
        payload={"day": day.isoformat()},
        run_at=schedule.due(day, zone),
    )


async def _note(unit: Unit, schedule: Schedule, through: date) -> None:
    statement = insert(ScheduleRow).values(tenant_id=unit.tenant, name=schedule.name, fired_through=through)
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "name"], set_={"fired_through": statement.excluded.fired_through}
    )
    await unit.session.execute(statement, execution_options=MACHINERY)
