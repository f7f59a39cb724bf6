"""The named queries of reconciliation; private to it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.reconciliation.tables import (
    FundDayRow,
    MatchRow,
    ReconBreakRow,
    ReconDayRow,
    StatementFileRow,
    StatementLineRow,
)

LineTuple = tuple[UUID, int, str, str, int, datetime]


async def lock_day(session: AsyncSession, merchant_account_id: UUID, day: date) -> None:
    """Hold a day of a merchant account until the unit ends: two comparisons of it happen one after the other."""
    key = f"recon:{merchant_account_id}:{day}"
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


async def statement_with(
    session: AsyncSession, merchant_account_id: UUID, day: date, digest: bytes
) -> StatementFileRow | None:
    """Return the file of a day with a digest."""
    return await session.scalar(
        select(StatementFileRow).where(
            StatementFileRow.merchant_account_id == merchant_account_id,
            StatementFileRow.day == day,
            StatementFileRow.digest == digest,
        )
    )


async def statements(session: AsyncSession, merchant_account_id: UUID, day: date) -> Sequence[StatementFileRow]:
    """Return all files of a day, the newest version first."""
    found = await session.scalars(
        select(StatementFileRow)
        .where(StatementFileRow.merchant_account_id == merchant_account_id, StatementFileRow.day == day)
        .order_by(StatementFileRow.version.desc())
    )
    return list(found)


async def fund_days(session: AsyncSession, merchant_account_id: UUID, day: date) -> Sequence[FundDayRow]:
    """Return all versions of a day's fund bill, the newest first."""
    found = await session.scalars(
        select(FundDayRow)
        .where(FundDayRow.merchant_account_id == merchant_account_id, FundDayRow.day == day)
        .order_by(FundDayRow.version.desc())
    )
    return list(found)


async def lines(session: AsyncSession, statement_id: UUID, since: datetime | None = None) -> Sequence[LineTuple]:
    """Return the rows of a file in order, or those from an instant on."""
    statement = select(
        StatementLineRow.statement_id,
        StatementLineRow.line,
        StatementLineRow.kind,
        StatementLineRow.number,
        StatementLineRow.fen,
        StatementLineRow.at,
    ).where(StatementLineRow.statement_id == statement_id)
    if since is not None:
        statement = statement.where(StatementLineRow.at >= since)
    found = await session.execute(statement.order_by(StatementLineRow.line))
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in found]


async def matched_lines(session: AsyncSession, statement_id: UUID) -> set[int]:
    """Return which rows of a file are matched."""
    return set(await session.scalars(select(MatchRow.line).where(MatchRow.statement_id == statement_id)))


async def matched_objects(session: AsyncSession, statement_id: UUID, objects: Collection[UUID]) -> set[UUID]:
    """Return which of our payments and refunds match a row of a file."""
    found = await session.scalars(
        select(MatchRow.object_id).where(MatchRow.statement_id == statement_id, MatchRow.object_id.in_(list(objects)))
    )
    return set(found)


async def open_breaks(session: AsyncSession, merchant_account_id: UUID) -> Sequence[ReconBreakRow]:
    """Return the open breaks of a merchant account, the oldest first."""
    found = await session.scalars(
        select(ReconBreakRow)
        .where(ReconBreakRow.merchant_account_id == merchant_account_id, ReconBreakRow.closed_at.is_(None))
        .order_by(ReconBreakRow.break_id)
    )
    return list(found)


async def breaks_of(session: AsyncSession, merchant_account_id: UUID, day: date) -> Sequence[ReconBreakRow]:
    """Return all breaks of a day, open and closed, the oldest first."""
    found = await session.scalars(
        select(ReconBreakRow)
        .where(ReconBreakRow.merchant_account_id == merchant_account_id, ReconBreakRow.day == day)
        .order_by(ReconBreakRow.break_id)
    )
    return list(found)


async def break_(session: AsyncSession, break_id: UUID, *, lock: bool = False) -> ReconBreakRow | None:
    """Return a break, locked until the unit ends when asked."""
    statement = select(ReconBreakRow).where(ReconBreakRow.break_id == break_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(statement)


async def save_day(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write how a day stands, over how it stood."""
    statement = insert(ReconDayRow).values(values)
    key = ["tenant_id", "merchant_account_id", "day"]
    changed = {name: statement.excluded[name] for name in values if name not in key}
    await session.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


async def day(session: AsyncSession, merchant_account_id: UUID, day: date) -> ReconDayRow | None:
    """Return how a day stands."""
    return await session.scalar(
        select(ReconDayRow)
        .where(ReconDayRow.merchant_account_id == merchant_account_id, ReconDayRow.day == day)
        .execution_options(populate_existing=True)
    )


async def days(session: AsyncSession, first: date, last: date) -> Sequence[ReconDayRow]:
    """Return how the days of a span stand, the newest first."""
    found = await session.scalars(
        select(ReconDayRow)
        .where(ReconDayRow.day >= first, ReconDayRow.day <= last)
        .order_by(ReconDayRow.day.desc(), ReconDayRow.merchant_account_id)
    )
    return list(found)
