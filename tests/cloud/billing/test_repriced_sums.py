"""The sums of a change of prices: by period they add up to the whole, and the hash names the outcome."""

from __future__ import annotations

from cloud.billing.repriced_sums import Sums
from tests.bench.billing_town import NOW
from tests.cloud.billing.village import CHEAPER, OTHER_TIERS, PERIODS, STARTS, Village


def test_nothing_added_is_nothing() -> None:
    found = Sums(PERIODS).preview(NOW)
    assert (found.documents, found.lines, found.net_fen, found.premises) == (0, 0, 0, 0)
    assert [one.period for one in found.periods] == list(PERIODS)


async def test_sums_by_period_add_up_and_the_hash_changes_with_the_outcome_alone(village: Village) -> None:
    await village.reprice(CHEAPER, STARTS)
    first = await village.previewed(await village.opened(village.scope("service")))
    same = await village.previewed(await village.opened(village.scope("service")))
    assert first.sha == same.sha
    assert all(one.credited_fen < 0 == one.charged_fen for one in first.periods)
    assert first.net_fen == sum(one.credited_fen for one in first.periods)
    await village.reprice(OTHER_TIERS, STARTS)
    both = await village.previewed(await village.opened(village.scope("service", "electricity")))
    assert both.sha != first.sha
    assert both.lines > first.lines
