"""The public area on a page: hours, a chart, CSV, and the definition of a virtual meter."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx

from cloud.fleet import service as fleet
from cloud.metering.service import store_readings
from cloud.metering.unpacking import MeterHome
from cloud.web.public_use import VirtualForm
from common.clock import to_epoch_ms
from common.ids import CommunityId, MeterId
from common.reading.reading import Resource
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.metering.building import HOUR_MS, batch, column
from tests.cloud.web.browsing import send
from tests.cloud.web.front import words_of

DAY = date(2026, 1, 10)


async def lit(garden: Office) -> tuple[MeterId, MeterId]:
    """Place two public meters that count 10 and 4 an hour on one day."""
    site = garden.site
    async with site.database.unit(site.tenant, site.actor) as unit:
        placed = []
        for serial in ("MASTER", "LIFT"):
            placed.append(await fleet.add_meter(unit, serial=serial, resource=Resource.ELECTRICITY))
            await unit.session.flush()
            await fleet.install_meter(
                unit, meter_id=placed[-1], community_id=site.community_id, premises_id=None, start=b.START
            )
    start = datetime(2026, 1, 10, tzinfo=ZoneInfo("UTC"))
    columns = [
        column(n, start, [rate * 1_000 * hour for hour in range(25)], step_ms=HOUR_MS) for n, rate in enumerate((10, 4))
    ]
    garden.clock.set(datetime(2026, 1, 11, 9, tzinfo=ZoneInfo("UTC")))
    homes = {one: MeterHome(community_id=site.community_id, zone=ZoneInfo("UTC")) for one in placed}
    async with site.database.unit(site.tenant, site.actor) as unit:
        await store_readings(unit, batch(1, garden.clock.now(), columns, meters=placed), homes)
    garden.clock.advance(minutes=1)
    assert to_epoch_ms(start) % HOUR_MS == 0
    return placed[0], placed[1]


async def test_hours_are_shown_and_a_virtual_meter_is_defined(garden: Office, manager: httpx.AsyncClient) -> None:
    master, lift = await lit(garden)
    seen = words_of(await manager.get("/public-use"))
    assert "MASTER 电 Electricity 240" in seen
    form = {
        "community": "GARDEN",
        "virtual_id": "",
        "name": "路灯",
        "resource": "electricity",
        "effective_from": "2026-01-01",
        "plus": str(master),
        "minus": str(lift),
    }
    done = await send(manager, "/public-use", "/public-use/virtual-meters", form)
    assert done.headers["location"] == "/public-use?community=GARDEN&done=virtual-meter-defined"
    shown = await manager.get("/public-use")
    assert "路灯 虚拟表 virtual 电 Electricity 144" in words_of(shown)
    assert '"data": [6.0, 6.0' in shown.text.replace("[6.0,6.0", "[6.0, 6.0").replace('"data":[', '"data": [')
    bad = await send(manager, "/public-use", "/public-use/virtual-meters", form | {"minus": str(master)})
    assert bad.status_code == 400


async def test_hours_are_kept_as_a_table_with_gaps_left_empty(garden: Office, manager: httpx.AsyncClient) -> None:
    await lit(garden)
    answer = await manager.get("/public-use.csv", params={"start": "2026-01-10", "end": "2026-01-12"})
    lines = answer.text.lstrip("\ufeff").split()
    assert len(lines) == 1 + 2 * 2 * 24
    assert "2026-01-10,23:00,MASTER,meter,electricity,10" in lines
    assert "2026-01-11,05:00,MASTER,meter,electricity," in lines
    assert (
        await manager.get("/public-use.csv", params={"start": "2026-01-10", "end": "2027-01-12"})
    ).status_code == 422


async def test_a_technician_sees_and_defines_nothing(technician: httpx.AsyncClient) -> None:
    shown = await technician.get("/public-use")
    assert shown.status_code == 200
    assert "还没有公共表" in words_of(shown)
    assert (await send(technician, "/public-use", "/public-use/virtual-meters", {})).status_code == 403


def test_a_form_without_a_choice_makes_a_new_meter() -> None:
    fields = {"community": "G", "name": "V", "resource": "water", "effective_from": "2026-01-01", "plus": [UUID(int=3)]}
    form = VirtualForm.model_validate(fields)
    assert form.value(CommunityId(UUID(int=1)), UUID(int=2)).virtual_id == UUID(int=2)
    chosen = VirtualForm.model_validate(fields | {"virtual_id": UUID(int=9)})
    assert chosen.value(CommunityId(UUID(int=1)), UUID(int=2)).virtual_id == UUID(int=9)
