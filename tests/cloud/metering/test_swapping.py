"""A swap loses nothing: what the old meter counted up to its last dial, then what the new one counts from its first."""

from __future__ import annotations

from datetime import date

import pytest

from cloud.charges.making import Price
from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.metering.corrections import Correction, revise_reading
from cloud.metering.swapping import Swap, swap
from cloud.rating.service import rate_period
from cloud.tariffs.charge import ChargeBasis
from common.civil import Period, midnight
from common.errors import RefusalError
from common.ids import MeterId
from common.reading.reading import Quantity, Resource
from tests.cloud.charges.conftest import street
from tests.cloud.charges.street import MARCH, START, Street
from tests.cloud.settlement.test_service import ELECTRICITY

__all__ = ["street"]
DAY = date(2026, 3, 16)


async def place(street: Street, serial: str, flat: int | None, parent: MeterId | None = None) -> MeterId:
    async with street.database.unit(street.tenant, street.actor) as unit:
        meter = await fleet.add_meter(unit, serial=serial, resource=Resource.ELECTRICITY)
        await unit.session.flush()
        premises = None if flat is None else street.flats[flat][0]
        await fleet.install_meter(
            unit,
            meter_id=meter,
            community_id=street.community,
            premises_id=premises,
            start=START,
            parent_meter_id=parent,
        )
    return meter


async def dial(street: Street, meter: MeterId, day: date, value: int) -> None:
    async with street.database.unit(street.tenant, street.actor) as unit:
        zone = (await estate.community(unit.session, street.community)).zone
        entered = Correction(
            community_id=street.community,
            meter_id=meter,
            quantity=Quantity.ENERGY_FORWARD,
            read_at=midnight(day, zone),
            value_milli=value,
            reason="hand",
        )
        await revise_reading(unit, entered)


def wish(street: Street, meter: MeterId, **changes: object) -> Swap:
    fields: dict[str, object] = {
        "community_id": street.community,
        "meter_id": meter,
        "day": DAY,
        "last_milli": 1_150_000,
        "serial": "NEW",
        "first_milli": 10_000,
        "reason": "到期更换",
    }
    return Swap(**(fields | changes))  # type: ignore[arg-type]


async def test_usage_over_a_swap_is_old_plus_new(street: Street) -> None:
    power = street.charge(
        "power", basis=ChargeBasis.METERED, resource=Resource.ELECTRICITY, price=Price(document=ELECTRICITY)
    )
    await street.make(power)
    old = await place(street, "OLD", 0)
    await dial(street, old, MARCH.start, 1_000_000)
    async with street.database.unit(street.tenant, street.actor) as unit:
        new = await swap(unit, wish(street, old))
    await dial(street, new, MARCH.end, 60_000)
    street.clock.advance(minutes=1)
    async with street.database.view(street.tenant) as session:
        outcome = await rate_period(session, community_id=street.community, period=MARCH, known_at=street.clock.now())
    mine = [item for item in outcome.items if item.premises_id == street.flats[0][0]]
    assert sum(item.line.amount_fen for item in mine) == (150 + 50) * 50
    assert sum(item.quantity_milli or 0 for item in mine) == 200_000


async def test_meters_below_the_old_one_count_below_the_new_one(street: Street) -> None:
    master = await place(street, "MASTER", None)
    below = await place(street, "BELOW", 1, master)
    async with street.database.unit(street.tenant, street.actor) as unit:
        new = await swap(unit, wish(street, master))
    async with street.database.view(street.tenant) as session:
        placed = await fleet.installed_meters(session, street.community, Period(DAY, MARCH.end))
    assert {(one.meter_id, one.parent_meter_id) for one in placed} == {(new, None), (below, new)}


@pytest.mark.parametrize(
    "changes",
    [{"last_milli": -1}, {"first_milli": -1}, {"digits": 0}, {"digits": 16}, {"multiplier_milli": 0}, {"serial": " "}],
)
def test_a_swap_that_cannot_be_is_refused(street: Street, changes: dict[str, object]) -> None:
    with pytest.raises(RefusalError):
        wish(street, MeterId(street.database.new_id()), **changes)


async def test_a_meter_that_counts_nowhere_is_not_swapped(street: Street) -> None:
    with pytest.raises(NotFoundError):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await swap(unit, wish(street, MeterId(street.database.new_id())))


async def test_a_swap_given_again_is_the_same_swap_and_another_one_of_that_day_is_refused(street: Street) -> None:
    old = await place(street, "OLD", 0)
    async with street.database.unit(street.tenant, street.actor) as unit:
        new = await swap(unit, wish(street, old))
    async with street.database.unit(street.tenant, street.actor) as unit:
        assert await swap(unit, wish(street, old)) == new
    with pytest.raises(ConflictError, match="taken off"):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await swap(unit, wish(street, old, serial="ANOTHER"))
    async with street.database.view(street.tenant) as session:
        placed = await fleet.installed_meters(session, street.community, Period(DAY, MARCH.end))
    assert [one.meter_id for one in placed] == [new]
