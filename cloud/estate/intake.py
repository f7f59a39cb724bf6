"""Many at once: premises, parties and relations taken in with a few statements, whatever their number.

The use cases of `service.py` for one thing are these with a list of one, so both ways check and record the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from cloud.estate import repository
from cloud.estate.kinds import Fact, PartyKind, PremisesKind, Role
from cloud.estate.tables import (
    PartyPremisesRow,
    PartyRow,
    PersonRow,
    PremisesFactRow,
    PremisesRow,
    SpaceRow,
)
from cloud.estate.values import NewParty, NewPremises, Relation
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, MalformedError, NotFoundError
from cloud.kit.names import sort_key
from common.ids import CommunityId, PartyId, PremisesId


async def add_all_premises(unit: Unit, community_id: CommunityId, news: Sequence[NewPremises]) -> list[PremisesId]:
    """Add premises with the facts known of them and return their ids in order; a space gets a row of its own beside.

    Raises:
        MalformedError: a fact is negative.
    """
    rows = [
        PremisesRow(
            tenant_id=unit.tenant,
            community_id=community_id,
            premises_id=PremisesId(unit.new_id()),
            building_id=new.building_id,
            label=new.label,
            label_key=sort_key(new.label),
            kind=new.kind,
        )
        for new in news
    ]
    unit.session.add_all(rows)
    await unit.session.flush()
    for new, row in zip(news, rows, strict=True):
        if new.kind is PremisesKind.SPACE:
            key = {"tenant_id": unit.tenant, "community_id": community_id, "premises_id": row.premises_id}
            unit.session.add(SpaceRow(**key, lot=""))
        for fact, value_milli in new.facts.items():
            add_fact(unit, row, fact, new.effective_from, 1, value_milli)
        unit.record("added", "premises", row.premises_id, after={"label": new.label, "kind": new.kind.value})
    return [row.premises_id for row in rows]


def add_fact(unit: Unit, row: PremisesRow, fact: Fact, effective_from: date, rev: int, value_milli: int) -> None:
    """State a fact of premises.

    Raises:
        MalformedError: it is negative.
    """
    if value_milli < 0:
        raise MalformedError(f"{fact.value} of premises {row.label} cannot be negative")
    unit.session.add(
        PremisesFactRow(
            tenant_id=row.tenant_id,
            community_id=row.community_id,
            premises_id=row.premises_id,
            fact=fact,
            effective_from=effective_from,
            rev=rev,
            value_milli=value_milli,
            recorded_at=unit.now,
        )
    )


async def add_parties(unit: Unit, news: Sequence[NewParty]) -> list[PartyId]:
    """Add parties and return their ids in order; a person gets a row of personal data beside it."""
    persons = [
        PersonRow(
            tenant_id=unit.tenant,
            person_id=unit.new_id(),
            name=new.name,
            name_key=sort_key(new.name),
            phone_tail=new.phone_tail,
        )
        if new.kind is PartyKind.PERSON
        else None
        for new in news
    ]
    unit.session.add_all([person for person in persons if person is not None])
    await unit.session.flush()
    rows = [
        PartyRow(
            tenant_id=unit.tenant,
            party_id=PartyId(unit.new_id()),
            kind=new.kind,
            name=new.name,
            name_key=sort_key(new.name),
            person_id=None if person is None else person.person_id,
            created_at=unit.now,
        )
        for new, person in zip(news, persons, strict=True)
    ]
    unit.session.add_all(rows)
    await unit.session.flush()
    for row in rows:
        unit.record("added", "party", row.party_id, after={"kind": row.kind.value})
    return [row.party_id for row in rows]


async def relate_all(unit: Unit, relations: Sequence[Relation]) -> None:
    """Say what parties are to premises, each from a day until another (open when None).

    Raises:
        MalformedError: a relation ends before it starts.
        NotFoundError: the company has no such premises.
        ConflictError: the party is that already, or the premises have another payer in those days.
    """
    wanted_ids = {relation.premises_id for relation in relations}
    rows = {row.premises_id: row for row in await repository.premises_by_id(unit.session, wanted_ids)}
    known: dict[PremisesId, list[Relation]] = defaultdict(list)
    for other in await repository.relations_of(unit.session, wanted_ids, lock=True):
        known[other.premises_id].append(relation_of(other))
    for wanted in relations:
        row = rows.get(wanted.premises_id)
        if wanted.ends is not None and wanted.ends <= wanted.starts:
            raise MalformedError("a relation ends after the day it starts")
        if row is None:
            raise NotFoundError(f"there are no premises {wanted.premises_id}")
        if any(_clash(wanted, other) for other in known[wanted.premises_id]):
            raise ConflictError(
                f"premises {row.label} have such a {wanted.role.value} in those days already; end that first"
            )
        known[wanted.premises_id].append(wanted)
        add_relation(unit, row.community_id, wanted)
        after = {"party_id": str(wanted.party_id), "role": wanted.role.value, "starts": wanted.starts.isoformat()}
        unit.record("related", "premises", wanted.premises_id, after=after)
    await unit.session.flush()


def add_relation(unit: Unit, community_id: CommunityId, relation: Relation) -> None:
    """Write a relation whose days were found to be free."""
    unit.session.add(
        PartyPremisesRow(
            tenant_id=unit.tenant,
            community_id=community_id,
            relation_id=unit.new_id(),
            premises_id=relation.premises_id,
            party_id=relation.party_id,
            role=relation.role,
            starts=relation.starts,
            ends=relation.ends,
        )
    )


def relation_of(row: PartyPremisesRow) -> Relation:
    """Return a kept relation as a value."""
    return Relation(premises_id=row.premises_id, party_id=row.party_id, role=row.role, starts=row.starts, ends=row.ends)


def _clash(wanted: Relation, other: Relation) -> bool:
    same_party = wanted.party_id == other.party_id
    if wanted.role != other.role or not (same_party or wanted.role is Role.PAYER):
        return False
    starts_before_end = other.ends is None or wanted.starts < other.ends
    return starts_before_end and (wanted.ends is None or other.starts < wanted.ends)
