"""Queries over estimates: those asked for and no others, with what stands over them."""

from __future__ import annotations

from cloud.metering import estimate_rows, filling
from common.reading.reading import Resource
from tests.cloud.charges.conftest import street
from tests.cloud.charges.street import MARCH, START, Street
from tests.cloud.metering.test_truing import arrive, estimated, reading

__all__ = ["street"]


async def test_only_estimates_of_the_days_that_came_are_asked_for(street: Street) -> None:
    meter = await estimated(street)
    async with street.database.view(street.tenant) as session:
        for day, count in ((START, 0), (MARCH.end, 1)):
            found = await estimate_rows.standing_estimates(session, street.community, [meter], [day])
            assert len(found) == count


async def test_an_estimate_stands_until_a_reading_of_its_instant_and_tells_when_it_was_withdrawn(
    street: Street,
) -> None:
    meter = await estimated(street)
    steps: tuple[tuple[int | None, list[bool], bool], ...] = ((None, [False], False), (20, [True], True), (0, [], True))
    for sequence, (minute, flags, trued) in enumerate(steps, start=1):
        if minute is not None:
            await arrive(street, meter, [reading(meter, sequence, 1_162_000, minute=minute)])
        async with street.database.view(street.tenant) as session:
            found = await estimate_rows.standing_estimates(session, street.community, [meter], [MARCH.end])
            assert [withdrawn for _, withdrawn in found] == flags
            assert await estimate_rows.trued(session, street.community, meter, MARCH.end) is trued
            ((row, newest),) = await estimate_rows.estimates(session, street.community, 0, 10)
            assert (newest > row.rev) is trued


async def test_the_newest_rule_of_a_resource_holds(street: Street) -> None:
    for days in (10, 20):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await filling.decide_rule(unit, street.community, Resource.WATER, days)
    async with street.database.view(street.tenant) as session:
        (rule,) = await estimate_rows.rules(session, street.community)
    assert (rule.resource, rule.days_max, rule.rev) == (Resource.WATER, 20, 2)
