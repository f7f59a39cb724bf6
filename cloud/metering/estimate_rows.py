"""Named queries over the rules of estimates and the estimates decided. Private to the domain."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.metering.tables import EstimateRuleRow, ReadingEstimateRow, ReadingRevisionRow
from common.ids import CommunityId, MeterId

TRUED = "真实读数已到 the true reading came"


async def rules(session: AsyncSession, community_id: CommunityId) -> Sequence[EstimateRuleRow]:
    """Return the newest rule of each resource."""
    statement = (
        select(EstimateRuleRow)
        .ext(distinct_on(EstimateRuleRow.resource))
        .where(EstimateRuleRow.community_id == community_id)
        .order_by(EstimateRuleRow.resource, EstimateRuleRow.rev.desc())
    )
    return (await session.execute(statement)).scalars().all()


async def estimates(
    session: AsyncSession, community_id: CommunityId, offset: int, limit: int
) -> list[tuple[ReadingEstimateRow, int]]:
    """Return estimates, the newest first, each with the newest revision of its instant."""
    newest = (
        select(func.max(ReadingRevisionRow.rev)).where(*_same_instant()).correlate(ReadingEstimateRow).scalar_subquery()
    )
    statement = (
        select(ReadingEstimateRow, newest)
        .where(ReadingEstimateRow.community_id == community_id)
        .order_by(ReadingEstimateRow.recorded_at.desc(), ReadingEstimateRow.meter_id, ReadingEstimateRow.day)
        .offset(offset)
        .limit(limit)
    )
    return [(row, int(rev)) for row, rev in await session.execute(statement)]


async def standing_estimates(
    session: AsyncSession, community_id: CommunityId, meters: Collection[MeterId], days: Collection[date]
) -> list[tuple[ReadingEstimateRow, bool]]:
    """Return the estimates of some meters at the midnights of some days that no other value replaced.

    The flag tells those withdrawn for a reading nearby: one of the very instant may still be stated in their place.
    """
    later = (*_same_instant(), ReadingRevisionRow.rev > ReadingEstimateRow.rev)
    replaced = select(ReadingRevisionRow.rev).where(*later, ReadingRevisionRow.reason != TRUED)
    stated = select(ReadingRevisionRow.rev).where(*later, ReadingRevisionRow.value_milli.is_not(None))
    withdrawn = select(ReadingRevisionRow.rev).where(*later)
    statement = select(ReadingEstimateRow, withdrawn.exists()).where(
        ReadingEstimateRow.community_id == community_id,
        ReadingEstimateRow.meter_id.in_(meters),
        ReadingEstimateRow.day.in_(days),
        ~replaced.exists(),
        ~stated.exists(),
    )
    return [(row, bool(flag)) for row, flag in await session.execute(statement)]


def _same_instant() -> tuple[ColumnElement[bool], ...]:
    return (
        ReadingRevisionRow.community_id == ReadingEstimateRow.community_id,
        ReadingRevisionRow.meter_id == ReadingEstimateRow.meter_id,
        ReadingRevisionRow.quantity == ReadingEstimateRow.quantity,
        ReadingRevisionRow.read_at == ReadingEstimateRow.read_at,
    )


async def estimate_of(session: AsyncSession, revision: ReadingRevisionRow) -> ReadingEstimateRow | None:
    """Return how a revision was estimated, or None when it was no estimate by these rules."""
    statement = select(ReadingEstimateRow).where(
        ReadingEstimateRow.community_id == revision.community_id,
        ReadingEstimateRow.meter_id == revision.meter_id,
        ReadingEstimateRow.quantity == revision.quantity,
        ReadingEstimateRow.read_at == revision.read_at,
        ReadingEstimateRow.rev == revision.rev,
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def trued(session: AsyncSession, community_id: CommunityId, meter_id: MeterId, day: date) -> bool:
    """Return whether a later revision stands over an estimate of a meter at the midnight of a day."""
    later = select(ReadingRevisionRow.rev).where(*_same_instant(), ReadingRevisionRow.rev > ReadingEstimateRow.rev)
    statement = select(ReadingEstimateRow.rev).where(
        ReadingEstimateRow.community_id == community_id,
        ReadingEstimateRow.meter_id == meter_id,
        ReadingEstimateRow.day == day,
        later.exists(),
    )
    return (await session.execute(statement.limit(1))).scalar_one_or_none() is not None
