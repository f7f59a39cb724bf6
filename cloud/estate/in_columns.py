"""Households in columns: premises, facts and who owes, as a bill run reads them. Named queries, private to nobody.

The rows are those of `service.premises_in` and `service.payers`, thousands at a time and without an object for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import LiteralString, Self
from uuid import UUID

import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate.kinds import Fact, PremisesKind
from cloud.kit.bulk import read_columns
from cloud.kit.images import ID, Columns, Ids, Integers, day_number
from common.civil import Period
from common.ids import CommunityId, PremisesId

ABSENT = -1
_FIRST, _LAST = PremisesId(UUID(int=0)), PremisesId(UUID(int=2**128 - 1))
NOBODY = bytes(ID.itemsize)
_KINDS = tuple(PremisesKind)
_FACTS = tuple(Fact)

_PREMISES: LiteralString = """
    select premises_id, coalesce(building_id, '00000000-0000-0000-0000-000000000000') as building_id,
           array_position({kinds}::text[], kind::text)::int8 as kind
      from premises
     where community_id = {community} and premises_id between {first} and {last}
     order by premises_id
"""
_FACTS_ON: LiteralString = """
    select distinct on (premises_id, fact) premises_id, array_position({facts}::text[], fact::text)::int8 as fact,
           value_milli
      from premises_fact
     where community_id = {community} and premises_id between {first} and {last}
       and effective_from <= {day} and recorded_at <= {known_at}
     order by premises_id, fact, effective_from desc, rev desc
"""
_OWING: LiteralString = """
    select premises_id, party_id, (role = 'payer') as pays, starts, coalesce(ends, '9999-12-31') as ends
      from party_premises
     where community_id = {community} and premises_id between {first} and {last} and role in ('owner', 'payer')
       and starts < {end} and (ends is null or ends > {start})
     order by premises_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PremisesRange:
    """Premises of a community from one id to another, both included."""

    community_id: CommunityId
    first: PremisesId
    last: PremisesId

    @classmethod
    def whole(cls, community_id: CommunityId) -> Self:
        """Return all premises of a community."""
        return cls(community_id=community_id, first=_FIRST, last=_LAST)

    def values(self) -> dict[str, object]:
        """Return the range as the values of a query."""
        return {"community": self.community_id, "first": self.first, "last": self.last}


@dataclass(frozen=True, slots=True, kw_only=True)
class Households:
    """Premises in the order of their ids.

    `buildings` holds `NOBODY` where premises stand in none. `facts` are in thousandths, `ABSENT` where nothing is
    known. `payers` is the party that owes for every day of the period, `NOBODY` where that is not one and the same.
    """

    premises: Ids
    buildings: Ids
    kinds: tuple[PremisesKind, ...]
    facts: Mapping[Fact, Integers]
    payers: Ids

    def between(self, where: PremisesRange) -> Households:
        """Return the premises of a range."""
        first, last = (place.bytes.rstrip(b"\0") for place in (where.first, where.last))
        rows = slice(np.searchsorted(self.premises, first), np.searchsorted(self.premises, last, side="right"))
        return Households(
            premises=self.premises[rows],
            buildings=self.buildings[rows],
            kinds=self.kinds[rows],
            facts={fact: column[rows] for fact, column in self.facts.items()},
            payers=self.payers[rows],
        )


async def with_payers(session: AsyncSession, homes: Households, where: PremisesRange, period: Period) -> Households:
    """Return the premises of a range, read before, with who owes as it stands now."""
    return replace(homes, payers=await _payers(session, where, homes.premises, period))


async def households(session: AsyncSession, where: PremisesRange, period: Period, known_at: datetime) -> Households:
    """Return the premises of a range with the facts of the first day of a period, and who owes for all of it."""
    places = await read_columns(
        session,
        _PREMISES,
        {**where.values(), "kinds": [kind.value for kind in _KINDS]},
        {"premises_id": ID, "building_id": ID, "kind": ">i8"},
    )
    premises: Ids = places["premises_id"]
    return Households(
        premises=premises,
        buildings=places["building_id"],
        kinds=tuple(_KINDS[number - 1] for number in places["kind"].tolist()),
        facts=await _facts(session, where, premises, period.start, known_at),
        payers=await _payers(session, where, premises, period),
    )


async def _facts(
    session: AsyncSession, where: PremisesRange, premises: Ids, day: date, known_at: datetime
) -> dict[Fact, Integers]:
    values = {**where.values(), "facts": [fact.value for fact in _FACTS], "day": day, "known_at": known_at}
    found = await read_columns(session, _FACTS_ON, values, {"premises_id": ID, "fact": ">i8", "value_milli": ">i8"})
    rows = np.searchsorted(premises, found["premises_id"])
    facts: dict[Fact, Integers] = {}
    for number, fact in enumerate(_FACTS, 1):
        own = found["fact"] == number
        column = np.full(len(premises), ABSENT, dtype=np.int64)
        column[rows[own]] = found["value_milli"][own]
        facts[fact] = column
    return facts


async def may_owe(session: AsyncSession, where: PremisesRange, period: Period) -> tuple[Ids, Ids]:
    """Return premises and party of everybody who may owe on some day of a period, nobody left out."""
    owing = await _owing(session, where, period)
    premises: Ids = np.unique(owing["premises_id"])
    sole = sole_payers(premises, owing, period)[np.searchsorted(premises, owing["premises_id"])]
    kept = (sole == NOBODY) | (sole == owing["party_id"])
    return owing["premises_id"][kept], owing["party_id"][kept]


async def _payers(session: AsyncSession, where: PremisesRange, premises: Ids, period: Period) -> Ids:
    return sole_payers(premises, await _owing(session, where, period), period)


async def _owing(session: AsyncSession, where: PremisesRange, period: Period) -> Columns:
    return await read_columns(
        session,
        _OWING,
        {**where.values(), "start": period.start, "end": period.end},
        {"premises_id": ID, "party_id": ID, "pays": "?", "starts": ">i4", "ends": ">i4"},
    )


def sole_payers(premises: Ids, owing: Columns, period: Period) -> Ids:
    """Return who owes for every day of a period: the one payer, or the one owner where nobody is named as payer."""
    rows = np.searchsorted(premises, owing["premises_id"])
    whole = (owing["starts"] <= day_number(period.start)) & (owing["ends"] >= day_number(period.end))
    payers = _count(rows[owing["pays"]], len(premises))
    owners = _count(rows[~owing["pays"]], len(premises))
    decides = np.where(owing["pays"], payers[rows] == 1, (payers[rows] == 0) & (owners[rows] == 1))
    found: Ids = np.zeros(len(premises), dtype=ID)
    found[rows[decides & whole]] = owing["party_id"][decides & whole]
    return found


def _count(rows: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.intp]:
    return np.bincount(rows, minlength=size)
