"""Registers of many meters at midnights in columns, as a bill run reads them. Named queries.

Only what is plain is answered here: the newest known block of the day begins with a reading at the midnight itself, and
nothing was corrected. For all other meters the by-value road of `registers.py` decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import LiteralString

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.bulk import read_columns
from cloud.kit.images import ID, Columns, IdArray, Ids, Integers, day_number, instant_number
from common.civil import Period, midnight
from common.ids import CommunityId
from common.reading.reading import Quantity

_AT_MIDNIGHTS: LiteralString = """
    select meter_id, array_position({quantities}::text[], quantity::text)::int8 as quantity, day, rev, first_at,
           first_milli, first_quality
      from meter_day_block
     where community_id = {community} and meter_id = any({meters}) and quantity = any({quantities}::text[])
       and day = any({days}::date[]) and recorded_at <= {known_at}
"""
_CORRECTED: LiteralString = """
    select distinct meter_id from reading_revision
     where community_id = {community} and read_at between {first} and {last} and recorded_at <= {known_at}
    union
    select distinct meter_id from meter_rollover
     where community_id = {community} and day between {first_day} and {last_day} and recorded_at <= {known_at}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Midnights:
    """Registers of a community at the midnights that begin some days, as known at an instant."""

    community_id: CommunityId
    quantities: frozenset[Quantity]
    days: frozenset[date]
    zone: tzinfo
    known_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """What some meters showed at a midnight, in the order they were asked for; where `known` is False, nothing."""

    known: np.ndarray[tuple[int], np.dtype[np.bool_]]
    value_milli: Integers
    quality: Integers
    rev: Integers


class RegisterSheet:
    """The plain registers of some meters at some midnights: of each the newest known block, if it begins there."""

    def __init__(self, meters: Ids, found: Mapping[tuple[Quantity, date], Columns]) -> None:
        self._meters = np.sort(meters)
        self._found = found

    def at(self, quantity: Quantity, day: date, meters: Ids) -> Registers:
        """Return the registers at one midnight of some of the meters that the sheet was read for."""
        found = self._found[quantity, day]
        places = np.searchsorted(self._meters, found["meter_id"])
        wanted = np.searchsorted(self._meters, meters)
        size = len(self._meters)
        return Registers(
            known=_spread(found["known"], places, size)[wanted] != 0,
            value_milli=_spread(found["first_milli"], places, size)[wanted],
            quality=_spread(found["first_quality"], places, size)[wanted],
            rev=_spread(found["rev"], places, size)[wanted],
        )


async def registers_at(session: AsyncSession, where: Midnights, meters: Ids) -> RegisterSheet:
    """Return the registers of some meters at all the midnights, read by one query."""
    quantities, days = sorted(where.quantities), sorted(where.days)
    found = await read_columns(
        session,
        _AT_MIDNIGHTS,
        {
            "community": where.community_id,
            "meters": IdArray(meters),
            "quantities": [quantity.value for quantity in quantities],
            "days": days,
            "known_at": where.known_at,
        },
        {
            "meter_id": ID,
            "quantity": ">i8",
            "day": ">i4",
            "rev": ">i8",
            "first_at": ">i8",
            "first_milli": ">i8",
            "first_quality": ">i8",
        },
    )
    sheet: dict[tuple[Quantity, date], Columns] = {}
    for number, quantity in enumerate(quantities, 1):
        for day in days:
            own = np.flatnonzero((found["quantity"] == number) & (found["day"] == day_number(day)))
            newest = _newest({name: column[own] for name, column in found.items()})
            newest["known"] = newest["first_at"] == instant_number(midnight(day, where.zone))
            sheet[quantity, day] = newest
    return RegisterSheet(meters, sheet)


def _newest(found: Columns) -> Columns:
    """Return the row with the highest revision of each meter."""
    if len(found["rev"]) == 0 or int(found["rev"].max()) == 1:
        return found
    order = np.lexsort((found["rev"], found["meter_id"]))
    meters = found["meter_id"][order]
    last = np.append(meters[1:] != meters[:-1], True)
    return {name: column[order[last]] for name, column in found.items()}


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
