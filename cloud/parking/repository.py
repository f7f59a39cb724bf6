"""Named queries over lots, permits, acts and stays. Private to the domain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.parking.kinds import StayState
from cloud.parking.tables import (
    NightStatementRow,
    ParkingEventRow,
    ParkingLotRow,
    ParkingPermitRow,
    ParkingSessionRow,
)
from common.ids import CommunityId, GatewayId, PremisesId


async def lots(session: AsyncSession) -> Sequence[ParkingLotRow]:
    """Return every lot of the company."""
    return (await session.execute(select(ParkingLotRow).order_by(ParkingLotRow.lot))).scalars().all()


async def add_events(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert acts; those known before stay as they are."""
    if rows:
        await session.execute(insert(ParkingEventRow).on_conflict_do_nothing(), [dict(row) for row in rows])


async def events_of(session: AsyncSession, session_ids: Collection[UUID]) -> Sequence[ParkingEventRow]:
    """Return every act of some stays."""
    statement = select(ParkingEventRow).where(ParkingEventRow.session_id.in_(session_ids))
    return (await session.execute(statement)).scalars().all()


async def save_session(session: AsyncSession, row: Mapping[str, Any]) -> None:
    """Write a stay as it is told now."""
    fresh = insert(ParkingSessionRow).values(**row)
    key = ["tenant_id", "community_id", "session_id"]
    changed = {name: fresh.excluded[name] for name in row if name not in key}
    await session.execute(fresh.on_conflict_do_update(index_elements=key, set_=changed))


async def permits(session: AsyncSession, communities: Collection[CommunityId]) -> Sequence[ParkingPermitRow]:
    """Return every permit of some communities, in stable order."""
    statement = (
        select(ParkingPermitRow)
        .where(ParkingPermitRow.community_id.in_(communities))
        .order_by(ParkingPermitRow.plate_sha, ParkingPermitRow.valid_from, ParkingPermitRow.permit_id)
    )
    return (await session.execute(statement)).scalars().all()


async def permits_of_plate(
    session: AsyncSession, community_id: CommunityId, plate_sha: str, at: datetime
) -> Sequence[ParkingPermitRow]:
    """Return the permits of a plate that are in force at an instant, oldest first."""
    statement = (
        select(ParkingPermitRow)
        .where(
            ParkingPermitRow.community_id == community_id,
            ParkingPermitRow.plate_sha == plate_sha,
            ParkingPermitRow.valid_from <= at,
            ParkingPermitRow.valid_to > at,
        )
        .order_by(ParkingPermitRow.valid_from, ParkingPermitRow.permit_id)
    )
    return (await session.execute(statement)).scalars().all()


async def permit(session: AsyncSession, community_id: CommunityId, permit_id: UUID) -> ParkingPermitRow | None:
    """Return one permit, locked until the unit ends, or None."""
    statement = (
        select(ParkingPermitRow)
        .where(ParkingPermitRow.community_id == community_id, ParkingPermitRow.permit_id == permit_id)
        .with_for_update()
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def inside(session: AsyncSession, community_id: CommunityId) -> dict[str, int]:
    """Return how many vehicles stand in each lot of a community; empty lots are left out."""
    statement = (
        select(ParkingSessionRow.lot, func.count())
        .where(ParkingSessionRow.community_id == community_id, ParkingSessionRow.state == StayState.INSIDE)
        .group_by(ParkingSessionRow.lot)
    )
    return {row[0]: row[1] for row in (await session.execute(statement)).all()}


async def standing(
    session: AsyncSession, community_id: CommunityId, start: datetime, end: datetime
) -> Sequence[ParkingSessionRow]:
    """Return the stays that lasted into a span of time, oldest first."""
    statement = (
        select(ParkingSessionRow)
        .where(
            ParkingSessionRow.community_id == community_id,
            ParkingSessionRow.state != StayState.VOID,
            ParkingSessionRow.entered_at < end,
            ParkingSessionRow.left_at.is_(None) | (ParkingSessionRow.left_at > start),
        )
        .order_by(ParkingSessionRow.entered_at, ParkingSessionRow.session_id)
    )
    return (await session.execute(statement)).scalars().all()


async def add_statement(session: AsyncSession, row: Mapping[str, Any]) -> None:
    """Insert what a vehicle is told of its night; what was told before stays."""
    await session.execute(insert(NightStatementRow).values(**row).on_conflict_do_nothing())


async def statements(
    session: AsyncSession, community_id: CommunityId, premises: Collection[PremisesId] | None, since: date
) -> Sequence[NightStatementRow]:
    """Return the statements since a night, newest first; of some premises, or with None of all vehicles."""
    statement = select(NightStatementRow).where(
        NightStatementRow.community_id == community_id, NightStatementRow.night >= since
    )
    if premises is not None:
        statement = statement.where(NightStatementRow.premises_id.in_(premises))
    ordered = statement.order_by(NightStatementRow.night.desc(), NightStatementRow.entered_at)
    return (await session.execute(ordered)).scalars().all()


async def sessions(
    session: AsyncSession, community_id: CommunityId, since: datetime, limit: int
) -> Sequence[ParkingSessionRow]:
    """Return the stays of a community that began or ended after an instant, newest first."""
    statement = (
        select(ParkingSessionRow)
        .where(
            ParkingSessionRow.community_id == community_id,
            (ParkingSessionRow.entered_at >= since) | (ParkingSessionRow.left_at >= since),
        )
        .order_by(ParkingSessionRow.entered_at.desc(), ParkingSessionRow.session_id)
        .limit(limit)
    )
    return (await session.execute(statement)).scalars().all()


async def gateway_lots(session: AsyncSession, gateway_id: GatewayId) -> Sequence[ParkingLotRow]:
    """Return the lots that a gateway works."""
    statement = select(ParkingLotRow).where(ParkingLotRow.gateway_id == gateway_id).order_by(ParkingLotRow.lot)
    return (await session.execute(statement)).scalars().all()
