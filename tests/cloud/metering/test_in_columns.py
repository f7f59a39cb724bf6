"""Registers at a midnight by column: those of the newest known block, when it begins at the midnight; else nothing."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import numpy as np
from sqlalchemy import text

from cloud.kit.images import ids_of
from cloud.metering.corrections import Correction, revise_reading
from cloud.metering.in_columns import Midnights, Registers, corrected_meters, registers_at
from common.civil import Period, midnight
from common.ids import MeterId
from common.reading.reading import Quantity
from tests.bench.billing_town import NOW, PERIOD, RECORDED, ZONE
from tests.cloud.hamlet import Hamlet

STRANGER = MeterId(UUID(int=0x99))
_BLOCKS = text("select meter_id, first_milli from meter_day_block where quantity = 'volume' and day = :day order by 1")


async def registers(hamlet: Hamlet, meters: list[MeterId], *, known_before: timedelta = timedelta()) -> Registers:
    where = Midnights(
        community_id=hamlet.community_id,
        quantities=frozenset({Quantity.VOLUME, Quantity.ENERGY_FORWARD}),
        days=frozenset({PERIOD.start, PERIOD.end}),
        zone=ZONE,
        known_at=RECORDED - known_before,
    )
    async with hamlet.database.view(hamlet.tenant) as session:
        sheet = await registers_at(session, where, ids_of(meters))
    return sheet.at(Quantity.VOLUME, PERIOD.end, ids_of(meters))


async def stored(hamlet: Hamlet) -> list[tuple[MeterId, int]]:
    async with hamlet.database.view(hamlet.tenant) as session:
        return [(MeterId(meter), milli) for meter, milli in await session.execute(_BLOCKS, {"day": PERIOD.end})]


async def test_registers_come_in_the_order_asked_and_a_meter_without_any_is_not_known(hamlet: Hamlet) -> None:
    (first, low), (second, high), *_ = await stored(hamlet)
    found = await registers(hamlet, [second, STRANGER, first])
    assert found.known.tolist() == [True, False, True]
    assert [int(found.value_milli[n]) for n in (0, 2)] == [high, low]
    assert found.rev.tolist() == [1, 0, 1]


async def test_what_was_recorded_later_is_not_seen(hamlet: Hamlet) -> None:
    (first, _), *_ = await stored(hamlet)
    assert not (await registers(hamlet, [first], known_before=timedelta(seconds=1))).known.any()


async def test_a_block_that_begins_after_the_midnight_is_no_plain_register(hamlet: Hamlet) -> None:
    (first, _), *_ = await stored(hamlet)
    later = text("""
        insert into meter_day_block select (b).* from (
            select jsonb_populate_record(m, jsonb_build_object('rev', 2, 'first_at', first_at + interval '15 minutes',
                       'last_at', last_at + interval '15 minutes')) as b
              from meter_day_block m where meter_id = :meter and day = :day) changed
    """)
    async with hamlet.database.unit(hamlet.tenant, hamlet.actor) as unit:
        await unit.session.execute(later, {"meter": first, "day": PERIOD.end})
        unit.record("added", "meter_day_block", first)
    assert not (await registers(hamlet, [first])).known.any()


async def test_of_two_blocks_that_begin_at_the_midnight_the_newest_known_counts(hamlet: Hamlet) -> None:
    (first, low), (second, high), *_ = await stored(hamlet)
    again = text("""
        insert into meter_day_block select (b).* from (
            select jsonb_populate_record(m, jsonb_build_object('rev', 2, 'first_milli', first_milli + 7,
                       'last_milli', last_milli + 7)) as b
              from meter_day_block m where meter_id = :meter and day = :day) changed
    """)
    async with hamlet.database.unit(hamlet.tenant, hamlet.actor) as unit:
        await unit.session.execute(again, {"meter": first, "day": PERIOD.end})
        unit.record("added", "meter_day_block", first)
    found = await registers(hamlet, [second, first])
    assert found.known.all()
    assert found.value_milli.tolist() == [high, low + 7]
    assert found.rev.tolist() == [1, 2]


async def test_a_sheet_answers_for_each_midnight_and_register_it_was_read_for(hamlet: Hamlet) -> None:
    (first, _), *_ = await stored(hamlet)
    where = Midnights(
        community_id=hamlet.community_id,
        quantities=frozenset({Quantity.VOLUME, Quantity.ENERGY_FORWARD}),
        days=frozenset({PERIOD.start, PERIOD.end}),
        zone=ZONE,
        known_at=RECORDED,
    )
    async with hamlet.database.view(hamlet.tenant) as session:
        sheet = await registers_at(session, where, ids_of([first]))
    start, end = (sheet.at(Quantity.VOLUME, day, ids_of([first])) for day in (PERIOD.start, PERIOD.end))
    assert start.value_milli.item() < end.value_milli.item()
    assert not sheet.at(Quantity.ENERGY_FORWARD, PERIOD.end, ids_of([first])).known.any()


async def test_meters_with_a_corrected_reading_are_named(hamlet: Hamlet) -> None:
    (first, _), *_ = await stored(hamlet)
    async with hamlet.database.unit(hamlet.tenant, hamlet.actor) as unit:
        await revise_reading(
            unit,
            Correction(
                community_id=hamlet.community_id,
                meter_id=first,
                quantity=Quantity.VOLUME,
                read_at=midnight(PERIOD.end, ZONE),
                value_milli=1,
                reason="misread",
            ),
        )
    reach = Period(PERIOD.start, PERIOD.end)
    async with hamlet.database.view(hamlet.tenant) as session:
        found = await corrected_meters(session, hamlet.community_id, reach, ZONE, NOW)
        before = await corrected_meters(session, hamlet.community_id, reach, ZONE, RECORDED)
    assert np.array_equal(found, ids_of([first]))
    assert len(before) == 0
