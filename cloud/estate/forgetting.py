"""Taking back what an import added to the estate, before anything refers to it.

What a bill, a contract, a permit or a user refers to stays: the database refuses, and the whole import stays with it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError, ProgrammingError

from cloud.estate.tables import (
    BuildingRow,
    PartyPremisesRow,
    PartyRow,
    PersonRow,
    PremisesFactRow,
    PremisesRow,
    SpaceRow,
)
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError


async def forget_premises(unit: Unit, premises_ids: Collection[UUID]) -> None:
    """Take premises away with their facts and relations.

    Raises:
        ConflictError: something refers to one of them by now.
    """
    ids = list(premises_ids)
    for row in (PartyPremisesRow, PremisesFactRow, SpaceRow, PremisesRow):
        await _forget(unit, row, row.premises_id.in_(ids))
    unit.record("forgotten", "premises", ids[0], after={"premises": len(ids)})


async def forget_parties(unit: Unit, party_ids: Collection[UUID]) -> None:
    """Take parties away with the persons behind them and what they are to premises.

    Raises:
        ConflictError: something refers to one of them by now.
    """
    ids = list(party_ids)
    persons = [
        row.person_id
        for row in [await unit.session.get(PartyRow, (unit.tenant, one)) for one in ids]
        if row is not None
    ]
    await _forget(unit, PartyPremisesRow, PartyPremisesRow.party_id.in_(ids))
    await _forget(unit, PartyRow, PartyRow.party_id.in_(ids))
    await _forget(unit, PersonRow, PersonRow.person_id.in_([one for one in persons if one is not None]))
    unit.record("forgotten", "party", ids[0], after={"parties": len(ids)})


async def forget_buildings(unit: Unit, building_ids: Collection[UUID]) -> None:
    """Take buildings away.

    Raises:
        ConflictError: something refers to one of them by now.
    """
    ids = list(building_ids)
    await _forget(unit, BuildingRow, BuildingRow.building_id.in_(ids))
    unit.record("forgotten", "building", ids[0], after={"buildings": len(ids)})


async def _forget(unit: Unit, row: Any, condition: Any) -> None:
    try:
        await unit.session.execute(delete(row).where(condition), execution_options={"synchronize_session": False})
    except (IntegrityError, ProgrammingError) as error:
        raise ConflictError(
            f"what was imported into {row.__tablename__} is used by now; nothing was taken back"
        ) from error
