"""The named queries of arrears; private to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.arrears.tables import ArrearsLetterRow, ReliefRow
from common.ids import CommunityId


async def relief(session: AsyncSession, relief_id: UUID, *, lock: bool = False) -> ReliefRow | None:
    """Return a wish for relief, held until the unit ends when locked."""
    statement = select(ReliefRow).where(ReliefRow.relief_id == relief_id)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def reliefs(session: AsyncSession, community_id: CommunityId, limit: int) -> Sequence[ReliefRow]:
    """Return the wishes of a community, the newest first."""
    found = await session.scalars(
        select(ReliefRow)
        .where(ReliefRow.community_id == community_id)
        .order_by(ReliefRow.asked_at.desc(), ReliefRow.relief_id)
        .limit(limit)
    )
    return list(found)


async def letter(session: AsyncSession, letter_id: UUID) -> ArrearsLetterRow | None:
    """Return a letter of arrears."""
    return await session.scalar(select(ArrearsLetterRow).where(ArrearsLetterRow.letter_id == letter_id))


async def letters_on(session: AsyncSession, account_id: UUID, day: date) -> Sequence[ArrearsLetterRow]:
    """Return the letters of an account that were made on a day."""
    query = select(ArrearsLetterRow).where(ArrearsLetterRow.account_id == account_id, ArrearsLetterRow.made_on == day)
    return (await session.scalars(query)).all()
