"""What a bill run asks of rating by column: a plan once, then range after range of households."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.estate.in_columns import PremisesRange
from cloud.kit.images import Ids
from cloud.metering import claims
from cloud.rating import column_inputs
from cloud.rating.column_inputs import ReplayedLine
from cloud.rating.column_lines import LineColumns
from cloud.rating.column_plan import ColumnPlan
from cloud.rating.column_pools import with_pools
from cloud.rating.column_rating import RatedColumns, rate_columns
from cloud.rating.lines import Apportionment, RatingInput, RatingOutcome
from cloud.rating.service import inputs, sources_of
from cloud.tariffs import service as tariffs
from cloud.tariffs.calendars import CALENDAR_CODE, official_calendar
from common.civil import Period
from common.ids import CommunityId, PremisesId


class ColumnRating:
    """A community's period, ready to be rated by column."""

    def __init__(self, plan: ColumnPlan, sessions: frozenset[UUID]) -> None:
        self.plan = plan
        self._sessions = sessions

    async def rate(self, session: AsyncSession, first: PremisesId, last: PremisesId) -> RatedColumns:
        """Return the plain lines of a range of premises, and which premises are to be rated by value."""
        where = PremisesRange(community_id=self.plan.community_id, first=first, last=last)
        return await rate_columns(session, self.plan, where, self._sessions)

    def outcome(self, premises: Ids, groups: Sequence[LineColumns]) -> tuple[str, RatingOutcome]:
        """Return the hash of the input that replays some lines, and what is to be kept with them."""
        packed = column_inputs.pack(premises, groups, self.plan.zone_name)
        splits = [split for splits in self.plan.pools.values() for split in splits]
        calendar = self.plan.calendar
        kept = [packed, *(split.source for split in splits)]
        if calendar is not None and any(group.calendar_sha for group in groups):
            kept.append(RatingInput(sha=calendar.calendar.sha, body=calendar.body))
        apportionments = [
            Apportionment(
                pool_id=split.pool.pool_id,
                period=self.plan.period,
                total_fen=split.pool.pool_fen,
                input_sha=split.pool.sha,
            )
            for split in splits
        ]
        outcome = RatingOutcome(items=(), exceptions=(), inputs=tuple(kept), apportionments=tuple(apportionments))
        return packed.sha, outcome


async def prepare(
    session: AsyncSession, *, community_id: CommunityId, period: Period, known_at: datetime
) -> ColumnRating:
    """Return a community's period as known at an instant, its pools split."""
    community = await estate.community(session, community_id)
    plan = ColumnPlan(
        community_id=community_id,
        zone=community.zone,
        zone_name=community.zone_name,
        period=period,
        known_at=known_at,
        prices=await tariffs.price_book(session, community_id, known_at),
        calendar=await official_calendar(session, period, known_at),
    )
    sessions = await claims.sessions_ended(session, community_id, period, known_at)
    return ColumnRating(await with_pools(session, plan), frozenset(one.premises_id for one in sessions))


async def replayed_lines(
    session: AsyncSession, community_id: CommunityId, sha: str, premises_id: PremisesId
) -> tuple[ReplayedLine, ...]:
    """Return the lines of some premises that an input of columns gives, rated again; none when it is not kept."""
    kept = (await inputs(session, community_id, [sha])).get(sha)
    if kept is None or not column_inputs.is_columns(kept.body):
        return ()
    sources = await sources_of(session, community_id, *column_inputs.named_in(kept.body))
    return tuple(column_inputs.replay(kept.body, sources, CALENDAR_CODE, premises_id))
