"""Which households are rated by column: all plain ones; whoever has anything particular is named and left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from cloud.estate import service as estate
from cloud.estate.in_columns import PremisesRange
from cloud.estate.kinds import PartyKind, Role
from cloud.fleet import service as fleet
from cloud.kit.db import Unit
from cloud.rating.column_rating import RatedColumns
from cloud.rating.column_run import prepare
from common.ids import MeterId, PremisesId
from common.reading.reading import Resource
from tests.bench.billing_town import NOW, PERIOD
from tests.cloud.hamlet import HOUSEHOLDS, Hamlet

Change = Callable[[Unit, Hamlet, PremisesId], Awaitable[None]]
INSIDE = date(2026, 3, 10)


async def rated(hamlet: Hamlet) -> RatedColumns:
    async with hamlet.database.view(hamlet.tenant) as session:
        columns = await prepare(session, community_id=hamlet.community_id, period=PERIOD, known_at=NOW)
        return await columns.rate(session, *_ends(hamlet))


def _ends(hamlet: Hamlet) -> tuple[PremisesId, PremisesId]:
    where = PremisesRange.whole(hamlet.community_id)
    return where.first, where.last


async def test_a_plain_household_has_a_line_of_each_kind_in_the_order_of_charges(hamlet: Hamlet) -> None:
    found = await rated(hamlet)
    assert not found.odd.any()
    codes = [group.item.code for group in found.groups]
    assert codes == ["charging", "common", "electricity", "gas", "service", "water"]
    assert {len(group.rows) for group in found.groups} == {HOUSEHOLDS}


async def a_second_payer(unit: Unit, _: Hamlet, premises_id: PremisesId) -> None:
    tenant = await estate.add_party(unit, kind=PartyKind.ORGANISATION, name="tenant")
    await estate.relate(unit, party_id=tenant, premises_id=premises_id, role=Role.PAYER, starts=INSIDE)


async def a_new_meter(unit: Unit, hamlet: Hamlet, premises_id: PremisesId) -> None:
    meter = await fleet.add_meter(unit, serial="new", resource=Resource.WATER)
    await unit.session.flush()
    await fleet.install_meter(
        unit, meter_id=meter, community_id=hamlet.community_id, premises_id=premises_id, start=INSIDE
    )


async def a_doubtful_reading(unit: Unit, _: Hamlet, premises_id: PremisesId) -> None:
    await _block(unit, premises_id, "'first_quality', 1")


async def a_register_that_fell(unit: Unit, _: Hamlet, premises_id: PremisesId) -> None:
    await _block(unit, premises_id, "'first_milli', 0")


async def _block(unit: Unit, premises_id: PremisesId, change: str) -> None:
    found = await unit.session.execute(
        text(
            "select meter_id from meter_installation join meter using (tenant_id, meter_id)"
            " where premises_id = :premises and resource = 'gas'"
        ),
        {"premises": premises_id},
    )
    meter = MeterId(found.scalar_one())
    statement = f"""
        insert into meter_day_block select (b).* from (
            select jsonb_populate_record(m, jsonb_build_object('rev', 2, {change})) as b
              from meter_day_block m where meter_id = :meter and day = :day) changed
    """  # noqa: S608 - from the constants of this file
    await unit.session.execute(text(statement), {"meter": meter, "day": PERIOD.end})
    unit.record("added", "meter_day_block", meter)


@pytest.mark.parametrize("change", [a_second_payer, a_new_meter, a_doubtful_reading, a_register_that_fell])
async def test_whoever_is_particular_is_left_to_the_road_by_value(hamlet: Hamlet, change: Change) -> None:
    hamlet.clock.set(NOW - timedelta(hours=2))
    async with hamlet.database.unit(hamlet.tenant, hamlet.actor) as unit:
        await change(unit, hamlet, hamlet.premises[3])
    found = await rated(hamlet)
    assert found.odd.tolist() == [n == 3 for n in range(HOUSEHOLDS)]
    assert {len(group.rows) for group in found.groups} == {HOUSEHOLDS - 1}
