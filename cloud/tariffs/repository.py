"""Named queries over charge items, tariffs and assignments. Private to the domain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.tariffs.assignment import Target
from cloud.tariffs.tables import (
    CalendarRevisionRow,
    ChargeItemRow,
    SharePoolRow,
    TariffAssignmentRow,
    TariffRevisionRow,
    TariffRow,
)
from common.ids import ChargeItemId, CommunityId, TariffId


async def charge_items(session: AsyncSession, community_id: CommunityId) -> Sequence[ChargeItemRow]:
    """Return the charge items of a community by code."""
    statement = select(ChargeItemRow).where(ChargeItemRow.community_id == community_id).order_by(ChargeItemRow.code)
    return (await session.execute(statement)).scalars().all()


async def charge_item_by_code(session: AsyncSession, community_id: CommunityId, code: str) -> ChargeItemRow | None:
    """Return a charge item by its code."""
    statement = select(ChargeItemRow).where(ChargeItemRow.community_id == community_id, ChargeItemRow.code == code)
    return (await session.execute(statement)).scalar_one_or_none()


async def tariffs(session: AsyncSession, community_id: CommunityId) -> Sequence[TariffRow]:
    """Return the tariffs of a community by code."""
    statement = select(TariffRow).where(TariffRow.community_id == community_id).order_by(TariffRow.code)
    return (await session.execute(statement)).scalars().all()


async def tariff_by_code(session: AsyncSession, community_id: CommunityId, code: str) -> TariffRow | None:
    """Return a tariff by its code, held until the end of the transaction so that its revisions number gaplessly."""
    statement = (
        select(TariffRow).where(TariffRow.community_id == community_id, TariffRow.code == code).with_for_update()
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def revisions(
    session: AsyncSession, community_id: CommunityId, known_at: datetime
) -> Sequence[TariffRevisionRow]:
    """Return every revision of a community's tariffs known at an instant."""
    statement = (
        select(TariffRevisionRow)
        .where(TariffRevisionRow.community_id == community_id, TariffRevisionRow.recorded_at <= known_at)
        .order_by(TariffRevisionRow.tariff_id, TariffRevisionRow.effective_from, TariffRevisionRow.rev)
    )
    return (await session.execute(statement)).scalars().all()


async def revision_bodies(
    session: AsyncSession, community_id: CommunityId, shas: Sequence[str]
) -> Sequence[TariffRevisionRow]:
    """Return revisions by the hash of their body."""
    statement = select(TariffRevisionRow).where(
        TariffRevisionRow.community_id == community_id, TariffRevisionRow.body_sha.in_(shas)
    )
    return (await session.execute(statement)).scalars().all()


async def newest_revision(
    session: AsyncSession, community_id: CommunityId, tariff_id: TariffId, effective_from: date
) -> TariffRevisionRow | None:
    """Return the newest revision of a tariff for one starting day."""
    statement = (
        select(TariffRevisionRow)
        .where(
            TariffRevisionRow.community_id == community_id,
            TariffRevisionRow.tariff_id == tariff_id,
            TariffRevisionRow.effective_from == effective_from,
        )
        .order_by(TariffRevisionRow.rev.desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def assignments(
    session: AsyncSession, community_id: CommunityId, known_at: datetime
) -> Sequence[TariffAssignmentRow]:
    """Return every assignment of a community known at an instant."""
    statement = select(TariffAssignmentRow).where(
        TariffAssignmentRow.community_id == community_id, TariffAssignmentRow.recorded_at <= known_at
    )
    return (await session.execute(statement)).scalars().all()


async def newest_assignment_rev(
    session: AsyncSession,
    community_id: CommunityId,
    charge_item_id: ChargeItemId,
    target: Target,
    effective_from: date,
) -> int:
    """Return the newest revision number of an assignment for one starting day, 0 when there is none."""
    statement = select(func.max(TariffAssignmentRow.rev)).where(
        TariffAssignmentRow.community_id == community_id,
        TariffAssignmentRow.charge_item_id == charge_item_id,
        TariffAssignmentRow.target_kind == target.kind,
        TariffAssignmentRow.target_key == target.key,
        TariffAssignmentRow.effective_from == effective_from,
    )
    return (await session.execute(statement)).scalar_one() or 0


async def pools(session: AsyncSession, community_id: CommunityId, known_at: datetime) -> Sequence[SharePoolRow]:
    """Return every revision of a community's pools known at an instant."""
    statement = select(SharePoolRow).where(
        SharePoolRow.community_id == community_id, SharePoolRow.recorded_at <= known_at
    )
    return (await session.execute(statement)).scalars().all()


async def newest_pool_rev(session: AsyncSession, community_id: CommunityId, pool_id: UUID, effective_from: date) -> int:
    """Return the newest revision number of a pool for one starting day, 0 when there is none."""
    statement = select(func.max(SharePoolRow.rev)).where(
        SharePoolRow.community_id == community_id,
        SharePoolRow.pool_id == pool_id,
        SharePoolRow.effective_from == effective_from,
    )
    return (await session.execute(statement)).scalar_one() or 0


async def newest_calendar(session: AsyncSession, calendar_code: str, year: int) -> CalendarRevisionRow | None:
    """Return the newest revision of a year's calendar."""
    statement = (
        select(CalendarRevisionRow)
        .where(CalendarRevisionRow.calendar_code == calendar_code, CalendarRevisionRow.year == year)
        .order_by(CalendarRevisionRow.rev.desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def calendars(session: AsyncSession, calendar_code: str, known_at: datetime) -> Sequence[CalendarRevisionRow]:
    """Return every revision of a calendar known at an instant, oldest revision first."""
    statement = (
        select(CalendarRevisionRow)
        .where(CalendarRevisionRow.calendar_code == calendar_code, CalendarRevisionRow.recorded_at <= known_at)
        .order_by(CalendarRevisionRow.year, CalendarRevisionRow.rev)
    )
    return (await session.execute(statement)).scalars().all()
