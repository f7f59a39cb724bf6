"""Several periods ready by column for some charge items: those asked for and no others, in the order of the periods."""

from __future__ import annotations

from cloud.estate.in_columns import PremisesRange
from cloud.rating.column_run import prepare
from cloud.rating.repriced import prepare_periods
from cloud.tariffs import service as tariffs
from common.civil import Period
from tests.bench.billing_town import NOW, PERIOD
from tests.cloud.hamlet import Hamlet


async def test_only_what_is_asked_for_is_rated_and_to_the_fen_as_in_a_run(hamlet: Hamlet) -> None:
    where = PremisesRange.whole(hamlet.community_id)
    async with hamlet.database.view(hamlet.tenant) as session:
        items = {one.code: one.charge_item_id for one in await tariffs.charge_items(session, hamlet.community_id)}
        asked = {items["electricity"], items["common"]}
        before = Period(PERIOD.start.replace(month=2), PERIOD.start)
        found = await prepare_periods(session, hamlet.community_id, (before, PERIOD), NOW, asked)
        assert [one.plan.period for one in found] == [before, PERIOD]
        assert {len(one.plan.prices.compiled) for one in found} == {2}
        ours = await found[1].rate(session, where.first, where.last)
        run = await prepare(session, community_id=hamlet.community_id, period=PERIOD, known_at=NOW)
        theirs = await run.rate(session, where.first, where.last)
    amounts = {group.item.code: group.fen.tolist() for group in theirs.groups}
    assert {group.item.code: group.fen.tolist() for group in ours.groups} == {
        code: amounts[code] for code in ("common", "electricity")
    }
