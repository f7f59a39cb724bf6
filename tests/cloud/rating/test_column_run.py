"""What a run keeps of its rating by column: one input for all lines, and each pool with its weights."""

from __future__ import annotations

from cloud.estate.in_columns import PremisesRange
from cloud.rating.column_run import prepare, replayed_lines
from cloud.rating.service import keep, rate_period
from tests.bench.billing_town import NOW, PERIOD
from tests.cloud.hamlet import HOUSEHOLDS, Hamlet


async def test_the_pool_is_kept_as_by_value_and_a_kept_input_gives_each_household_its_lines(hamlet: Hamlet) -> None:
    where = PremisesRange.whole(hamlet.community_id)
    async with hamlet.database.view(hamlet.tenant) as session:
        columns = await prepare(session, community_id=hamlet.community_id, period=PERIOD, known_at=NOW)
        found = await columns.rate(session, where.first, where.last)
        by_value = await rate_period(session, community_id=hamlet.community_id, period=PERIOD, known_at=NOW)
    sha, outcome = columns.outcome(found.homes.premises, found.groups)
    assert outcome.apportionments == by_value.apportionments
    assert sum(split.total_fen for split in outcome.apportionments) == sum(
        int(group.fen.sum()) for group in found.groups if group.pool is not None
    )
    async with hamlet.database.unit(hamlet.tenant, hamlet.actor) as unit:
        await keep(unit, hamlet.community_id, outcome)
    own = hamlet.premises[0]
    async with hamlet.database.view(hamlet.tenant) as session:
        lines = await replayed_lines(session, hamlet.community_id, sha, own)
        nothing = await replayed_lines(session, hamlet.community_id, "0" * 64, own)
    assert nothing == ()
    assert sorted(one.line.amount_fen for one in lines) == sorted(
        item.line.amount_fen for item in by_value.items if item.premises_id == own
    )
    assert len(by_value.items) == 6 * HOUSEHOLDS
