"""Registers of many meters at a midnight in columns, as a bill run reads them. Named queries.

Only what is plain is answered here: the newest known block of the day begins with a reading at the midnight itself, and
nothing was corrected. For all other meters the by-value road of `registers.py` decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import LiteralString

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.bulk import read_columns
from cloud.kit.images import ID, Ids, Integers, ids_literal
from common.civil import Period, midnight
from common.ids import CommunityId
from common.reading.reading import Quantity

_AT_MIDNIGHT: LiteralString = """
    select meter_id, first_milli, first_quality, rev
      from (select distinct on (meter_id) meter_id, first_at, first_milli, first_quality, rev
              from meter_day_block
             where community_id = {community} and meter_id = any({meters}::uuid[]) and quantity = {quantity}
               and day = {day} and recorded_at <= {known_at}
             order by meter_id, rev desc) newest
     where first_at = {midnight}
"""
_CORRECTED: LiteralString = """
    select distinct meter_id from reading_revision
     where community_id = {community} and read_at between {first} and {last} and recorded_at <= {known_at}
    union
    select distinct meter_id from meter_rollover
     where community_id = {community} and day between {first_day} and {last_day} and recorded_at <= {known_at}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Midnight:
    """A register of a community at the midnight that begins a day, as known at an instant."""

    community_id: CommunityId
    quantity: Quantity
    day: date
    zone: tzinfo
    known_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """What some meters showed at a midnight, in the order they were asked for; where `known` is False, nothing."""

    known: np.ndarray[tuple[int], np.dtype[np.bool_]]
    value_milli: Integers
    quality: Integers
    rev: Integers


async def registers_at(session: AsyncSession, where: Midnight, meters: Ids) -> Registers:
    """Return the registers of some meters at a midnight."""
    found = await read_columns(
        session,
        _AT_MIDNIGHT,
        {
            "community": where.community_id,
            "meters": ids_literal(meters),
            "quantity": where.quantity.value,
            "day": where.day,
            "known_at": where.known_at,
            "midnight": midnight(where.day, where.zone),
        },
        {"meter_id": ID, "first_milli": ">i8", "first_quality": ">i8", "rev": ">i8"},
    )
    order = np.argsort(meters)
    rows = order[np.searchsorted(meters, found["meter_id"], sorter=order)]
    known = np.zeros(len(meters), dtype=np.bool_)
    known[rows] = True
    return Registers(
        known=known,
        value_milli=_spread(found["first_milli"], rows, len(meters)),
        quality=_spread(found["first_quality"], rows, len(meters)),
        rev=_spread(found["rev"], rows, len(meters)),
    )


async def corrected_meters(
    session: AsyncSession, community_id: CommunityId, reach: Period, zone: tzinfo, known_at: datetime
) -> Ids:
    """Return the meters of a community with a corrected reading or a rollover around some days."""
    found = await read_columns(
        session,
        _CORRECTED,
        {
            "community": community_id,
            "first": midnight(reach.start, zone),
            "last": midnight(reach.end, zone),
            "first_day": reach.start,
            "last_day": reach.end,
            "known_at": known_at,
        },
        {"meter_id": ID},
    )
    meters: Ids = found["meter_id"]
    return meters


def _spread(values: Integers, rows: np.ndarray[tuple[int], np.dtype[np.intp]], size: int) -> Integers:
    column = np.zeros(size, dtype=np.int64)
    column[rows] = values
    return column
