"""The named queries of the estate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate.history import StatedFact
from cloud.estate.kinds import Fact, Role
from cloud.estate.tables import (
    BuildingRow,
    CommunityRecord,
    LegalEntityRow,
    PartyPremisesRow,
    PartyRow,
    PremisesFactRow,
    PremisesRow,
    TenantRecord,
)
from cloud.kit.names import sort_key
from common.civil import Period
from common.ids import CommunityId, PartyId, PremisesId


async def communities(session: AsyncSession) -> list[CommunityRecord]:
    """Return the company's communities by name."""
    return list(await session.scalars(select(CommunityRecord).order_by(CommunityRecord.name_key)))


async def community(session: AsyncSession, community_id: CommunityId) -> CommunityRecord | None:
    """Return one community."""
    return await session.scalar(select(CommunityRecord).where(CommunityRecord.community_id == community_id))


async def company(session: AsyncSession) -> TenantRecord | None:
    """Return the company itself."""
    return await session.scalar(select(TenantRecord))


async def legal_entities(session: AsyncSession) -> list[LegalEntityRow]:
    """Return the company's legal entities by name."""
    return list(await session.scalars(select(LegalEntityRow).order_by(LegalEntityRow.name_key)))


async def buildings(session: AsyncSession, community_id: CommunityId) -> list[BuildingRow]:
    """Return the buildings of a community by name."""
    query = select(BuildingRow).where(BuildingRow.community_id == community_id).order_by(BuildingRow.name_key)
    return list(await session.scalars(query))


async def premises_in(
    session: AsyncSession, community_id: CommunityId, only: Collection[PremisesId] | None = None
) -> list[PremisesRow]:
    """Return all premises of a community, or only some, in the order of their labels."""
    query = _premises(community_id)
    return list(await session.scalars(query if only is None else query.where(PremisesRow.premises_id.in_(only))))


async def premises(session: AsyncSession, premises_id: PremisesId) -> PremisesRow | None:
    """Return one of the company's premises."""
    return await session.scalar(select(PremisesRow).where(PremisesRow.premises_id == premises_id))


async def premises_by_id(session: AsyncSession, premises_ids: Collection[PremisesId]) -> list[PremisesRow]:
    """Return those of some premises that the company has."""
    return list(await session.scalars(select(PremisesRow).where(PremisesRow.premises_id.in_(premises_ids))))


async def premises_found(
    session: AsyncSession, community_id: CommunityId, label_part: str, offset: int, limit: int
) -> list[PremisesRow]:
    """Return premises whose label holds the text, in the order of labels."""
    query = _premises(community_id).where(PremisesRow.label.icontains(label_part, autoescape=True))
    return list(await session.scalars(query.offset(offset).limit(limit)))


def _premises(community_id: CommunityId) -> Select[PremisesRow]:
    return select(PremisesRow).where(PremisesRow.community_id == community_id).order_by(PremisesRow.label_key)


async def facts_on(
    session: AsyncSession, community_id: CommunityId, day: date, known_at: datetime | None
) -> dict[PremisesId, dict[Fact, int]]:
    """Return the facts that hold on a day as known by an instant (None: all that is known)."""
    query = (
        select(PremisesFactRow.premises_id, PremisesFactRow.fact, PremisesFactRow.value_milli)
        .ext(distinct_on(PremisesFactRow.premises_id, PremisesFactRow.fact))
        .where(PremisesFactRow.community_id == community_id, PremisesFactRow.effective_from <= day)
        .order_by(
            PremisesFactRow.premises_id,
            PremisesFactRow.fact,
            PremisesFactRow.effective_from.desc(),
            PremisesFactRow.rev.desc(),
        )
    )
    if known_at is not None:
        query = query.where(PremisesFactRow.recorded_at <= known_at)
    found: dict[PremisesId, dict[Fact, int]] = defaultdict(dict)
    for premises_id, fact, value_milli in await session.execute(query):
        found[premises_id][fact] = value_milli
    return found


