"""Reports, accounts for messages and letters of arrears in a real browser, on a phone and on a desk's screen.

An account is opened by keyboard alone; each page must fit its window, and nothing may leave the machine.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.async_api import Page, expect

from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.billing.conftest import Office
from tests.cloud.web.garden import bill_months
from tests.cloud.web.test_arrears import bill_late
from tests.cloud.web.test_manager_browser import sign_in
from tests.support import api
from tests.support.browser import chromium, keep_picture, serving, watched

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


async def open_account_by_keyboard(page: Page, address: str) -> None:
    await page.goto(f"{address}/messages")
    await page.focus("#login-sms")
    for words in ("testId", "testSecret", "东方物业", "overdue zh SMS_71390007"):
        await page.keyboard.type(words)
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/messages?done=message-account")
    await expect(page.locator("tr[data-open=true]")).to_contain_text("testId")


@pytest.mark.parametrize("width", [390, 1280])
async def test_reports_accounts_and_letters_fit_and_are_silent(
    garden_app: FastAPI, garden: Office, database: Database, tenant: TenantId, tmp_path: Path, *, width: int
) -> None:
    await bill_months(garden, 1, paid=5)
    await bill_late(garden)
    account = await garden.account(garden.site.flats[0])
    code = await api.add_person(database, tenant, "manager", RoleName.MANAGER)
    day = "2026-02-15"
    async with chromium() as browser, serving(garden_app) as address, watched(browser, width=width) as page:
        await sign_in(page, address, code)
        await open_account_by_keyboard(page, address)
        await keep_picture(page, tmp_path, f"messages-{width}")
        await page.goto(f"{address}/reports?span=year&on={day}")
        await expect(page.locator("figure[data-chart] svg").first).to_be_visible()
        await keep_picture(page, tmp_path, f"reports-{width}")
        await page.goto(f"{address}/arrears/{garden.site.community_id}/accounts/{account}")
        await page.get_by_role("button", name="出具催缴函").click()
        await page.wait_for_url("**/papers/**")
        await keep_picture(page, tmp_path, f"letter-{width}")
        await page.goto(f"{address}/notices")
        await keep_picture(page, tmp_path, f"notices-{width}")
