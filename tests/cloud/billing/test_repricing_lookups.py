"""The queries of changes of prices: periods in which something was billed, and what a community has."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from cloud.billing import repricing_lookups, service
from cloud.billing.service import MONTHLY
from common.civil import Period
from common.ids import CommunityId
from tests.cloud.billing.village import PERIODS, Village


async def test_periods_with_something_billed_are_those_of_the_runs_and_not_the_one_to_come(village: Village) -> None:
    coming = Period(PERIODS[-1].end, PERIODS[-1].end + timedelta(days=30))
    async with village.database.unit(village.tenant, village.actor) as unit:
        await service.create_period(unit, village.community_id, period=coming, due_on=coming.end)
    async with village.database.view(village.tenant) as session:
        ask = repricing_lookups.settled_periods
        assert await ask(session, village.community_id, MONTHLY, PERIODS[0].start) == list(PERIODS)
        assert await ask(session, village.community_id, MONTHLY, PERIODS[1].start) == list(PERIODS[1:])
        assert await ask(session, village.community_id, MONTHLY, coming.start) == []


async def test_changes_are_listed_for_their_community_alone(village: Village) -> None:
    correction = await village.opened(village.scope("service"))
    async with village.database.view(village.tenant) as session:
        listed = await repricing_lookups.price_corrections_in(session, village.community_id)
        assert [row.price_correction_id for row in listed] == [correction]
        assert await repricing_lookups.price_corrections_in(session, CommunityId(UUID(int=3))) == []
        assert await repricing_lookups.price_correction(session, UUID(int=3)) is None
