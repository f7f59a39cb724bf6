"""The plan of a site: floors from labels, each meter with its state and its wire; on a phone too."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from cloud.fleet import rollout
from cloud.fleet import service as fleet
from cloud.identity.policy import RoleName
from cloud.insights.completeness import DayReadings, MeterCompleteness
from cloud.kit.db import Database
from cloud.web.site_plan import ReadingState, floor_of, state_of
from common.civil import Period, days_of
from common.ids import MeterId, TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.fleet.test_rollout import SITE
from tests.cloud.web.browsing import send
from tests.cloud.web.front import words_of
from tests.cloud.web.garden import place_meter
from tests.cloud.web.test_manager_browser import sign_in
from tests.support import api
from tests.support.browser import chromium, keep_picture, serving, watched

WEEK = tuple(days_of(Period(b.START, b.START.replace(day=b.START.day + 7))))


async def wired(garden: Office, *meters: MeterId) -> None:
    """Plan a gateway whose configuration reads the meters over one wire."""
    devices = [
        {"serial": str(number), "meter_id": str(meter), "wire": SITE["wires"][0]["wire"], "address": str(number)}
        for number, meter in enumerate(meters)
    ]
    async with garden.site.database.unit(garden.site.tenant, garden.site.actor) as unit:
        gateway_id, _ = await fleet.create_gateway(unit, label="1号楼弱电间")
        await rollout.publish_site(unit, gateway_id, SITE | {"devices": devices}, base=0)


async def read_by_hand(garden: Office, technician: httpx.AsyncClient, meter: MeterId) -> None:
    where = f"/meters/{garden.site.community_id}/{meter}"
    day = garden.clock.now().date().isoformat()
    done = await send(technician, where, f"{where}/reading", {"day": day, "value": "123.4", "reason": "现场"})
    assert done.status_code == 303


async def test_a_building_is_shown_floor_by_floor_with_state_wire_and_link(
    garden: Office, technician: httpx.AsyncClient
) -> None:
    read, unread, outside = [
        await place_meter(garden, garden.site.flats[number], serial)
        for number, serial in ((0, "2001"), (2, "2002"), (11, "2003"))
    ]
    await wired(garden, read, unread)
    garden.clock.advance(days=20)
    await read_by_hand(garden, technician, read)

    page = await technician.get("/site-plan?community=GARDEN")

    words = words_of(page)
    assert "1 层" in words
    assert "✓ 1-1-101 · 2001" in words
    assert "123.4" in words
    assert "× 1-1-103 · 2002" in words
    assert "2003" not in words, "what stands outside of all buildings has a button of its own"
    for meter in (read, unread):
        assert f"/meters/{garden.site.community_id}/{meter}" in page.text
    assert "1号楼弱电间" in words
    assert str(SITE["wires"][0]["address"]) in words
    assert "2003" in words_of(await technician.get("/site-plan?community=GARDEN&building=outside"))
    assert str(outside) in (await technician.get("/site-plan?community=GARDEN&building=outside")).text
    assert "/site-plan?community=GARDEN" in (await technician.get("/meters")).text


@pytest.mark.usefixtures("garden")
async def test_a_place_without_meters_says_so_and_a_strange_building_is_not_found(
    technician: httpx.AsyncClient,
) -> None:
    assert "还没有表具" in (await technician.get("/site-plan")).text
    assert (await technician.get(f"/site-plan?building={UUID(int=5)}")).status_code == 404
    assert (await technician.get("/site-plan?community=NOWHERE")).status_code == 404


@pytest.mark.parametrize(
    ("label", "floor"),
    [("1-2-301", 3), ("301", 3), ("2-1-1203", 12), ("A座-0504", 5), ("P-001", None), ("B1-07", None), ("", None)],
)
def test_a_floor_is_read_from_the_label(label: str, floor: int | None) -> None:
    assert floor_of(label) == floor


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        ((0, 0, 0, 0, 0, 0, 1), ReadingState.CURRENT),
        ((0, 0, 0, 0, 0, 4, 0), ReadingState.CURRENT),
        ((1, 0, 0, 0, 0, 0, 0), ReadingState.OLD),
        ((0, 0, 0, 0, 0, 0, 0), ReadingState.NEVER),
    ],
)
def test_a_state_is_how_long_ago_a_meter_was_read(counts: tuple[int, ...], state: ReadingState) -> None:
    days = tuple(DayReadings(day=day, count=n, by_hand=False) for day, n in zip(WEEK, counts, strict=True))

    assert state_of(MeterCompleteness(meter_id=UUID(int=1), days=days, last_at=None, last_milli=None)) is state


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("width", [390, 1280])
async def test_the_plan_fits_its_window_and_leads_to_a_meter_by_keyboard(
    garden_app: FastAPI, garden: Office, database: Database, tenant: TenantId, tmp_path: Path, *, width: int
) -> None:
    meters = [await place_meter(garden, flat, f"33{number:06d}") for number, flat in enumerate(garden.site.flats)]
    await wired(garden, *meters)
    code = await api.add_person(database, tenant, "manager", RoleName.MANAGER)
    async with chromium() as browser, serving(garden_app) as address, watched(browser, width=width) as page:
        await sign_in(page, address, code)
        await page.goto(f"{address}/site-plan?community=GARDEN")
        await keep_picture(page, tmp_path, f"site-plan-{width}")
        await page.get_by_role("link", name="2号楼").click()
        await keep_picture(page, tmp_path, f"site-plan-second-{width}")
        await page.locator(".gh-plan a").first.focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/meters/{garden.site.community_id}/*")
