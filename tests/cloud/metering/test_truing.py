"""A true reading takes the place of an estimate: by batch in any order, by hand, never by a doubtful one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import permutations

import pytest

from cloud.kit.events import Event
from cloud.metering import filling
from cloud.metering.corrections import Correction
from cloud.metering.events import OddityFound
from cloud.metering.filling import EstimateWish
from cloud.metering.filling_rules import Method
from cloud.metering.registers import RegisterQuestion
from cloud.metering.service import register_book, store_readings
from cloud.metering.truing import ESTIMATE_TRUED, enter_reading
from cloud.metering.unpacking import MeterHome
from cloud.metering.usage import RegisterRef
from common.civil import midnight
from common.ids import MeterId
from common.reading.reading import Quality, Quantity, Resource
from common.wire.batch import BatchContent
from tests.cloud.charges.conftest import street
from tests.cloud.charges.street import MARCH, Street
from tests.cloud.metering.building import HOUR_MS, ZONE, at, batch, column
from tests.cloud.metering.test_swapping import dial, place

__all__ = ["street"]
AFTER = datetime.fromisoformat("2026-04-02T09:00:00+00:00")
ESTIMATE = 1_150_000
MINUTE_MS = 60_000


async def estimated(street: Street) -> MeterId:
    """Place a meter and let an agreed figure stand for its missing reading of 1 April."""
    meter = await place(street, "TRUE", 0)
    await dial(street, meter, MARCH.start, 1_118_000)
    street.clock.set(AFTER)
    wish = EstimateWish(
        community_id=street.community,
        meter_id=meter,
        day=MARCH.end,
        method=Method.AGREED,
        value_milli=ESTIMATE,
        reason="agreed",
    )
    async with street.database.unit(street.tenant, street.actor) as unit:
        await filling.decide_rule(unit, street.community, Resource.ELECTRICITY, 40)
        await filling.decide(unit, wish)
    return meter


def reading(
    meter: MeterId, sequence: int, value: int, *, minute: int = 0, flag: Quality = Quality.GOOD
) -> BatchContent:
    """Return a batch with one reading of 1 April, some minutes after midnight."""
    start = at(MARCH.end).replace(minute=minute)
    one = column(0, start, [value], step_ms=HOUR_MS, flags=[(0, int(flag))] if flag else [])
    return batch(sequence, AFTER, [one], meters=[meter])


async def arrive(street: Street, meter: MeterId, contents: Sequence[BatchContent]) -> None:
    for content in contents:
        street.clock.advance(seconds=1)
        async with street.database.unit(street.tenant, street.actor) as unit:
            home = MeterHome(community_id=street.community, zone=ZONE)
            await store_readings(unit, content, {meter: home})
            unit.record("tested", "meter", meter)


def told(published: Sequence[Event]) -> list[tuple[str, str]]:
    return [
        (event.subject, event.detail_en)
        for event in published
        if isinstance(event, OddityFound) and event.reason == ESTIMATE_TRUED
    ]


async def register(street: Street, meter: MeterId) -> RegisterRef:
    street.clock.advance(seconds=1)
    question = RegisterQuestion(
        community_id=street.community,
        meters=frozenset({meter}),
        quantities=frozenset({Quantity.ENERGY_FORWARD}),
        days=frozenset({MARCH.end}),
        zone=ZONE,
        known_at=street.clock.now(),
    )
    async with street.database.view(street.tenant) as session:
        found = (await register_book(session, question)).at(meter, Quantity.ENERGY_FORWARD, MARCH.end)
    assert found is not None
    return found


async def test_a_reading_of_the_instant_is_stated_and_the_bills_become_a_case(
    street: Street, published: list[Event]
) -> None:
    meter = await estimated(street)
    assert (await register(street, meter)).quality is Quality.ESTIMATED
    await arrive(street, meter, [reading(meter, 1, 1_162_000)])
    found = await register(street, meter)
    assert (found.value_milli, found.quality) == (1_162_000, Quality.GOOD)
    assert found.block_day == MARCH.end
    ((day, words),) = told(published)
    assert day == "2026-04-01"
    assert "1150" in words
    assert "1162" in words
    async with street.database.view(street.tenant) as session:
        (kept,) = await filling.estimated(session, street.community)
    assert (kept.value_milli, kept.trued) == (ESTIMATE, True)


async def test_the_same_batch_again_says_nothing_more(street: Street, published: list[Event]) -> None:
    meter = await estimated(street)
    await arrive(street, meter, [reading(meter, 1, 1_162_000)] * 2)
    await arrive(street, meter, [reading(meter, 2, 1_162_000)])
    assert len(told(published)) == 1


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_readings_around_the_midnight_in_any_order_leave_the_one_at_it(
    street: Street, order: Sequence[int]
) -> None:
    meter = await estimated(street)
    brought = [
        reading(meter, 1, 1_163_000, minute=20),
        reading(meter, 2, 1_162_000),
        reading(meter, 3, 1_164_000, minute=40),
    ]
    await arrive(street, meter, [brought[n] for n in order])
    assert (await register(street, meter)).value_milli == 1_162_000


async def test_a_reading_near_the_midnight_stands_for_it(street: Street, published: list[Event]) -> None:
    meter = await estimated(street)
    await arrive(street, meter, [reading(meter, 1, 1_163_000, minute=20), reading(meter, 2, 1_164_000, minute=40)])
    assert (await register(street, meter)).value_milli == 1_163_000
    assert len(told(published)) == 1


async def test_a_doubtful_reading_takes_nobodys_place(street: Street, published: list[Event]) -> None:
    meter = await estimated(street)
    await arrive(street, meter, [reading(meter, 1, 9_999_000, flag=Quality.JUMP)])
    assert (await register(street, meter)).value_milli == ESTIMATE
    assert told(published) == []


async def test_a_reading_by_hand_takes_the_place_too(street: Street, published: list[Event]) -> None:
    meter = await estimated(street)
    seen = Correction(
        community_id=street.community,
        meter_id=meter,
        quantity=Quantity.ENERGY_FORWARD,
        read_at=midnight(MARCH.end, ZONE),
        value_milli=1_155_000,
        reason="现场抄表",
    )
    for _ in range(2):
        street.clock.advance(seconds=1)
        async with street.database.unit(street.tenant, street.actor) as unit:
            await enter_reading(unit, seen)
            unit.record("tested", "meter", meter)
    found = await register(street, meter)
    assert (found.value_milli, found.quality) == (1_155_000, Quality.MANUAL)
    assert len(told(published)) == 1
    await arrive(street, meter, [reading(meter, 1, 1_162_000)])
    assert (await register(street, meter)).value_milli == 1_155_000, "what a person read stays until he corrects it"
