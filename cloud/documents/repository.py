"""The named queries of papers; private to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.documents.kinds import PaperKind
from cloud.documents.tables import PaperRow, PaperSealRow, SealKeyRow


async def paper(session: AsyncSession, paper_id: UUID) -> PaperRow | None:
    """Return a paper."""
    return await session.scalar(select(PaperRow).where(PaperRow.paper_id == paper_id))


async def paper_about(session: AsyncSession, kind: PaperKind, subject_id: UUID) -> PaperRow | None:
    """Return the paper of a kind about a thing."""
    return await session.scalar(select(PaperRow).where(PaperRow.kind == kind, PaperRow.subject_id == subject_id))


async def papers_of(session: AsyncSession, account_ids: Collection[UUID]) -> Sequence[PaperRow]:
    """Return the papers of accounts, the newest first."""
    query = select(PaperRow).where(PaperRow.account_id.in_(account_ids)).order_by(PaperRow.issued_at.desc())
    return (await session.scalars(query)).all()


async def add_paper(session: AsyncSession, values: Mapping[str, Any]) -> bool:
    """Add a paper unless there is one about the same thing; return whether it was added."""
    statement = (
        insert(PaperRow)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["tenant_id", "kind", "subject_id"])
        .returning(PaperRow.paper_id)
    )
    return await session.scalar(statement) is not None


async def seal_of(session: AsyncSession, paper_id: UUID) -> PaperSealRow | None:
    """Return the seal of a paper with the sealed file."""
    return await session.scalar(select(PaperSealRow).where(PaperSealRow.paper_id == paper_id))


async def add_seal(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Add the seal of a paper; a paper that has one keeps it."""
    statement = insert(PaperSealRow).values(**values)
    await session.execute(statement.on_conflict_do_nothing(index_elements=["tenant_id", "community_id", "paper_id"]))


async def key_in_use(session: AsyncSession, legal_entity_id: UUID, *, lock: bool = False) -> SealKeyRow | None:
    """Return the key that seals for a legal person now, held for this unit when asked."""
    query = select(SealKeyRow).where(SealKeyRow.legal_entity_id == legal_entity_id, SealKeyRow.retired_at.is_(None))
    return await session.scalar(query.with_for_update() if lock else query)


async def keys(session: AsyncSession) -> Sequence[SealKeyRow]:
    """Return every key that seals or has sealed for the company."""
    return (await session.scalars(select(SealKeyRow).order_by(SealKeyRow.made_at, SealKeyRow.seal_key_id))).all()
