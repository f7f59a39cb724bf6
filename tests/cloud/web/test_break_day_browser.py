"""One day of reconciliation with three breaks, resolved in a real browser until the day says 100.00 %."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from cloud.identity.policy import RoleName
from tests.cloud.reconciliation.test_service import day_of_payments, fetch, morning_after, today
from tests.cloud.web.front import Front
from tests.cloud.web.test_money import path_of
from tests.cloud.web.test_money_browser import SCREEN, Visit
from tests.support.browser import chromium, serving, watched


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_day_with_three_breaks_is_resolved_to_the_last_fen(front: Front, tmp_path: Path) -> None:
    counter = front.counter
    await day_of_payments(counter, 10_000, 20_000, 30_000)
    await counter.channel.control("mischief", kind="bill_wrong_amount", value=1)
    await counter.channel.control("mischief", kind="bill_drops_row", value=1)
    await counter.channel.control("mischief", kind="bill_doubles_row", value=1)
    day = today(counter)
    report = await morning_after(counter, day)
    assert len({broken.kind for broken in report.breaks}) == 3
    code = await front.code(RoleName.CASHIER)
    async with serving(front.app) as address, chromium() as browser, watched(browser, width=SCREEN) as page:
        visit = Visit(page, address, tmp_path)
        await visit.sign_in(code)
        await visit.go(path_of(front, day))
        await visit.keep("three")
        await fetch(counter, day, "again")
        await counter.work()
        await page.reload()
        await visit.keep("after-the-new-file")
        while await page.locator("input[name=reason]").count():
            await page.locator("input[name=reason]").first.fill("渠道已书面确认为显示错误")
            await page.locator("input[name=reason]").first.press("Enter")
            await counter.work()
            await page.reload()
        await expect(page.locator(".card").first).to_contain_text("100.00%")
        await visit.keep("explained")
