"""The named queries of changes of prices for the past; private to billing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing.tables import PriceCorrectionRow
from common.civil import Period
from common.ids import CommunityId

_SETTLED_PERIODS = text("""
    select p.period_start, p.period_end
      from billing_period p
     where p.community_id = :community and p.cycle = :cycle and p.period_end > :first_day
       and exists (
           select from obligation o
            where (o.tenant_id, o.community_id, o.cycle, o.period_start)
                = (p.tenant_id, p.community_id, p.cycle, p.period_start) and o.state <> 'due')
     order by p.period_start
""")


async def settled_periods(
    session: AsyncSession, community_id: CommunityId, cycle: str, first_day: date
) -> list[Period]:
    """Return the periods with something billed, from the one that holds a day on, oldest first."""
    values = {"community": community_id, "cycle": cycle, "first_day": first_day}
    found = await session.execute(_SETTLED_PERIODS, values)
    return [Period(row.period_start, row.period_end) for row in found]


async def price_correction(
    session: AsyncSession, price_correction_id: UUID, *, lock: bool = False
) -> PriceCorrectionRow | None:
    """Return a change of prices, held until the unit ends when locked."""
    statement = select(PriceCorrectionRow).where(PriceCorrectionRow.price_correction_id == price_correction_id)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def price_corrections_in(session: AsyncSession, community_id: CommunityId) -> Sequence[PriceCorrectionRow]:
    """Return the changes of prices of a community, the newest first."""
    found = await session.scalars(
        select(PriceCorrectionRow)
        .where(PriceCorrectionRow.community_id == community_id)
        .order_by(PriceCorrectionRow.opened_at.desc(), PriceCorrectionRow.price_correction_id)
    )
    return list(found)
