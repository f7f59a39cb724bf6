"""The named queries of closed periods and exports; private to the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.ledger.tables import BookCloseRow, JournalRow, TransferRow
from common.ids import CommunityId


async def newest_close(session: AsyncSession, community_id: CommunityId) -> BookCloseRow | None:
    """Return the last closed period of a book."""
    return await session.scalar(
        select(BookCloseRow)
        .where(BookCloseRow.community_id == community_id)
        .order_by(BookCloseRow.period_end.desc())
        .limit(1)
    )


async def closes(session: AsyncSession, community_id: CommunityId) -> Sequence[BookCloseRow]:
    """Return the closed periods of a book, the oldest first."""
    found = await session.scalars(
        select(BookCloseRow).where(BookCloseRow.community_id == community_id).order_by(BookCloseRow.period_end)
    )
    return list(found)


async def transfers_in(
    session: AsyncSession, community_id: CommunityId, through: date | None
) -> Sequence[tuple[TransferRow, JournalRow]]:
    """Return every transfer of a book with its journal, by day, up to a day inclusive."""
    statement = (
        select(TransferRow, JournalRow)
        .join(
            JournalRow,
            (JournalRow.tenant_id == TransferRow.tenant_id)
            & (JournalRow.community_id == TransferRow.community_id)
            & (JournalRow.journal_id == TransferRow.journal_id),
        )
        .where(JournalRow.community_id == community_id)
        .order_by(JournalRow.business_date, JournalRow.recorded_at, JournalRow.journal_id, TransferRow.n)
    )
    if through is not None:
        statement = statement.where(JournalRow.business_date <= through)
    return [(transfer, journal) for transfer, journal in await session.execute(statement)]
