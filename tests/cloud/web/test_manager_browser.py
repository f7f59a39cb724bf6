"""The manager's pages in a real browser, on a phone and on a desk's screen.

Each page is opened at both widths, kept as a picture in the test's folder, and must fit its window; leaving the
browser fails the test when a request left the machine or the console or the content policy complained.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.async_api import Page, expect
from prometheus_client import CollectorRegistry

from cloud.billing import tasks
from cloud.billing.events import RunRequested
from cloud.cases.case import CaseKind
from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from cloud.kit.events import Routes
from cloud.kit.runner import JobMetrics, Runner
from common.ids import TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.web.garden import add_lot, add_prices, bill_months, place_meter, plan_gateway, report_case
from tests.support import api
from tests.support.browser import chromium, keep_picture, serving, watched

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
WIDTHS = (390, 1280)


async def sign_in(page: Page, address: str, code: str) -> None:
    await page.goto(f"{address}/sign-in")
    await page.fill("input[name=code]", code)
    await page.press("input[name=code]", "Enter")
    await page.wait_for_url("**/dashboard")


@pytest.mark.parametrize("width", WIDTHS)
async def test_every_page_of_the_manager_fits_and_is_silent(
    garden_app: FastAPI, garden: Office, database: Database, tenant: TenantId, tmp_path: Path, *, width: int
) -> None:
    await bill_months(garden, 3, paid=9)
    await garden.period(3)
    garden.book.unknown.add((garden.site.flats[4][0], b.ELECTRICITY, b.MONTHS[3].start))
    for flat in garden.site.flats:
        garden.set(flat, b.SERVICE, 3, 20_000)
    case = await report_case(garden, garden.site.flats[4], "no_reading")
    await report_case(garden, garden.site.flats[2], "leak", CaseKind.ANOMALY)
    meter = await place_meter(garden, garden.site.flats[0], "2001")
    gateway = await plan_gateway(garden)
    await add_lot(garden, gateway)
    await add_prices(garden)
    run = f"/runs/{garden.site.community_id}/{b.MONTHS[3].start}"
    pages = {
        "runs": "/runs",
        "run": run,
        "cases": "/cases",
        "case": f"/cases/{case}",
        "corrections": "/corrections?room=1-1",
        "reading": f"/corrections/reading?community=GARDEN&meter_id={meter}&day=2026-02-01",
        "estimates": "/estimates",
        "estimate": f"/estimates/{garden.site.community_id}/{meter}?day=2026-02-01",
        "public-use": "/public-use?day=2026-02-01",
        "tariffs": "/tariffs",
        "tariff": "/tariffs/history?community=GARDEN&code=area-fee",
        "fleet": "/fleet",
        "gateway": f"/fleet/{gateway}",
        "audit": "/audit",
    }
    code = await api.add_person(database, tenant, "manager", RoleName.MANAGER)
    async with chromium() as browser, serving(garden_app) as address, watched(browser, width=width) as page:
        await page.goto(f"{address}/sign-in")
        await keep_picture(page, tmp_path, f"sign-in-{width}")
        await sign_in(page, address, code)
        await expect(page.locator("figure.chart svg")).to_have_count(3)
        await keep_picture(page, tmp_path, f"dashboard-{width}")
        for name, path in pages.items():
            await page.goto(f"{address}{path}")
            await keep_picture(page, tmp_path, f"{name}-{width}")


async def test_a_correction_is_previewed_and_approved_by_keyboard_alone(
    garden_app: FastAPI, garden: Office, database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    flat = garden.site.flats[0]
    await bill_months(garden, 1, paid=1)
    meter = await place_meter(garden, flat, "2001")
    code = await api.add_person(database, tenant, "manager", RoleName.MANAGER)
    garden.set(flat, b.ELECTRICITY, 0, 1_000)
    async with chromium() as browser, serving(garden_app) as address, watched(browser, width=1280) as page:
        await sign_in(page, address, code)
        await page.goto(f"{address}/corrections/reading?community=GARDEN&meter_id={meter}&day=2026-02-01")
        await page.locator("#value").focus()
        await page.keyboard.type("123.4")
        await page.keyboard.press("Tab")
        await page.keyboard.type("抄表员看错一位")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="更正预览")).to_be_visible()
        await keep_picture(page, tmp_path, "correction-preview")
        await page.get_by_role("button", name="批准并出具").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("更正已出具调整单")
        await keep_picture(page, tmp_path, "correction-done")


@pytest.fixture
def routes() -> Routes:
    return {RunRequested: (tasks.bill_run_job,)}


async def test_a_run_shows_its_progress_until_the_worker_has_put_it_down(
    garden_app: FastAPI, garden: Office, database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    scope = await garden.period(0)
    for flat in garden.site.flats:
        garden.set(flat, b.SERVICE, 0, 20_000)
    worker = Runner(
        database=garden.site.worker_database,
        handlers={tasks.BILL_RUN: tasks.bill_run_handler(garden.book)},
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
    )
    code = await api.add_person(database, tenant, "manager", RoleName.MANAGER)
    async with chromium() as browser, serving(garden_app) as address, watched(browser, width=390) as page:
        await sign_in(page, address, code)
        await page.goto(f"{address}/runs/{garden.site.community_id}/{scope.period_start}")
        await page.get_by_role("button", name="批准并出账").click()
        await expect(page.get_by_role("status")).to_contain_text("出账已批准")
        await expect(page.locator("#progress")).to_contain_text("正在出账")
        await keep_picture(page, tmp_path, "run-approved")
        await worker.drain()
        await expect(page.locator("#progress")).to_contain_text("本期已全部处理")
        await keep_picture(page, tmp_path, "run-done")
