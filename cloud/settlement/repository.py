"""The named queries of settlements; private to the domain."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.settlement.tables import SettlementRow
from common.ids import CommunityId


async def settlement(session: AsyncSession, settlement_id: UUID) -> SettlementRow | None:
    """Return a settlement."""
    return await session.scalar(select(SettlementRow).where(SettlementRow.settlement_id == settlement_id))


async def settlements(session: AsyncSession, community_id: CommunityId, limit: int) -> Sequence[SettlementRow]:
    """Return the settlements of a community, the newest first."""
    found = await session.scalars(
        select(SettlementRow)
        .where(SettlementRow.community_id == community_id)
        .order_by(SettlementRow.settled_at.desc(), SettlementRow.settlement_id)
        .limit(limit)
    )
    return list(found)
