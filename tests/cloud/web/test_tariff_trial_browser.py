"""Trying prices in a real browser, on a phone and on a desk's screen, by keyboard; pictures in the test's folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.async_api import Page, expect

from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from cloud.tariffs.library import library_text
from common.ids import TenantId
from tests.cloud.billing.conftest import Office
from tests.cloud.web.garden import add_prices
from tests.support import api
from tests.support.browser import chromium, keep_picture, serving, watched

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
REQUESTS = "requests:\n" + "".join(
    f'  - {{name: "1-{n}", period: ["2026-06-01", "2026-07-01"], quantity: "{n * 17}"}}\n' for n in range(1, 31)
)
BROKEN = """format: gatehouse-tariff/1
code: test/broken
name: broken
unit: kwh
tiers: {bounds: ["20", "10"]}
charges: [{key: energy, prices: ["1", "2", 0.5]}]
"""


async def press(page: Page, button: str) -> None:
    """Reach a button by the keyboard and press it."""
    await page.locator(f"button[value={button}]").focus()
    await page.keyboard.press("Enter")


async def fill(page: Page, name: str, text: str) -> None:
    """Type over what stands in a text."""
    await page.locator(f"textarea[name={name}]").focus()
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text(text)


@pytest.mark.parametrize("width", [390, 1280])
async def test_a_tariff_is_checked_priced_and_compared_by_keyboard(
    garden_app: FastAPI, garden: Office, database: Database, tenant: TenantId, tmp_path: Path, *, width: int
) -> None:
    await add_prices(garden)
    code = await api.add_person(database, tenant, "manager", RoleName.MANAGER)
    async with chromium() as browser, serving(garden_app) as address, watched(browser, width=width) as page:
        await page.goto(f"{address}/sign-in")
        await page.fill("input[name=code]", code)
        await page.press("input[name=code]", "Enter")
        await page.wait_for_url("**/dashboard")
        if width == 390:
            await page.locator("summary[aria-label='菜单 Menu']").focus()
            await page.keyboard.press("Enter")
        await page.locator("a[href='/price-trial']:visible").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/price-trial")
        await keep_picture(page, tmp_path, f"trial-empty-{width}")

        await fill(page, "tariff", BROKEN)
        await press(page, "check")
        await expect(page.locator("#tariff-faults tbody tr")).to_have_count(3)
        await keep_picture(page, tmp_path, f"trial-faults-{width}")

        await page.locator("#source").focus()
        await page.select_option("#source", "library:electricity/beijing-annual")
        await press(page, "take_old")
        await expect(page.locator("textarea[name=tariff]")).to_have_value(BROKEN)
        await page.select_option("#source", "library:electricity/jinan-tou")
        await press(page, "take")
        await expect(page.locator("textarea[name=tariff]")).to_have_value(library_text("electricity/jinan-tou"))
        await press(page, "price")
        await expect(page.locator("#told")).to_contain_text("合计")
        await expect(page.locator("#told")).to_contain_text("Total")
        await keep_picture(page, tmp_path, f"trial-price-{width}")

        await fill(page, "requests", REQUESTS)
        await press(page, "compare")
        await expect(page.locator("figure.chart svg")).to_have_count(1)
        await expect(page.locator("#changes tbody tr")).to_have_count(30)
        await keep_picture(page, tmp_path, f"trial-compare-{width}")
        async with page.expect_download() as download:
            await page.locator("button[formaction='/price-trial/changes.csv']").focus()
            await page.keyboard.press("Enter")
        path = await (await download.value).path()
        assert len(path.read_text(encoding="utf-8-sig").splitlines()) == 31
