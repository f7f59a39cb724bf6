"""Bill runs by night: missed nights heal, the oldest period first, and only where it was decided."""

from __future__ import annotations

from datetime import date

import pytest

from cloud.billing import nightly
from cloud.billing.events import RunRequested
from cloud.billing.nightly import RunPolicy
from cloud.kit.events import Event
from common.errors import RefusalError
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office


async def night(office: Office, day: date) -> int:
    async with office.site.worker_database.unit(office.site.tenant, office.site.actor) as unit:
        asked = await nightly.run_night(unit, day)
        unit.record("looked", "run_policy", office.site.community_id)
    return asked


async def decide(office: Office, wanted: RunPolicy) -> None:
    async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
        await nightly.decide(unit, office.site.community_id, wanted)


async def test_missed_nights_are_made_up_for_oldest_period_first_until_nothing_is_due(
    office: Office, published: list[Event]
) -> None:
    for flat in office.site.flats:
        for month in (0, 1, 2):
            office.set(flat, b.SERVICE, month, 10_000)
    scopes = [await office.period(month) for month in (0, 1, 2)]
    assert await night(office, date(2026, 4, 5)) == 0
    await decide(office, RunPolicy(nightly=True, days_after=3))
    assert await night(office, date(2026, 4, 3)) == 2
    assert await night(office, date(2026, 4, 4)) == 3
    asked = [event for event in published if isinstance(event, RunRequested)]
    assert [event.period_start.month for event in asked] == [1, 2, 1, 2, 3]
    for scope in scopes:
        await office.run(scope)
    assert await night(office, date(2026, 4, 5)) == 0
    await decide(office, RunPolicy(nightly=False))
    async with office.site.database.view(office.site.tenant) as session:
        assert not (await nightly.policy(session, office.site.community_id)).nightly


@pytest.mark.parametrize("days", [-1, 61])
def test_a_policy_of_impossible_days_is_refused(days: int) -> None:
    with pytest.raises(RefusalError, match="0 to 60"):
        RunPolicy(days_after=days)
