"""A missing reading estimated by decision: only where the rules allow, never over a reading, billed as estimated."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import pytest_asyncio

from cloud.charges.making import Price
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.metering import filling
from cloud.metering.filling import EstimateWish, NotAllowedError, Outlook
from cloud.metering.filling_rules import Method
from cloud.metering.origins import origin
from cloud.metering.registers import RegisterQuestion
from cloud.metering.service import register_book
from cloud.rating.lines import ExceptionKind, RatingOutcome
from cloud.rating.service import rate_period
from cloud.tariffs.charge import ChargeBasis
from common.civil import midnight
from common.errors import RefusalError
from common.ids import MeterId
from common.reading.reading import Quantity, Resource
from tests.cloud.charges.conftest import street
from tests.cloud.charges.street import MARCH, Street
from tests.cloud.metering.building import ZONE
from tests.cloud.metering.test_swapping import dial, place
from tests.cloud.settlement.test_service import ELECTRICITY

__all__ = ["street"]
AFTER = datetime.fromisoformat("2026-04-02T09:00:00+00:00")


@pytest_asyncio.fixture
async def lit(street: Street) -> tuple[Street, MeterId]:
    """A flat with a meter read on 1 January and 1 March, and not on 1 April: 2 kWh a day."""
    power = street.charge(
        "power", basis=ChargeBasis.METERED, resource=Resource.ELECTRICITY, price=Price(document=ELECTRICITY)
    )
    await street.make(power)
    meter = await place(street, "LIT", 0)
    await dial(street, meter, date(2026, 1, 1), 1_000_000)
    await dial(street, meter, MARCH.start, 1_118_000)
    street.clock.set(AFTER)
    return street, meter


def wish(street: Street, meter: MeterId, **changes: object) -> EstimateWish:
    fields: dict[str, object] = {
        "community_id": street.community,
        "meter_id": meter,
        "day": MARCH.end,
        "method": Method.RECENT,
        "value_milli": 1_118_000 + 62_000,
        "reason": "表箱上锁",
    }
    return EstimateWish(**(fields | changes))  # type: ignore[arg-type]


async def allow(street: Street, days: int = 40) -> None:
    async with street.database.unit(street.tenant, street.actor) as unit:
        await filling.decide_rule(unit, street.community, Resource.ELECTRICITY, days)
        unit.record("tested", "community", street.community)


async def decide(street: Street, wanted: EstimateWish) -> int:
    async with street.database.unit(street.tenant, street.actor) as unit:
        rev = await filling.decide(unit, wanted)
        unit.record("tested", "community", street.community)
        return rev


async def look(street: Street, meter: MeterId, day: date = MARCH.end) -> Outlook:
    async with street.database.view(street.tenant) as session:
        return await filling.outlook(session, street.community, meter, day, street.clock.now())


async def rated(street: Street) -> RatingOutcome:
    street.clock.advance(seconds=1)
    async with street.database.view(street.tenant) as session:
        return await rate_period(session, community_id=street.community, period=MARCH, known_at=street.clock.now())


async def test_an_estimate_is_billed_as_one_and_says_how_it_was_made(lit: tuple[Street, MeterId]) -> None:
    street, meter = lit
    assert {one.kind for one in (await rated(street)).exceptions} >= {ExceptionKind.NO_READING}
    await allow(street)
    seen = await look(street, meter)
    assert seen.allowed
    assert {one.method: one.value_milli for one in seen.proposals} == {Method.RECENT: 1_180_000}
    assert await decide(street, wish(street, meter)) == 1
    outcome = await rated(street)
    (item,) = [one for one in outcome.items if one.premises_id == street.flats[0][0]]
    assert (item.estimated, item.quantity_milli, item.line.amount_fen) == (True, 62_000, 62 * 50)
    question = RegisterQuestion(
        community_id=street.community,
        meters=frozenset({meter}),
        quantities=frozenset({Quantity.ENERGY_FORWARD}),
        days=frozenset({MARCH.end}),
        zone=ZONE,
        known_at=street.clock.now(),
    )
    async with street.database.view(street.tenant) as session:
        register = (await register_book(session, question)).at(meter, Quantity.ENERGY_FORWARD, MARCH.end)
        assert register is not None
        came = await origin(session, street.community, register)
    assert came.reason is not None
    assert "按近期日均用量" in came.reason
    assert "表箱上锁" in came.reason


async def test_without_a_rule_nothing_is_estimated(lit: tuple[Street, MeterId]) -> None:
    street, meter = lit
    assert not (await look(street, meter)).allowed
    with pytest.raises(NotAllowedError, match="rules let 0 days"):
        await decide(street, wish(street, meter))
    await allow(street, 30)
    with pytest.raises(NotAllowedError, match="rules let 30 days"):
        await decide(street, wish(street, meter))
    assert {one.kind for one in (await rated(street)).exceptions} >= {ExceptionKind.NO_READING}


async def test_the_same_decision_again_writes_nothing(lit: tuple[Street, MeterId]) -> None:
    street, meter = lit
    await allow(street)
    assert [await decide(street, wish(street, meter)) for _ in range(2)] == [1, 1]
    async with street.database.view(street.tenant) as session:
        (kept,) = await filling.estimated(session, street.community)
    assert (kept.method, kept.value_milli, kept.reason, kept.trued) == (Method.RECENT, 1_180_000, "表箱上锁", False)


async def test_a_reading_that_stands_is_never_estimated_over(lit: tuple[Street, MeterId]) -> None:
    street, meter = lit
    await allow(street)
    await dial(street, meter, MARCH.end, 1_190_000)
    street.clock.advance(seconds=1)
    with pytest.raises(ConflictError, match="a reading stands there"):
        await decide(street, wish(street, meter))


async def test_what_was_not_seen_is_not_decided(lit: tuple[Street, MeterId]) -> None:
    street, meter = lit
    await allow(street)
    with pytest.raises(ConflictError, match="another value"):
        await decide(street, wish(street, meter, value_milli=1_180_001))
    with pytest.raises(NotAllowedError, match="nothing to rest on"):
        await decide(street, wish(street, meter, method=Method.YEAR_BEFORE))
    with pytest.raises(RefusalError, match="lies ahead"):
        await decide(street, wish(street, meter, day=date(2026, 4, 3)))
    with pytest.raises(NotFoundError):
        await decide(street, wish(street, MeterId(street.database.new_id())))
    with pytest.raises(RefusalError, match="needs a reason"):
        wish(street, meter, reason=" ")


async def test_an_agreed_figure_lies_above_the_register_before(lit: tuple[Street, MeterId]) -> None:
    street, meter = lit
    await allow(street)
    with pytest.raises(RefusalError, match="below the one before"):
        await decide(street, wish(street, meter, method=Method.AGREED, value_milli=1_117_999))
    await decide(street, wish(street, meter, method=Method.AGREED, value_milli=1_150_000))
    (item,) = [one for one in (await rated(street)).items if one.premises_id == street.flats[0][0]]
    assert (item.estimated, item.quantity_milli) == (True, 32_000)


async def test_rules_are_decided_for_each_resource(street: Street) -> None:
    await allow(street, 35)
    await allow(street, 35)
    await allow(street, 62)
    async with street.database.view(street.tenant) as session:
        decided = await filling.rules(session, street.community)
    assert decided[Resource.ELECTRICITY] == 62
    assert decided[Resource.WATER] == 0
    with pytest.raises(RefusalError, match="0 to 200 days"):
        await allow(street, 201)


async def test_an_estimate_at_a_midnight_stands_at_that_midnight(lit: tuple[Street, MeterId]) -> None:
    street, meter = lit
    await allow(street)
    await decide(street, wish(street, meter))
    async with street.database.view(street.tenant) as session:
        (kept,) = await filling.estimated(session, street.community)
    assert kept.read_at == midnight(MARCH.end, ZONE)
