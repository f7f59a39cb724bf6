"""What is known of lots, permits and stays, for people who may see it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.parking import repository
from cloud.parking.kinds import StayState
from cloud.parking.values import LotView, PermitView, StayView
from common.ids import CommunityId

STAYS_MAX = 1_000


async def lots(session: AsyncSession, community_id: CommunityId) -> list[LotView]:
    """Return the lots of a community with how many vehicles stand in each."""
    inside = await repository.inside(session, community_id)
    return [
        LotView(lot=row.lot, spaces=row.spaces, inside=inside.get(row.lot, 0))
        for row in await repository.lots(session)
        if row.community_id == community_id
    ]


async def permits(session: AsyncSession, community_id: CommunityId) -> list[PermitView]:
    """Return the permits of a community in stable order."""
    return [
        PermitView(
            permit_id=row.permit_id,
            plate_sha=row.plate_sha,
            vehicle_class=row.vehicle_class,
            premises_id=row.premises_id,
            charge_to_account=row.charge_to_account,
            space=row.space,
            granted_minutes=row.granted_minutes,
            lots=tuple(row.lots),
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
        for row in await repository.permits(session, [community_id])
    ]


async def stays(session: AsyncSession, community_id: CommunityId, since: datetime) -> list[StayView]:
    """Return the stays of a community that began or ended after an instant, newest first."""
    return [
        StayView(
            session_id=row.session_id,
            lot=row.lot,
            vehicle_class=row.vehicle_class,
            entered_at=row.entered_at,
            left_at=row.left_at,
            state=StayState(row.state),
            settlement=row.settlement,
            quote_fen=row.quote_fen,
            paid_fen=row.paid_fen,
            premises_id=row.premises_id,
        )
        for row in await repository.sessions(session, community_id, since, STAYS_MAX)
    ]
