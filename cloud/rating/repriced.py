"""Several periods of a community, ready to be rated by column, for some of its charge items only.

What a change of prices asks for: prices are read once, and nothing is read for charge items that nobody asks about.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.metering import claims
from cloud.rating.column_plan import ColumnPlan
from cloud.rating.column_pools import with_pools
from cloud.rating.column_run import ColumnRating
from cloud.tariffs import service as tariffs
from cloud.tariffs.book import PriceBook
from cloud.tariffs.calendars import official_calendar
from common.civil import Period
from common.ids import ChargeItemId, CommunityId


async def prepare_periods(
    session: AsyncSession,
    community_id: CommunityId,
    periods: Sequence[Period],
    known_at: datetime,
    items: Collection[ChargeItemId],
) -> tuple[ColumnRating, ...]:
    """Return the periods as known at an instant, in their order, each with the pools of the charge items split."""
    community = await estate.community(session, community_id)
    prices = _only(await tariffs.price_book(session, community_id, known_at), items)
    ready: list[ColumnRating] = []
    for period in periods:
        plan = ColumnPlan(
            community_id=community_id,
            zone=community.zone,
            zone_name=community.zone_name,
            period=period,
            known_at=known_at,
            prices=prices,
            calendar=await official_calendar(session, period, known_at),
        )
        sessions = await claims.sessions_ended(session, community_id, period, known_at)
        ready.append(ColumnRating(await with_pools(session, plan), frozenset(one.premises_id for one in sessions)))
    return tuple(ready)


def _only(prices: PriceBook, items: Collection[ChargeItemId]) -> PriceBook:
    """Return the book with some charge items, and of the tariffs only those that price them."""
    wanted = {key: item for key, item in prices.items.items() if key in items}
    tariff_ids = prices.assignments.tariffs_of(wanted)
    shas = {known.ref.body_sha for tariff_id in tariff_ids for known in prices.revisions.get(tariff_id, ())}
    compiled = {sha: one for sha, one in prices.compiled.items() if sha in shas}
    return replace(prices, items=wanted, compiled=compiled)
