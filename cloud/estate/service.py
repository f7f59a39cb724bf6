"""Use cases of the estate: companies and communities, premises and their facts, parties and what they are to premises.

Reads take a session, writes a unit. Days are civil days of the community.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import intake, repository
from cloud.estate.history import PremisesHistory
from cloud.estate.intake import relation_of
from cloud.estate.kinds import EntityKind, Fact, PartyKind, Role
from cloud.estate.rules import payer_spans
from cloud.estate.tables import (
    BuildingRow,
    CommunityRecord,
    CommunityTenureRow,
    LegalEntityRow,
    PartyRow,
    PremisesRow,
    TenantRecord,
)
from cloud.estate.values import Building, Community, NewParty, NewPremises, Party, PayerSpan, Premises, Relation
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, MalformedError, NotFoundError
from cloud.kit.names import sort_key
from common.civil import Period
from common.errors import ensure
from common.ids import BuildingId, CommunityId, LegalEntityId, PartyId, PremisesId

DEFAULT_ZONE = "Asia/Shanghai"
_OWING = (Role.OWNER, Role.PAYER)


async def company_name(session: AsyncSession) -> str:
    """Return the name of the company whose session this is."""
    row = await repository.company(session)
    ensure(row is not None, "a session belongs to a company that exists")
    return "" if row is None else row.name


async def entity_names(session: AsyncSession) -> dict[LegalEntityId, str]:
    """Return the names of the company's legal entities."""
    return {row.legal_entity_id: row.name for row in await repository.legal_entities(session)}


async def communities(session: AsyncSession) -> list[Community]:
    """Return the company's communities in the order of their names."""
    return [_community(row) for row in await repository.communities(session)]


async def community(session: AsyncSession, community_id: CommunityId) -> Community:
    """Return one community.

    Raises:
        NotFoundError: the company has no such community.
    """
    row = await repository.community(session, community_id)
    if row is None:
        raise NotFoundError(f"there is no community {community_id}")
    return _community(row)


async def buildings(session: AsyncSession, community_id: CommunityId) -> list[Building]:
    """Return the buildings of a community in the order of their names."""
    rows = await repository.buildings(session, community_id)
    return [Building(id=row.building_id, code=row.code, name=row.name) for row in rows]


async def premises_in(
    session: AsyncSession, community_id: CommunityId, *, day: date, known_at: datetime | None = None
) -> list[Premises]:
    """Return all premises of a community by label, with the facts that hold on the day as known by an instant."""
    facts = await repository.facts_on(session, community_id, day, known_at)
    rows = await repository.premises_in(session, community_id)
    return [_premises(row, facts.get(row.premises_id, {})) for row in rows]


async def premises_history(
    session: AsyncSession, community_id: CommunityId, known_at: datetime, only: Collection[PremisesId] | None = None
) -> PremisesHistory:
    """Return the premises of a community, or only some, with the facts of all days as known by an instant."""
    facts = await repository.facts_stated(session, community_id, known_at, only)
    rows = await repository.premises_in(session, community_id, only)
    return PremisesHistory([_premises(row, {}) for row in rows], facts)


async def premises(session: AsyncSession, premises_id: PremisesId, *, day: date) -> Premises:
    """Return one of the company's premises with the facts that hold on the day.

    Raises:
        NotFoundError: the company has no such premises.
    """
    row = await _premises_row(session, premises_id)
    facts = await repository.facts_on(session, row.community_id, day, None)
    return _premises(row, facts.get(premises_id, {}))


async def find_premises(
    session: AsyncSession,
    community_id: CommunityId,
    *,
    label_part: str = "",
    day: date,
    offset: int = 0,
    limit: int = 50,
) -> list[Premises]:
    """Return premises of a community whose label holds the text, by label."""
    rows = await repository.premises_found(session, community_id, label_part, offset, limit)
    facts = await repository.facts_on(session, community_id, day, None)
    return [_premises(row, facts.get(row.premises_id, {})) for row in rows]


async def payers(session: AsyncSession, community_id: CommunityId, period: Period) -> list[PayerSpan]:
    """Return who owes for which premises on which days of the period: the debt belongs to the party in force.

    Premises without payer and owner on some day have no span for it; unknown is not nobody's debt but an exception.
    """
    (found,) = await payers_by_period(session, community_id, [period])
    return found


