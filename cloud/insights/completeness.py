"""How complete the readings of each meter are, day by day: how many came, beside the most that came on any of the days.

A day without a reading is a hole, never a zero; a reading by hand counts as one and is told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from common.civil import Period, days_of
from common.ids import CommunityId

_BLOCKS = text("""
    select distinct on (meter_id, quantity, day) meter_id, day, count, last_at, last_milli
      from meter_day_block
     where community_id = :community and day >= :first and day < :end
     order by meter_id, quantity, day, rev desc
""")
_BY_HAND = text("""
    select meter_id, (read_at at time zone :zone)::date as day, max(read_at) as last_at,
           (array_agg(value_milli order by read_at desc, rev desc))[1] as value_milli
      from reading_revision r
     where community_id = :community and value_milli is not null
       and read_at >= (cast(:first as timestamp) at time zone :zone)
       and read_at < (cast(:end as timestamp) at time zone :zone)
     group by meter_id, 2
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReadings:
    """The readings of a meter on a day: how many came, and whether a person entered one."""

    day: date
    count: int
    by_hand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterCompleteness:
    """A meter over some days, with the last dial known in thousandths."""

    meter_id: UUID
    days: tuple[DayReadings, ...]
    last_at: datetime | None
    last_milli: int | None

    @property
    def most(self) -> int:
        """Return the most readings of any of the days."""
        return max((one.count for one in self.days), default=0)

    @property
    def holes(self) -> int:
        """Return on how many days nothing came and nobody entered anything."""
        return sum(one.count == 0 and not one.by_hand for one in self.days)


async def completeness(
    session: AsyncSession, community_id: CommunityId, zone_name: str, meters: Sequence[UUID], days: Period
) -> tuple[MeterCompleteness, ...]:
    """Return how complete some meters' readings are over some days, in the order of the meters."""
    wanted = {"community": community_id, "first": days.start, "end": days.end}
    counts: dict[tuple[UUID, date], int] = {}
    last: dict[UUID, tuple[datetime, int]] = {}
    for meter_id, day, count, at, value in await session.execute(_BLOCKS, wanted):
        counts[meter_id, day] = counts.get((meter_id, day), 0) + count
        last[meter_id] = max(last.get(meter_id, (at, value)), (at, value))
    hands: set[tuple[UUID, date]] = set()
    for meter_id, day, at, value in await session.execute(_BY_HAND, {**wanted, "zone": zone_name}):
        hands.add((meter_id, day))
        last[meter_id] = max(last.get(meter_id, (at, value)), (at, value))
    return tuple(
        MeterCompleteness(
            meter_id=meter_id,
            days=tuple(
                DayReadings(day=day, count=counts.get((meter_id, day), 0), by_hand=(meter_id, day) in hands)
                for day in days_of(days)
            ),
            last_at=last[meter_id][0] if meter_id in last else None,
            last_milli=last[meter_id][1] if meter_id in last else None,
        )
        for meter_id in meters
    )
