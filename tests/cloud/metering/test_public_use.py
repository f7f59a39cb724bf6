"""The public area by the hour: master less subs, dated definitions, and nothing invented."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from cloud.kit.errors import NotFoundError
from cloud.metering import public_use
from cloud.metering.hourly import VirtualMeter, total
from cloud.metering.public_use import PublicDay
from cloud.metering.service import store_readings
from cloud.metering.unpacking import MeterHome
from common.civil import Period
from common.errors import RefusalError
from common.ids import MeterId
from common.reading.reading import Resource
from tests.cloud.charges.conftest import street
from tests.cloud.charges.street import Street
from tests.cloud.metering.building import HOUR_MS, ZONE, at, batch, column
from tests.cloud.metering.test_swapping import place

__all__ = ["street"]
DAY = date(2026, 3, 10)
NEXT = DAY + timedelta(days=1)
AFTER = datetime.fromisoformat("2026-03-13T09:00:00+00:00")
VIRTUAL = UUID(int=77)


async def metered(street: Street) -> tuple[MeterId, MeterId, MeterId]:
    """Place a master and two subs that count 10, 3 and 2 an hour over two days."""
    master = await place(street, "MASTER", None)
    lift = await place(street, "LIFT", None, master)
    flat = await place(street, "FLAT", 0, master)
    street.clock.set(AFTER)
    columns = [
        column(n, at(DAY), [1_000 + rate * hour for hour in range(49)], step_ms=HOUR_MS)
        for n, rate in enumerate((10, 3, 2))
    ]
    homes = {one: MeterHome(community_id=street.community, zone=ZONE) for one in (master, lift, flat)}
    async with street.database.unit(street.tenant, street.actor) as unit:
        await store_readings(unit, batch(1, AFTER, columns, meters=[master, lift, flat]), homes)
    street.clock.advance(seconds=1)
    return master, lift, flat


def virtual(street: Street, plus: set[MeterId], minus: set[MeterId], **changes: object) -> VirtualMeter:
    fields: dict[str, object] = {
        "community_id": street.community,
        "virtual_id": VIRTUAL,
        "name": "公共照明",
        "resource": Resource.ELECTRICITY,
        "effective_from": DAY,
        "plus": frozenset(plus),
        "minus": frozenset(minus),
    }
    return VirtualMeter(**(fields | changes))  # type: ignore[arg-type]


async def define(street: Street, wanted: VirtualMeter) -> None:
    async with street.database.unit(street.tenant, street.actor) as unit:
        await public_use.define(unit, wanted)
        unit.record("tested", "community", street.community)


async def use(street: Street, days: Period) -> dict[tuple[str, date], PublicDay]:
    async with street.database.view(street.tenant) as session:
        found = await public_use.public_use(session, street.community, days, street.clock.now())
    return {(one.name, one.day): one for one in found}


async def test_a_master_less_its_subs_is_told_by_the_hour(street: Street) -> None:
    master, lift, flat = await metered(street)
    await define(street, virtual(street, {master}, {lift, flat}))
    found = await use(street, Period(DAY, NEXT))
    assert set(found) == {("公共照明", DAY), ("MASTER", DAY), ("LIFT", DAY)}, "a flat's own meter is not public"
    assert found[("公共照明", DAY)].hours == (5,) * 24
    assert found[("公共照明", DAY)].virtual
    assert total(found[("MASTER", DAY)].hours) == 240


async def test_a_definition_holds_from_its_day_on_and_leaves_earlier_days(street: Street) -> None:
    master, lift, flat = await metered(street)
    await define(street, virtual(street, {master}, {lift}))
    await define(street, virtual(street, {master}, {lift, flat}, effective_from=NEXT))
    found = await use(street, Period(DAY - timedelta(days=1), NEXT + timedelta(days=1)))
    assert ("公共照明", DAY - timedelta(days=1)) not in found
    assert found[("公共照明", DAY)].hours == (7,) * 24
    assert found[("公共照明", NEXT)].hours == (5,) * 24
    assert found[("MASTER", DAY - timedelta(days=1))].hours == (None,) * 24


async def test_the_same_definition_again_writes_nothing_and_a_mended_one_of_the_day_holds(street: Street) -> None:
    master, lift, flat = await metered(street)
    for minus in ({lift}, {lift}, {lift, flat}):
        await define(street, virtual(street, {master}, minus))
    async with street.database.view(street.tenant) as session:
        (one,) = await public_use.defined(session, street.community)
    assert one.minus == {lift, flat}


async def test_what_cannot_be_defined_or_asked_is_refused(street: Street) -> None:
    master, lift, _ = await metered(street)
    with pytest.raises(NotFoundError):
        await define(street, virtual(street, {master}, {MeterId(UUID(int=5))}))
    with pytest.raises(RefusalError, match="own resource"):
        await define(street, virtual(street, {master}, {lift}, resource=Resource.WATER))
    with pytest.raises(RefusalError, match="at most 31 days"):
        await use(street, Period(DAY, DAY + timedelta(days=32)))


async def test_a_place_without_meters_has_no_public_use(street: Street) -> None:
    assert await use(street, Period(DAY, NEXT)) == {}