async def facts_stated(
    session: AsyncSession, community_id: CommunityId, known_at: datetime, only: Collection[PremisesId] | None
) -> list[StatedFact]:
    """Return the newest statement of each fact from each day, as known by an instant."""
    key = (PremisesFactRow.premises_id, PremisesFactRow.fact, PremisesFactRow.effective_from)
    query = (
        select(*key, PremisesFactRow.value_milli)
        .ext(distinct_on(*key))
        .where(PremisesFactRow.community_id == community_id, PremisesFactRow.recorded_at <= known_at)
        .order_by(*key, PremisesFactRow.rev.desc())
    )
    if only is not None:
        query = query.where(PremisesFactRow.premises_id.in_(only))
    return [
        StatedFact(premises_id=PremisesId(premises_id), fact=fact, effective_from=day, value_milli=value_milli)
        for premises_id, fact, day, value_milli in await session.execute(query)
    ]


async def newest_fact_rev(session: AsyncSession, premises_id: PremisesId, fact: Fact, effective_from: date) -> int:
    """Return the newest revision of a fact from a day, or 0 when there is none."""
    query = (
        select(PremisesFactRow.rev)
        .where(
            PremisesFactRow.premises_id == premises_id,
            PremisesFactRow.fact == fact,
            PremisesFactRow.effective_from == effective_from,
        )
        .order_by(PremisesFactRow.rev.desc())
        .limit(1)
    )
    return await session.scalar(query) or 0


async def relations_in(
    session: AsyncSession,
    community_id: CommunityId,
    period: Period,
    roles: Collection[Role],
    only: Collection[PremisesId] | None = None,
) -> list[PartyPremisesRow]:
    """Return the relations of some roles that touch the period, by premises; to all premises, or only to some."""
    query = (
        select(PartyPremisesRow)
        .where(
            PartyPremisesRow.community_id == community_id,
            PartyPremisesRow.role.in_(roles),
            PartyPremisesRow.starts < period.end,
            (PartyPremisesRow.ends.is_(None)) | (PartyPremisesRow.ends > period.start),
        )
        .order_by(PartyPremisesRow.premises_id, PartyPremisesRow.starts, PartyPremisesRow.party_id)
    )
    if only is not None:
        query = query.where(PartyPremisesRow.premises_id.in_(only))
    return list(await session.scalars(query))


async def relations_of(
    session: AsyncSession, premises_ids: Collection[PremisesId], *, lock: bool = False
) -> list[PartyPremisesRow]:
    """Return every relation to some premises, oldest first; locked against change when asked."""
    query = (
        select(PartyPremisesRow)
        .where(PartyPremisesRow.premises_id.in_(premises_ids))
        .order_by(PartyPremisesRow.starts, PartyPremisesRow.relation_id)
    )
    return list(await session.scalars(query.with_for_update() if lock else query))


async def relations_of_party(session: AsyncSession, party_id: PartyId) -> list[PartyPremisesRow]:
    """Return every relation of a party, oldest first."""
    query = select(PartyPremisesRow).where(PartyPremisesRow.party_id == party_id).order_by(PartyPremisesRow.starts)
    return list(await session.scalars(query))


async def parties(session: AsyncSession, party_ids: Collection[PartyId]) -> list[PartyRow]:
    """Return some parties by name."""
    return list(
        await session.scalars(select(PartyRow).where(PartyRow.party_id.in_(party_ids)).order_by(PartyRow.name_key))
    )


async def parties_found(
    session: AsyncSession, communities: Collection[CommunityId] | None, name_part: str, offset: int, limit: int
) -> list[PartyRow]:
    """Return parties whose name, or its pinyin, holds the text; of some communities or of none, when they are given."""
    key = sort_key(name_part)
    query = (
        select(PartyRow)
        .where(PartyRow.name.icontains(name_part, autoescape=True) | PartyRow.name_key.contains(key, autoescape=True))
        .order_by(PartyRow.name_key)
    )
    if communities is not None:
        related = select(PartyPremisesRow.party_id).where(PartyPremisesRow.party_id == PartyRow.party_id)
        query = query.where(related.where(PartyPremisesRow.community_id.in_(communities)).exists() | ~related.exists())
    return list(await session.scalars(query.offset(offset).limit(limit)))
