"""Meters of many premises in columns, as a bill run reads them. Named queries."""

from __future__ import annotations

from typing import LiteralString

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate.in_columns import PremisesRange
from cloud.kit.bulk import read_columns
from cloud.kit.images import ID, Columns
from common.civil import Period
from common.reading.reading import Resource

RESOURCES = tuple(Resource)

_PLACED: LiteralString = """
    select i.premises_id, i.meter_id, array_position({resources}::text[], m.resource::text)::int8 as resource,
           m.multiplier_milli, m.digits, i.starts, coalesce(i.ends, '9999-12-31') as ends
      from meter_installation i
      join lateral (select resource, multiplier_milli, digits from meter
                     where tenant_id = i.tenant_id and meter_id = i.meter_id limit 1) m on true
     where i.community_id = {community} and i.premises_id between {first} and {last}
       and i.starts < {end} and (i.ends is null or i.ends > {start})
"""


async def placed_meters(session: AsyncSession, where: PremisesRange, reach: Period) -> Columns:
    """Return the installations of a range of premises that touch some days, with what their meters are, in any order.

    `resource` counts from 1 in the order of `RESOURCES`; `starts` and `ends` are days as binary COPY counts them.
    """
    return await read_columns(
        session,
        _PLACED,
        {
            **where.values(),
            "resources": [resource.value for resource in RESOURCES],
            "start": reach.start,
            "end": reach.end,
        },
        {
            "premises_id": ID,
            "meter_id": ID,
            "resource": ">i8",
            "multiplier_milli": ">i8",
            "digits": ">i8",
            "starts": ">i4",
            "ends": ">i4",
        },
    )