async def payers_by_period(
    session: AsyncSession,
    community_id: CommunityId,
    periods: Sequence[Period],
    only: Collection[PremisesId] | None = None,
) -> list[list[PayerSpan]]:
    """Return for each of some periods who owes on which of its days, as `payers` does; one statement for all."""
    whole = Period(min(one.start for one in periods), max(one.end for one in periods))
    rows = await repository.relations_in(session, community_id, whole, _OWING, only)
    by_premises = groupby((relation_of(row) for row in rows), key=lambda relation: relation.premises_id)
    groups = [list(group) for _, group in by_premises]
    return [[span for group in groups for span in payer_spans(group, period)] for period in periods]


async def relations_of(session: AsyncSession, premises_id: PremisesId) -> list[Relation]:
    """Return every relation of parties to some premises, oldest first."""
    return [relation_of(row) for row in await repository.relations_of(session, [premises_id])]


async def premises_of_party(session: AsyncSession, party_id: PartyId) -> list[Relation]:
    """Return what a party is and was to which premises, oldest first."""
    return [relation_of(row) for row in await repository.relations_of_party(session, party_id)]


async def communities_of_premises(session: AsyncSession, premises_ids: Collection[PremisesId]) -> set[CommunityId]:
    """Return the communities that some premises lie in."""
    return {row.community_id for row in await repository.premises_by_id(session, premises_ids)}


async def parties(session: AsyncSession, party_ids: Collection[PartyId]) -> dict[PartyId, Party]:
    """Return some parties by id."""
    rows = await repository.parties(session, party_ids)
    return {row.party_id: _party(row) for row in rows}


async def find_parties(
    session: AsyncSession,
    *,
    communities: Collection[CommunityId] | None = None,
    name_part: str = "",
    offset: int = 0,
    limit: int = 50,
) -> list[Party]:
    """Return parties whose name or pinyin holds the text, in the order of their names.

    With `communities`, only those who were ever something to premises there, and those who are nothing anywhere yet.
    """
    return [_party(row) for row in await repository.parties_found(session, communities, name_part, offset, limit)]


async def create_tenant(unit: Unit, *, code: str, name: str, zone: str = DEFAULT_ZONE) -> LegalEntityId:
    """Create the company of the unit itself and its own legal entity; the unit's tenant id is the company's id."""
    _require_zone(zone)
    unit.session.add(
        TenantRecord(
            tenant_id=unit.tenant, code=code, name=name, name_key=sort_key(name), zone=zone, created_at=unit.now
        )
    )
    await unit.session.flush()
    unit.record("created", "tenant", unit.tenant, after={"code": code})
    return await add_legal_entity(unit, kind=EntityKind.COMPANY, name=name)


async def add_legal_entity(unit: Unit, *, kind: EntityKind, name: str, tax_number: str | None = None) -> LegalEntityId:
    """Add a legal person that may hold money: the company, an owners' committee or a merchant."""
    entity_id = LegalEntityId(unit.new_id())
    unit.session.add(
        LegalEntityRow(
            tenant_id=unit.tenant,
            legal_entity_id=entity_id,
            kind=kind,
            name=name,
            name_key=sort_key(name),
            tax_number=tax_number,
            created_at=unit.now,
        )
    )
    await unit.session.flush()
    unit.record("added", "legal_entity", entity_id, after={"kind": kind.value})
    return entity_id


async def create_community(unit: Unit, *, code: str, name: str, starts: date, zone: str = DEFAULT_ZONE) -> CommunityId:
    """Create a community that the company manages from a day on."""
    _require_zone(zone)
    community_id = CommunityId(unit.new_id())
    key = {"tenant_id": unit.tenant, "community_id": community_id}
    unit.session.add(
        CommunityRecord(**key, code=code, name=name, name_key=sort_key(name), zone=zone, created_at=unit.now)
    )
    await unit.session.flush()
    unit.session.add(CommunityTenureRow(**key, starts=starts))
    unit.record("created", "community", community_id, after={"code": code, "starts": starts.isoformat()})
    return community_id


async def add_building(unit: Unit, community_id: CommunityId, *, code: str, name: str) -> BuildingId:
    """Add a building to a community."""
    building_id = BuildingId(unit.new_id())
    unit.session.add(
        BuildingRow(
            tenant_id=unit.tenant,
            community_id=community_id,
            building_id=building_id,
            code=code,
            name=name,
            name_key=sort_key(name),
        )
    )
    await unit.session.flush()
    unit.record("added", "building", building_id, after={"code": code})
    return building_id


async def add_premises(unit: Unit, community_id: CommunityId, new: NewPremises) -> PremisesId:
    """Add premises with the facts known of them; a parking space gets a row of its own beside."""
    return (await intake.add_all_premises(unit, community_id, [new]))[0]


