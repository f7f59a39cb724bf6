"""What is issued beside what should be: nothing differs until a price does; a past that is not plain is named."""

from __future__ import annotations

from uuid import UUID

from cloud.billing import repricing
from cloud.billing.repriced_columns import Compared, compare, next_range
from cloud.estate.in_columns import PremisesRange
from common.ids import PremisesId
from tests.cloud.billing.village import CHEAPER, HOUSEHOLDS, MONTHS, STARTS, Village

_FIRST = PremisesId(UUID(int=0))


async def compared(village: Village, *codes: str) -> Compared:
    """Compare the whole community by what is known now."""
    correction = await village.opened(village.scope(*codes))
    found = await village.previewed(correction)
    await village.approve(correction, found.sha)
    async with village.database.view(village.tenant) as session:
        change = await repricing.ready(session, village.community_id, correction)
        assert change is not None
        where = await next_range(
            session, PremisesRange(community_id=village.community_id, first=_FIRST, last=_FIRST), HOUSEHOLDS
        )
        assert where is not None
        rated = [await columns.rate(session, where.first, where.last) for columns in change.columns]
        return await compare(session, where, change.past, rated)


async def test_nothing_differs_while_prices_stand_and_every_month_of_everybody_once_they_do_not(
    village: Village,
) -> None:
    calm = await compared(village, "service", "water", "common", "charging")
    assert (len(calm.premises), calm.differences, len(calm.odd)) == (HOUSEHOLDS, (), 0)
    await village.reprice(CHEAPER, STARTS)
    found = await compared(village, "service")
    assert len(found.differences) == HOUSEHOLDS * (len(MONTHS) - 1)
    assert all(one.now_fen < one.was_fen for one in found.differences)
    assert all(len(one.issued) == 1 for one in found.differences)


async def test_ranges_follow_each_other_and_end(village: Village) -> None:
    async with village.database.view(village.tenant) as session:
        place, seen = _FIRST, []
        while True:
            start = PremisesRange(community_id=village.community_id, first=place, last=place)
            where = await next_range(session, start, 4)
            if where is None:
                break
            seen.append((village.premises.index(where.first), village.premises.index(where.last)))
            place = where.last
    assert seen == [(0, 3), (4, 7), (8, 8)]
