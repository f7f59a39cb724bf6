"""Named queries over doors, piles, permits, acts and charges. Private to the domain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.access.tables import AccessActRow, AccessPermitRow, AccessPlaceRow, PileChargeRow
from common.ids import CommunityId


async def places(session: AsyncSession) -> Sequence[AccessPlaceRow]:
    """Return every door and pile of the company."""
    return (await session.execute(select(AccessPlaceRow).order_by(AccessPlaceRow.place))).scalars().all()


async def permits(session: AsyncSession, communities: Collection[CommunityId]) -> Sequence[AccessPermitRow]:
    """Return every permit of some communities, in stable order."""
    statement = (
        select(AccessPermitRow)
        .where(AccessPermitRow.community_id.in_(communities))
        .order_by(AccessPermitRow.card_sha, AccessPermitRow.valid_from, AccessPermitRow.permit_id)
    )
    return (await session.execute(statement)).scalars().all()


async def permit(session: AsyncSession, community_id: CommunityId, permit_id: UUID) -> AccessPermitRow | None:
    """Return one permit, locked until the unit ends, or None."""
    statement = (
        select(AccessPermitRow)
        .where(AccessPermitRow.community_id == community_id, AccessPermitRow.permit_id == permit_id)
        .with_for_update()
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def permits_of_card(
    session: AsyncSession, community_id: CommunityId, card_sha: str, at: datetime
) -> Sequence[AccessPermitRow]:
    """Return the permits of a card that held at an instant, oldest first; a revoked one held until then."""
    statement = (
        select(AccessPermitRow)
        .where(
            AccessPermitRow.community_id == community_id,
            AccessPermitRow.card_sha == card_sha,
            AccessPermitRow.valid_from <= at,
            AccessPermitRow.valid_to > at,
            AccessPermitRow.revoked_at.is_(None) | (AccessPermitRow.revoked_at > at),
        )
        .order_by(AccessPermitRow.valid_from, AccessPermitRow.permit_id)
    )
    return (await session.execute(statement)).scalars().all()


async def add_act(session: AsyncSession, row: Mapping[str, Any]) -> None:
    """Insert an act; one known before stays as it is."""
    await session.execute(insert(AccessActRow).values(**row).on_conflict_do_nothing())


async def add_charge(session: AsyncSession, row: Mapping[str, Any]) -> bool:
    """Insert the record of a charge and return whether it is new."""
    statement = insert(PileChargeRow).values(**row).on_conflict_do_nothing().returning(PileChargeRow.event_id)
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def charges(
    session: AsyncSession, community_id: CommunityId, since: datetime, limit: int
) -> Sequence[PileChargeRow]:
    """Return the charges of a community that ended after an instant, newest first."""
    statement = (
        select(PileChargeRow)
        .where(PileChargeRow.community_id == community_id, PileChargeRow.ended_at >= since)
        .order_by(PileChargeRow.ended_at.desc(), PileChargeRow.event_id)
        .limit(limit)
    )
    return (await session.execute(statement)).scalars().all()
