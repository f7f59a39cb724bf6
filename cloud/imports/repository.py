"""The named queries of imports; private to the domain."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.imports.kinds import ImportKind, ImportState
from cloud.imports.tables import ImportMadeRow, ImportRunRow
from common.ids import CommunityId


async def run(session: AsyncSession, import_id: UUID, *, lock: bool = False) -> ImportRunRow | None:
    """Return an import, held until the unit ends when locked."""
    statement = select(ImportRunRow).where(ImportRunRow.import_id == import_id)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def standing(
    session: AsyncSession, community_id: CommunityId, kind: ImportKind, file_sha: bytes
) -> ImportRunRow | None:
    """Return the import of the same file that still stands."""
    return await session.scalar(
        select(ImportRunRow).where(
            ImportRunRow.community_id == community_id,
            ImportRunRow.kind == kind,
            ImportRunRow.file_sha == file_sha,
            ImportRunRow.state == ImportState.APPLIED,
        )
    )


async def runs(session: AsyncSession, community_id: CommunityId, limit: int) -> Sequence[ImportRunRow]:
    """Return the imports of a community, the newest first."""
    found = await session.scalars(
        select(ImportRunRow)
        .where(ImportRunRow.community_id == community_id)
        .order_by(ImportRunRow.applied_at.desc(), ImportRunRow.import_id)
        .limit(limit)
    )
    return list(found)


async def made(session: AsyncSession, import_id: UUID) -> Sequence[ImportMadeRow]:
    """Return what an import made, in the order in which it was made."""
    found = await session.scalars(
        select(ImportMadeRow).where(ImportMadeRow.import_id == import_id).order_by(ImportMadeRow.n)
    )
    return list(found)
