"""A change of past prices on its page: chosen, previewed with its largest documents, approved as seen, watched."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from playwright.async_api import expect
from prometheus_client import CollectorRegistry

from cloud.billing import tasks
from cloud.billing.events import PricesCorrected
from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from cloud.kit.events import Routes
from cloud.kit.runner import Handler, JobMetrics, Runner
from cloud.rating.service import rate_period
from common.ids import TenantId
from tests.cloud.billing.village import CHEAPER, HOUSEHOLDS, MONTHS, STARTS, Village, build_village
from tests.cloud.web.browsing import csrf_of, reading, sign_in
from tests.support import api
from tests.support.browser import chromium, keep_picture, serving, watched
from tests.support.clock import SettableClock
from tests.support.jobs import break_down, use_attempts_up
from tests.support.postgres import TestServer

_AGAIN = re.compile(r'action="(/stopped-jobs/[0-9a-f-]{36}/again)"')
_SHA = re.compile(r'name="preview_sha" value="([0-9a-f]{64})"')


@pytest.fixture
def routes() -> Routes:
    return {PricesCorrected: (tasks.price_correction_job,)}


@pytest_asyncio.fixture
async def village(
    server: TestServer,
    database_name: str,
    database: Database,
    worker_database: Database,
    tenant: TenantId,
    clock: SettableClock,
) -> Village:
    """Return a community with three months of bills, whose price of service has just become cheaper since before."""
    found = await build_village(server, database_name, database, worker_database, tenant, clock)
    await found.reprice(CHEAPER, STARTS)
    return found


@pytest_asyncio.fixture
async def app(village: Village, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with api.running_api(village.database, tmp_path) as built:
        yield built


@pytest_asyncio.fixture
async def manager(app: FastAPI, village: Village) -> AsyncIterator[httpx.AsyncClient]:
    async with reading(app) as opened:
        await sign_in(opened, await api.add_person(village.database, village.tenant, "manager", RoleName.MANAGER))
        yield opened


async def opened(manager: httpx.AsyncClient, village: Village) -> str:
    """Open a change of the price of service, and return the path of its page."""
    page = await manager.get("/price-changes")
    form = {
        "items": str(village.items["service"]),
        "first_day": MONTHS[0].isoformat(),
        "reason": "业主大会决议",
        "csrf": csrf_of(page),
    }
    made = await manager.post(f"/price-changes/{village.community_id}", data=form)
    assert made.status_code == 303, made.text
    return made.headers["location"].partition("?")[0]


def worker_of(village: Village, handler: Handler | None = None) -> Runner:
    return Runner(
        database=village.worker,
        handlers={tasks.PRICE_CORRECTION: handler or tasks.price_correction_handler(rate_period)},
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
    )


async def test_a_change_is_previewed_by_period_with_the_largest_and_booked_once_approved(
    manager: httpx.AsyncClient, village: Village
) -> None:
    before = await village.count("bill")
    where = await opened(manager, village)
    page = await manager.get(where)
    assert await village.count("bill") == before
    found = await village.previewed(await village.opened(village.scope("service")))
    assert (found.documents, found.credits_, len(found.largest)) == (HOUSEHOLDS, HOUSEHOLDS, HOUSEHOLDS)
    sums = [one.fen for one in found.largest]
    assert sums == sorted(sums)
    assert sum(sums) == found.net_fen
    shown = f"{-found.net_fen // 100:,}.{-found.net_fen % 100:02d}"
    assert f"-{shown}" in page.text
    assert "0000001" in page.text  # a household of the largest
    sha = _SHA.search(page.text)
    assert sha
    assert sha[1] == found.sha.hex()
    done = await manager.post(f"{where}/approve", data={"preview_sha": sha[1], "csrf": csrf_of(page)})
    assert done.headers["location"] == f"{where}?done=price-change-approved"
    assert "正在记账" in (await manager.get(f"{where}/progress")).text
    await worker_of(village).drain()
    progress = await manager.get(f"{where}/progress")
    assert (progress.status_code, f"{HOUSEHOLDS} / {HOUSEHOLDS}" in progress.text) == (286, True)
    assert await village.count("bill") == before + HOUSEHOLDS
    assert "业主大会决议" in (await manager.get("/price-changes")).text


async def test_a_change_whose_booking_has_stopped_says_why_and_goes_on_once_it_is_sent_to_work_again(
    manager: httpx.AsyncClient, village: Village
) -> None:
    where = await opened(manager, village)
    page = await manager.get(where)
    sha = _SHA.search(page.text)
    assert sha
    await manager.post(f"{where}/approve", data={"preview_sha": sha[1], "csrf": csrf_of(page)})
    await use_attempts_up(village.database, village.tenant, worker_of(village, break_down))
    progress = await manager.get(f"{where}/progress")
    assert (progress.status_code, "已停下" in progress.text, "正在记账" in progress.text) == (286, True, False)
    assert "InvariantError: no room for billing.price_correction" in (await manager.get(where)).text
    stopped = await manager.get("/stopped-jobs")
    assert "追溯调价记账" in stopped.text
    again = _AGAIN.search(stopped.text)
    assert again
    await manager.post(again[1], data={"csrf": csrf_of(stopped)})
    assert "正在记账" in (await manager.get(f"{where}/progress")).text
    await worker_of(village).drain()
    assert f"{HOUSEHOLDS} / {HOUSEHOLDS}" in (await manager.get(f"{where}/progress")).text


async def test_a_change_not_wanted_is_dropped_and_one_that_was_not_seen_is_refused(
    manager: httpx.AsyncClient, village: Village
) -> None:
    where = await opened(manager, village)
    token = csrf_of(await manager.get(where))
    unseen = await manager.post(f"{where}/approve", data={"preview_sha": "0" * 64, "csrf": token})
    assert unseen.status_code == 409
    dropped = await manager.post(f"{where}/drop", data={"csrf": token})
    assert dropped.headers["location"] == f"{where}?done=price-change-dropped"
    assert "已放弃" in (await manager.get(where)).text
    nothing = await manager.post(
        f"/price-changes/{village.community_id}",
        data={"first_day": MONTHS[0].isoformat(), "reason": "r", "csrf": token},
    )
    assert (nothing.status_code, "choose at least one" in nothing.text) == (422, True)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("width", [390, 1280])
async def test_a_change_is_made_in_a_browser_by_keyboard_and_its_progress_is_live(
    app: FastAPI, village: Village, tmp_path: Path, width: int
) -> None:
    code = await api.add_person(village.database, village.tenant, "manager", RoleName.MANAGER)
    async with chromium() as browser, serving(app) as address, watched(browser, width=width) as page:
        await page.goto(f"{address}/sign-in")
        await page.fill("input[name=code]", code)
        await page.press("input[name=code]", "Enter")
        await page.wait_for_url("**/dashboard")
        await page.goto(f"{address}/price-changes")
        await page.locator(f'input[value="{village.items["service"]}"]').focus()
        await page.keyboard.press("Space")
        await page.fill("#reason", "业主大会决议")
        await keep_picture(page, tmp_path, f"price-changes-{width}")
        await page.press("#reason", "Enter")
        await expect(page.get_by_role("status")).to_contain_text("请核对预览")
        await keep_picture(page, tmp_path, f"price-change-preview-{width}")
        await page.get_by_role("button", name="批准并记账").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#progress")).to_contain_text("正在记账")
        await worker_of(village).drain()
        await expect(page.locator("#progress")).to_contain_text("已全部记账")
        await keep_picture(page, tmp_path, f"price-change-done-{width}")
