"""The counter with mixed means: in the pages, and in a real browser by keyboard and scanner alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from cloud.identity.policy import RoleName
from tests.cloud.billing.conftest import Office
from tests.cloud.payments.halls import Hall, open_hall
from tests.cloud.payments.test_collection import add_terminal
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, open_front, words_of
from tests.cloud.web.test_desk import add_box
from tests.cloud.web.test_money_browser import SCREEN, Visit
from tests.support.browser import chromium, serving, watched

_MIXED = re.compile(r'href="(/desk/collections/[^"]+)"')
_ID = re.compile(r'name="payment_id" value="([^"]+)"')
SLIP = {
    "terminal": "10203040",
    "batch": "1",
    "voucher": "12",
    "reference": "260101123456",
    "card_tail": "0001",
}


@pytest_asyncio.fixture
async def hall(office: Office, tmp_path: Path) -> AsyncIterator[Hall]:
    async with open_hall(office, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture
async def front(hall: Hall, tmp_path: Path) -> Front:
    opened = open_front(hall.counter, tmp_path)
    await opened.bill_some_of_everything()
    await add_terminal(hall.counter)
    await add_box(opened)
    return opened


async def collecting(browser: httpx.AsyncClient) -> str:
    """Open a shift, find the first flat, and return the address of its collection."""
    page = await browser.get("/desk")
    box = re.search(r'value="([0-9a-f-]{36})"', page.text)
    assert box
    await send(browser, "/desk", "/desk/shifts", {"cash_box_id": box[1], "counted": "0"})
    room = await browser.get("/desk?q=1-1-001", follow_redirects=True)
    found = _MIXED.search(room.text)
    assert found
    return found[1].replace("&amp;", "&")


async def take(browser: httpx.AsyncClient, path: str, means: str, **fields: str) -> httpx.Response:
    page = await browser.get(path)
    ids = _ID.findall(page.text)
    base, _, query = path.partition("?")
    return await send(browser, path, f"{base}/{means}?{query}", {"payment_id": ids[0], **fields})


async def test_any_mix_of_means_adds_up_and_prints_one_receipt(front: Front) -> None:
    async with front.person(RoleName.CASHIER) as browser:
        path = await collecting(browser)
        await take(browser, path, "card", amount_yuan="100", **SLIP)
        await take(browser, path, "cash", amount_yuan="132", tendered="150")
        await take(browser, path, "code", amount_yuan="100", auth_code="134650000000000001")
        words = words_of(await browser.get(path))
        assert "还差 Left ¥0.00" in words
        base, _, query = path.partition("?")
        receipt = words_of(await browser.get(f"{base}/receipt?{query}&paper=a4"))
    assert "合计 Total ¥332.00" in receipt
    assert "找零 change 18.00" in receipt
    assert "10203040-000001-000012" in receipt
    assert await front.counter.open_fen() == 0


async def test_a_code_that_is_nobodys_takes_nothing(front: Front) -> None:
    async with front.person(RoleName.CASHIER) as browser:
        path = await collecting(browser)
        answer = await take(browser, path, "code", amount_yuan="100", auth_code="123")
        assert 400 <= answer.status_code < 500
        assert "已收 Taken ¥0.00" in words_of(await browser.get(path))


async def test_a_resident_sees_no_counter(front: Front) -> None:
    async with front.person(RoleName.CASHIER) as browser:
        path = await collecting(browser)
    async with front.resident() as browser:
        assert (await browser.get(path)).status_code in {403, 404}


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_cashier_takes_three_means_with_keyboard_and_scanner(front: Front, hall: Hall, tmp_path: Path) -> None:
    await hall.wechat.control("mischief", kind="code_waits")
    code = await front.code(RoleName.CASHIER)
    async with serving(front.app) as address, chromium() as browser, watched(browser, width=SCREEN) as page:
        visit = Visit(page, address, tmp_path)
        await visit.sign_in(code)
        await visit.go("/desk")
        await page.keyboard.type("0")
        await page.keyboard.press("Enter")
        await page.fill("#q", "1-1-001")
        await page.press("#q", "Enter")
        await page.click("text=刷卡、扫码或组合收款")
        await expect(page.locator("#code")).to_be_focused()
        await page.fill("#card-amount", "100")
        for name, value in SLIP.items():
            await page.fill(f"#card-{name}", value)
        await page.press("#card-card_tail", "Enter")
        await expect(page.locator("#rest")).to_contain_text("232.00")
        await page.fill("#cash-amount", "132")
        await page.fill("#cash-tendered", "150")
        await page.press("#cash-tendered", "Enter")
        await expect(page.locator("#rest")).to_contain_text("100.00")
        await visit.keep("half")
        await page.keyboard.type("134650000000000001")
        await page.keyboard.press("Enter")
        await expect(page.locator("#collection")).to_contain_text("等待付款人确认")
        await visit.keep("waiting")
        number = await page.locator("#collection code").inner_text()
        await hall.wechat.control("pay", number=number)
        front.counter.office.clock.advance(seconds=6)
        await front.counter.work()
        await page.reload()
        await expect(page.locator("#rest")).to_contain_text("0.00")
        await page.click("text=小票")
        await expect(page.locator(".receipt")).to_contain_text("332.00")
        await page.emulate_media(media="print")
        await visit.keep("thermal")
