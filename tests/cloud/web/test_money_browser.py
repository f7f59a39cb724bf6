"""The pages of bills, payment, desk and reconciliation in a real browser, on a phone and on a desk's screen.

Each test goes a person's whole way, keeps a picture of each page in its folder, and fails when a request left the
machine, the console complained, the content policy refused something, or a page is wider than its window.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from cloud.billing import service as billing
from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from tests.cloud.billing import builders as b
from tests.cloud.billing.lakeside import Lakeside, bill_january
from tests.cloud.web.front import Front
from tests.cloud.web.test_desk import FRONT_BOX, add_box
from tests.cloud.web.test_money import path_of, reconciled
from tests.support import api
from tests.support.browser import chromium, keep_picture, serving, watched
from tests.support.clock import SettableClock

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
PHONE, SCREEN = 390, 1280


class Visit:
    """A page at an address, with its pictures."""

    def __init__(self, page: Page, address: str, folder: Path) -> None:
        self.page = page
        self._address = address
        self._folder = folder

    async def go(self, path: str) -> None:
        await self.page.goto(f"{self._address}{path}")

    async def sign_in(self, code: str) -> None:
        await self.go("/sign-in")
        await self.page.fill("input[name=code]", code)
        await self.page.press("input[name=code]", "Enter")
        await self.page.wait_for_url(lambda url: "/sign-in" not in url)

    async def keep(self, name: str) -> None:
        """Keep a picture of the whole page, its charts drawn, and check that it fits."""
        await expect(self.page.locator("[data-chart]:not([data-drawn=yes])")).to_have_count(0)
        await keep_picture(self.page, self._folder, name)


@pytest.mark.parametrize("width", [PHONE, SCREEN])
async def test_a_resident_reads_his_bill_and_where_it_comes_from(front: Front, tmp_path: Path, width: int) -> None:
    await front.bill_some_of_everything()
    await front.counter.settle(await front.counter.start(amount_fen=10_000))
    water = b.Item(code="水费", number=3, entity=front.counter.entity)
    front.counter.office.set(front.flats[0], water, 0, 4_000)
    (adjustment,) = await front.counter.office.correct([front.flats[0]], 0)
    bill = next(bill for bill in await front.bills() if bill.bill_id != adjustment.bill_id)
    (payment,) = await front.counter.payments()
    code = await front.code(RoleName.RESIDENT, 0)
    async with serving(front.app) as address, chromium() as browser, watched(browser, width=width) as page:
        visit = Visit(page, address, tmp_path)
        await visit.sign_in(code)
        await visit.go("/my")
        await visit.keep("my")
        await page.click(f"a[href='/bills/{bill.bill_id}']")
        await page.click("text=印上缴费二维码")
        await expect(page.locator(".qr svg")).to_be_visible()
        await expect(page.locator("figure[data-drawn=yes] svg")).to_be_visible()
        await visit.keep("bill")
        await page.emulate_media(media="print")
        await visit.keep("bill-printed")
        await page.emulate_media(media="screen")
        await page.click("#line-1 >> text=这笔费用从哪来")
        await visit.keep("origin")
        await visit.go(f"/bills/{adjustment.bill_id}")
        await visit.keep("adjustment")
        await visit.go(f"/accounts/{await front.account()}")
        await visit.keep("statement")
        await visit.go(f"/receipts/{payment.payment_id}")
        await visit.keep("receipt")


@pytest.mark.parametrize("width", [PHONE, SCREEN])
async def test_a_stranger_pays_at_the_bills_address_and_sees_it_paid(front: Front, tmp_path: Path, width: int) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    code = await front.code(RoleName.RESIDENT, 0)
    async with serving(front.app) as address, chromium() as browser, watched(browser, width=width) as page:
        visit = Visit(page, address, tmp_path)
        await visit.sign_in(code)
        await visit.go(f"/bills/{bill.bill_id}")
        await page.click("text=去缴费")
        await visit.keep("pay")
        await page.click("text=微信支付")
        state = page.locator("#pay-state")
        await expect(state).to_have_attribute("data-state", "sent")
        await expect(state.locator(".qr svg")).to_be_visible()
        await visit.keep("waiting")
        number = await state.locator("code").inner_text()
        await front.counter.channel.control("pay", number=number)
        await front.notified()
        await expect(state).to_have_attribute("data-state", "paid", timeout=15_000)
        await visit.keep("paid")
        await page.click("text=返回账单")
        await visit.keep("settled")


@pytest.mark.parametrize("width", [PHONE, SCREEN])
async def test_a_payment_whose_end_is_unknown_says_so(front: Front, tmp_path: Path, width: int) -> None:
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    code = await front.code(RoleName.RESIDENT, 0)
    async with serving(front.app) as address, chromium() as browser, watched(browser, width=width) as page:
        visit = Visit(page, address, tmp_path)
        await visit.sign_in(code)
        await visit.go(f"/bills/{bill.bill_id}")
        await page.click("text=去缴费")
        await front.counter.channel.control("mischief", kind="commit_then_error")
        await page.click("text=微信支付")
        await expect(page.locator("#pay-state")).to_have_attribute("data-state", "unknown")
        await visit.keep("unknown")


@pytest.mark.parametrize("width", [PHONE, SCREEN])
async def test_a_cashier_opens_takes_and_closes_with_the_keyboard(front: Front, tmp_path: Path, width: int) -> None:
    await front.bill_some_of_everything()
    await add_box(front)
    code = await front.code(RoleName.CASHIER)
    async with serving(front.app) as address, chromium() as browser, watched(browser, width=width) as page:
        visit = Visit(page, address, tmp_path)
        await visit.sign_in(code)
        await opens(visit)
        await takes(visit)
        await closes(visit)


async def opens(visit: Visit) -> None:
    """Open the shift with a count that differs from what was left, and give the reason."""
    page = visit.page
    await visit.go("/desk")
    await visit.keep("open")
    await page.keyboard.type("200")
    await page.keyboard.press("Enter")
    await expect(page.locator(".alert-warning")).to_contain_text("上次留存")
    await visit.keep("open-differs")
    await page.fill("#reason", "备用金")
    await page.press("#reason", "Enter")
    await expect(page.locator("h1")).to_contain_text("收款台")
    await expect(page.locator("main header")).to_contain_text(FRONT_BOX)


async def takes(visit: Visit) -> None:
    """Find a room by typing, take cash for all that is open there, and print."""
    page = visit.page
    await page.keyboard.type("1-1")
    await page.keyboard.press("Enter")
    await visit.keep("several")
    await page.fill("#q", "1-1-001")
    await page.press("#q", "Enter")
    await expect(page.locator("#tendered-1")).to_be_focused()
    await page.keyboard.type("400")
    await expect(page.locator("#change-1")).to_contain_text("68.00")
    await visit.keep("room")
    await page.keyboard.press("Enter")
    await expect(page.locator(".receipt")).to_contain_text("68.00")
    await visit.keep("receipt")
    await page.emulate_media(media="print")
    await visit.keep("receipt-printed")
    await page.emulate_media(media="screen")
    await page.click("text=下一位")
    await visit.keep("desk")


async def closes(visit: Visit) -> None:
    """Close with a count that is one yuan short, and give the reason."""
    page = visit.page
    await page.click("text=交班清点")
    await expect(page.locator("#counted")).to_be_focused()
    await page.keyboard.type("531")
    await page.keyboard.press("Enter")
    await expect(page.locator(".alert-warning")).to_contain_text("-¥1.00")
    await visit.keep("close-differs")
    await page.fill("#reason", "少找一元")
    await page.press("#reason", "Enter")
    await expect(page.locator("h1")).to_contain_text("交班单")
    await visit.keep("shift")


@pytest.mark.parametrize("width", [PHONE, SCREEN])
async def test_a_break_is_read_and_closed_by_name(front: Front, tmp_path: Path, width: int) -> None:
    day = await reconciled(front, "bill_wrong_amount")
    code = await front.code(RoleName.CASHIER)
    async with serving(front.app) as address, chromium() as browser, watched(browser, width=width) as page:
        visit = Visit(page, address, tmp_path)
        await visit.sign_in(code)
        await visit.go("/reconciliation")
        await visit.keep("days")
        await page.click(f"a[href='{path_of(front, day)}']")
        await visit.keep("day")
        await page.fill("input[name=reason]", "渠道已书面确认为显示错误")
        await page.press("input[name=reason]", "Enter")
        await front.counter.work()
        await page.reload()
        await expect(page.locator(".card").first).to_contain_text("100.00%")
        await visit.keep("explained")
        await visit.go("/reconciliation?last=2025-06-30")
        await visit.keep("empty")


@pytest.mark.parametrize("width", [PHONE, SCREEN])
async def test_a_figure_is_followed_from_the_bill_to_the_bytes_of_the_meter(
    lakeside: Lakeside, worker_database: Database, clock: SettableClock, tmp_path: Path, width: int
) -> None:
    number = await bill_january(lakeside, worker_database, clock)
    async with lakeside.database.view(lakeside.tenant) as session:
        party = (await billing.bill_numbered(session, number)).account.party_id
    code = await api.add_person(lakeside.database, lakeside.tenant, "jia", RoleName.RESIDENT, party=party)
    async with (
        api.running_api(lakeside.database, tmp_path) as app,
        serving(app) as address,
        chromium() as browser,
        watched(browser, width=width) as page,
    ):
        visit = Visit(page, address, tmp_path)
        await visit.sign_in(code)
        await page.click(f"tr:has-text('{number}') a")
        await visit.keep("metered-bill")
        await page.click("text=这笔费用从哪来")
        for summary in await page.locator("summary:not(header summary)").all():
            await summary.click()
        await visit.keep("chain")