async def record_fact(
    unit: Unit, premises_id: PremisesId, *, fact: Fact, effective_from: date, value_milli: int
) -> None:
    """State a fact of premises from a day on; an earlier statement for the same day stays and is overruled."""
    row = await _premises_row(unit.session, premises_id)
    rev = await repository.newest_fact_rev(unit.session, premises_id, fact, effective_from) + 1
    intake.add_fact(unit, row, fact, effective_from, rev, value_milli)
    after = {"fact": fact.value, "from": effective_from.isoformat(), "rev": rev, "value_milli": value_milli}
    unit.record("stated", "premises", premises_id, after=after)


async def add_party(unit: Unit, *, kind: PartyKind, name: str, phone_tail: str | None = None) -> PartyId:
    """Add a party; a person gets a row of personal data beside it."""
    return (await intake.add_parties(unit, [NewParty(kind=kind, name=name, phone_tail=phone_tail)]))[0]


async def relate(
    unit: Unit, *, party_id: PartyId, premises_id: PremisesId, role: Role, starts: date, ends: date | None = None
) -> None:
    """Say what a party is to premises from a day until another (open when None).

    Raises:
        MalformedError: it ends before it starts.
        ConflictError: the party is that already, or the premises have another payer in those days.
    """
    await intake.relate_all(
        unit, [Relation(premises_id=premises_id, party_id=party_id, role=role, starts=starts, ends=ends)]
    )


async def sell(unit: Unit, *, premises_id: PremisesId, from_party: PartyId, to_party: PartyId, day: date) -> None:
    """Hand premises over on a day: the old owner's relations end before it, the new owner's begin with it.

    Debts of earlier days stay with the old party, because a debt belongs to the party in force on its day.

    Raises:
        ConflictError: the seller does not own the premises on the day before, or buys from itself.
    """
    row = await _premises_row(unit.session, premises_id)
    relations = await repository.relations_of(unit.session, [premises_id], lock=True)
    theirs = [r for r in relations if r.party_id == from_party and r.starts < day and (r.ends is None or r.ends >= day)]
    if from_party == to_party or not any(r.role is Role.OWNER for r in theirs):
        raise ConflictError(f"premises {row.label} are not the seller's to hand over on {day.isoformat()}")
    for relation in theirs:
        relation.ends = day
    await unit.session.flush()
    bought = Relation(premises_id=premises_id, party_id=to_party, role=Role.OWNER, starts=day, ends=None)
    intake.add_relation(unit, row.community_id, bought)
    await unit.session.flush()
    unit.record(
        "sold",
        "premises",
        premises_id,
        before={"owner": str(from_party)},
        after={"owner": str(to_party), "day": day.isoformat()},
    )


async def move_out(unit: Unit, *, premises_id: PremisesId, party_id: PartyId, day: date) -> int:
    """End what a party is to premises on a day, the first it is gone; return how many relations end.

    Raises:
        ConflictError: it owns the premises on that day, or came only on it; an owner leaves by handing over.
    """
    relations = await repository.relations_of(unit.session, [premises_id], lock=True)
    theirs = [one for one in relations if one.party_id == party_id and (one.ends is None or one.ends > day)]
    if any(one.role is Role.OWNER for one in theirs):
        raise ConflictError("an owner leaves by handing the premises over; record the sale first, then settle")
    if any(one.starts >= day for one in theirs):
        raise ConflictError(f"this party came on {day.isoformat()} or later; it cannot leave then")
    for relation in theirs:
        relation.ends = day
    if theirs:
        await unit.session.flush()
        unit.record("moved out", "premises", premises_id, after={"party": str(party_id), "day": day.isoformat()})
    return len(theirs)


async def _premises_row(session: AsyncSession, premises_id: PremisesId) -> PremisesRow:
    row = await repository.premises(session, premises_id)
    if row is None:
        raise NotFoundError(f"there are no premises {premises_id}")
    return row


def _require_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise MalformedError(f"{zone} is not a time zone; write one such as {DEFAULT_ZONE}") from error


def _community(row: CommunityRecord) -> Community:
    return Community(id=row.community_id, code=row.code, name=row.name, zone_name=row.zone)


def _premises(row: PremisesRow, facts: Mapping[Fact, int]) -> Premises:
    return Premises(
        id=row.premises_id,
        community_id=row.community_id,
        building_id=row.building_id,
        label=row.label,
        kind=row.kind,
        facts=facts,
    )


def _party(row: PartyRow) -> Party:
    return Party(id=row.party_id, kind=row.kind, name=row.name)
