"""The named queries of charges; private to it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.charges.tables import AnnouncementRow, OneOffChargeRow, PremisesGroupMemberRow, PremisesGroupRow
from common.ids import CommunityId


async def group(session: AsyncSession, community_id: CommunityId, code: str) -> PremisesGroupRow | None:
    """Return a group."""
    return await session.scalar(
        select(PremisesGroupRow).where(PremisesGroupRow.community_id == community_id, PremisesGroupRow.code == code)
    )


async def groups(session: AsyncSession, community_id: CommunityId) -> Sequence[PremisesGroupRow]:
    """Return the groups of a community by code."""
    found = await session.scalars(
        select(PremisesGroupRow).where(PremisesGroupRow.community_id == community_id).order_by(PremisesGroupRow.code)
    )
    return list(found)


async def members(session: AsyncSession, community_id: CommunityId) -> Sequence[tuple[str, UUID]]:
    """Return group and premises of every membership in a community."""
    found = await session.execute(
        select(PremisesGroupMemberRow.code, PremisesGroupMemberRow.premises_id)
        .where(PremisesGroupMemberRow.community_id == community_id)
        .order_by(PremisesGroupMemberRow.code, PremisesGroupMemberRow.premises_id)
    )
    return [(code, premises_id) for code, premises_id in found]


async def forget_members(session: AsyncSession, community_id: CommunityId, code: str) -> None:
    """Take all members out of a group."""
    await session.execute(
        delete(PremisesGroupMemberRow).where(
            PremisesGroupMemberRow.community_id == community_id, PremisesGroupMemberRow.code == code
        )
    )


async def one_off(session: AsyncSession, charge_id: UUID, *, lock: bool = False) -> OneOffChargeRow | None:
    """Return a one-off charge, held until the unit ends when locked."""
    statement = select(OneOffChargeRow).where(OneOffChargeRow.charge_id == charge_id)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def one_offs(session: AsyncSession, community_id: CommunityId, limit: int) -> Sequence[OneOffChargeRow]:
    """Return the one-off charges of a community, the newest first."""
    found = await session.scalars(
        select(OneOffChargeRow)
        .where(OneOffChargeRow.community_id == community_id)
        .order_by(OneOffChargeRow.drafted_at.desc(), OneOffChargeRow.charge_id)
        .limit(limit)
    )
    return list(found)


async def announcements(
    session: AsyncSession, community_ids: Collection[CommunityId], limit: int
) -> Sequence[AnnouncementRow]:
    """Return what was announced in some communities, the newest first."""
    found = await session.scalars(
        select(AnnouncementRow)
        .where(AnnouncementRow.community_id.in_(list(community_ids)))
        .order_by(AnnouncementRow.published_at.desc(), AnnouncementRow.announcement_id)
        .limit(limit)
    )
    return list(found)
