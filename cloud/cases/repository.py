"""Named queries over cases. Private to the domain."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases.case import CaseFilter, CaseReport
from cloud.cases.tables import CaseEventRow, CaseRow
from common.ids import CaseId, CommunityId


async def insert_unless_open(session: AsyncSession, row: CaseRow) -> bool:
    """Insert a case and return True, or return False when one for the same object is open."""
    values = {column.name: getattr(row, column.name) for column in CaseRow.__table__.columns}
    statement = insert(CaseRow).values(**values).on_conflict_do_nothing().returning(CaseRow.case_id)
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def open_for(session: AsyncSession, report: CaseReport) -> CaseRow | None:
    """Return the open case that a report is about, held until the end of the transaction, or None."""
    statement = (
        select(CaseRow)
        .where(
            CaseRow.kind == report.kind,
            CaseRow.reason == report.reason,
            CaseRow.object_kind == report.object_kind,
            CaseRow.object_id == report.object_id,
            CaseRow.subject == report.subject,
            CaseRow.closed_at.is_(None),
        )
        .with_for_update()
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def locked(session: AsyncSession, case_id: CaseId) -> CaseRow | None:
    """Return a case, held until the end of the transaction."""
    statement = select(CaseRow).where(CaseRow.case_id == case_id).with_for_update()
    return (await session.execute(statement)).scalar_one_or_none()


async def one(session: AsyncSession, case_id: CaseId) -> CaseRow | None:
    """Return a case."""
    return (await session.execute(select(CaseRow).where(CaseRow.case_id == case_id))).scalar_one_or_none()


async def history(session: AsyncSession, case_id: CaseId) -> Sequence[CaseEventRow]:
    """Return what happened to a case, oldest first."""
    statement = select(CaseEventRow).where(CaseEventRow.case_id == case_id).order_by(CaseEventRow.n)
    return (await session.execute(statement)).scalars().all()


async def open_cases(session: AsyncSession, wanted: CaseFilter, offset: int, limit: int) -> Sequence[CaseRow]:
    """Return the open cases that a filter lets through, oldest first."""
    statement = select(CaseRow).where(CaseRow.closed_at.is_(None)).order_by(CaseRow.opened_at, CaseRow.case_id)
    if wanted.communities is not None:
        statement = statement.where(CaseRow.community_id.in_(wanted.communities))
    if wanted.kind is not None:
        statement = statement.where(CaseRow.kind == wanted.kind)
    if wanted.owner_role is not None:
        statement = statement.where(CaseRow.owner_role == wanted.owner_role)
    return (await session.execute(statement.offset(offset).limit(limit))).scalars().all()


async def open_for_objects(session: AsyncSession, object_ids: Collection[UUID]) -> Sequence[CaseRow]:
    """Return the open cases about some objects."""
    statement = (
        select(CaseRow)
        .where(CaseRow.closed_at.is_(None), CaseRow.object_id.in_(object_ids))
        .order_by(CaseRow.opened_at, CaseRow.case_id)
    )
    return (await session.execute(statement)).scalars().all()


async def count_open(session: AsyncSession, community_id: CommunityId) -> int:
    """Return how many cases of a community are open."""
    statement = (
        select(func.count())
        .select_from(CaseRow)
        .where(CaseRow.community_id == community_id, CaseRow.closed_at.is_(None))
    )
    return (await session.execute(statement)).scalar_one()
