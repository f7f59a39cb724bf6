"""Named queries over rating inputs. Private to the domain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.rating.tables import ApportionmentRow, RatingInputRow
from common.ids import CommunityId

ROWS_PER_STATEMENT = 1_000


async def insert_inputs(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert inputs; those stored before stay as they are."""
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        chunk = [dict(row) for row in rows[start : start + ROWS_PER_STATEMENT]]
        await session.execute(insert(RatingInputRow).on_conflict_do_nothing(), chunk)


async def insert_apportionments(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert apportionments; those stored before stay as they are."""
    if rows:
        await session.execute(insert(ApportionmentRow).on_conflict_do_nothing(), [dict(row) for row in rows])


async def inputs(session: AsyncSession, community_id: CommunityId, shas: Collection[str]) -> Sequence[RatingInputRow]:
    """Return inputs by their hash."""
    statement = select(RatingInputRow).where(RatingInputRow.community_id == community_id, RatingInputRow.sha.in_(shas))
    return (await session.execute(statement)).scalars().all()
