"""Invoices on pages: a resident asks for his own, the desk for anybody's, a manager takes back, strangers see none."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from cloud import flow
from cloud.identity.policy import RoleName
from cloud.invoices import seller_accounts as accounts
from cloud.invoices.issuers import Issuers
from cloud.invoices.providers.nuonuo import NuonuoUrls
from cloud.invoices.seller_accounts import NewInvoiceAccount
from cloud.invoices.tasks import InvoiceTasks
from cloud.kit.clock import machine_now_s
from cloud.kit.events import Routes
from cloud.kit.secretbox import SecretBox
from cloud.web import invoices as pages
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, words_of
from tests.cloud.web.test_money_browser import PHONE, Visit
from tests.simulation.invoices.platform import APP_KEY, SECRET, TAX_NUMBER, TaxPlatform
from tests.support.browser import chromium, fits, serving, watched

pytestmark = pytest.mark.timeout(120)  # a platform, a channel and a worker side by side

_ID = re.compile(r'name="invoice_id" value="([^"]+)"')
_RED = re.compile(r"/invoices/([0-9a-f-]{36})/red")
_RED_ID = re.compile(r'name="red_id" value="([^"]+)"')
BOX = SecretBox(bytes(range(32)))
PERSON = {"title_kind": "person", "kind": "ordinary", "title": "李小明", "email": "li@example.com"}


@dataclass(slots=True, kw_only=True)
class Office:
    """A front whose company has an account at a platform, and a bill of 5 yuan that the first flat paid."""

    front: Front
    platform: TaxPlatform
    bill: UUID

    @property
    def path(self) -> str:
        return f"/bills/{self.bill}/invoice"

    def form(self, page: httpx.Response, **changes: str) -> dict[str, str]:
        """Return the form of a page, filled in for a person."""
        found = _ID.search(page.text)
        seller = {"legal_entity_id": str(self.front.counter.entity)}
        return {"invoice_id": found[1] if found else str(UUID(int=7)), **seller, **PERSON, **changes}

    async def issue(self) -> None:
        for _ in range(2):
            await self.front.counter.work()
            self.front.counter.office.clock.advance(minutes=1)


@pytest.fixture
def routes() -> Routes:
    return flow.ROUTES


@pytest_asyncio.fixture
async def desk(front: Front) -> AsyncIterator[Office]:
    platform, counter = TaxPlatform(machine_now_s), front.counter
    async with serving(platform.app()) as address, httpx.AsyncClient(trust_env=False) as http:
        urls = NuonuoUrls(services=f"{address}/open/v1/services", token=f"{address}/accessToken")
        issuers = Issuers(http, urls, BOX, machine_now_s, lambda: secrets.token_hex(16).upper())
        handlers = {**counter.runner.handlers, **InvoiceTasks(issuers).handlers()}
        counter.runner = replace(counter.runner, handlers=handlers)
        await counter.bill(0, 500)
        await counter.settle(await counter.start())
        new = NewInvoiceAccount(
            legal_entity_id=counter.entity, tax_number=TAX_NUMBER, app_key=APP_KEY, secret=SECRET, drawer="王会计"
        )
        async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
            await accounts.open_account(unit, BOX, new)
        (bill,) = await front.bills()
        yield Office(front=front, platform=platform, bill=bill.bill_id)


async def test_a_resident_asks_for_his_invoice_follows_it_and_downloads_it(desk: Office) -> None:
    async with desk.front.resident() as browser:
        assert "¥5.00" in words_of(await browser.get("/my/invoices"))
        page = await browser.get(desk.path)
        form = desk.form(page)
        for _ in range(2):
            assert (await send(browser, desk.path, desk.path, form)).status_code == 303
        assert "已申请" in words_of(await browser.get(desk.path))
        await desk.issue()
        page = await browser.get("/my/invoices")
        assert 'data-invoice="issued"' in page.text
        assert "李**" in page.text
        assert "李小明" not in page.text
        (file,) = re.findall(r'href="(/invoices/[0-9a-f-]{36}/file)"', page.text)
        leads = (await browser.get(file)).headers["location"]
        assert "没有可开票" in words_of(await browser.get(desk.path))
    async with httpx.AsyncClient(trust_env=False) as anybody:
        assert (await anybody.get(leads)).content.startswith(b"%PDF")
    assert desk.platform.book.handed_over == 1


async def test_a_faulty_title_is_refused_in_words_and_nothing_is_asked_for(desk: Office) -> None:
    async with desk.front.resident() as browser:
        page = await browser.get(desk.path)
        company = {"title_kind": "company", "title": "湖畔餐饮", "tax_number": "91350100M000100Y44"}
        for wrong, words in ((company, "税号"), ({"title": " "}, "抬头"), ({"kind": "special"}, "专用")):
            answer = await send(browser, desk.path, desk.path, desk.form(page, **wrong))
            assert answer.status_code == 400
            assert words in answer.text
        assert "本账单的发票" not in words_of(await browser.get(desk.path))


async def test_an_amount_in_the_form_changes_nothing(desk: Office) -> None:
    async with desk.front.resident() as browser:
        form = desk.form(await browser.get(desk.path), total_fen="999999", fen="1")
        await send(browser, desk.path, desk.path, form)
    await desk.issue()
    assert str(desk.platform.book.standing()) == "5.00"


async def test_a_neighbour_and_a_technician_see_no_invoice(desk: Office) -> None:
    async with desk.front.resident() as browser:
        await send(browser, desk.path, desk.path, desk.form(await browser.get(desk.path)))
        await desk.issue()
        (file,) = re.findall(r"/invoices/[0-9a-f-]{36}/file", (await browser.get(desk.path)).text)
    async with desk.front.resident(1) as neighbour:
        assert (await neighbour.get(desk.path)).status_code == 404
        assert (await neighbour.get(file)).status_code == 404
        assert (await send(neighbour, "/my/invoices", desk.path, desk.form(httpx.Response(200)))).status_code == 404
        assert "李**" not in (await neighbour.get("/my/invoices")).text
        assert (await neighbour.get("/invoices")).status_code == 403
    async with desk.front.person(RoleName.TECHNICIAN) as browser:
        assert (await browser.get(desk.path)).status_code in {403, 404}


async def test_the_desk_finds_a_bill_by_its_number_or_its_receipt_and_a_manager_takes_its_invoice_back(
    desk: Office,
) -> None:
    (payment,) = await desk.front.counter.payments()
    (bill,) = await desk.front.bills()
    async with desk.front.person(RoleName.CASHIER) as cashier:
        for number in (bill.number, payment.number):
            found = await cashier.get("/invoices", params={"number": number})
            assert found.headers["location"] == desk.path
        assert (await cashier.get("/invoices", params={"number": "X"})).status_code == 404
        await send(cashier, desk.path, desk.path, desk.form(await cashier.get(desk.path)))
        await desk.issue()
        page = await cashier.get(desk.path)
        assert _RED.search(page.text) is None
        assert "李**" in words_of(await cashier.get("/invoices"))
        (invoice_id,) = re.findall(r"/invoices/([0-9a-f-]{36})/file", page.text)
        again = await send(cashier, desk.path, f"/invoices/{invoice_id}/again", {})
        assert again.status_code == 409
        wish = {"red_id": str(UUID(int=9)), "reason": "wrong"}
        assert (await send(cashier, desk.path, f"/invoices/{invoice_id}/red", wish)).status_code == 403
    async with desk.front.person(RoleName.MANAGER) as manager:
        page = await manager.get(desk.path)
        (red_id,) = _RED_ID.findall(page.text)
        for _ in range(2):
            wish = {"red_id": red_id, "reason": "wrong"}
            assert (await send(manager, desk.path, f"/invoices/{invoice_id}/red", wish)).status_code == 303
        await desk.issue()
        page = await manager.get(desk.path)
        assert page.text.count('data-colour="red"') == 1
        assert "-5.00" in page.text
    assert desk.platform.book.standing() == 0


def test_every_state_kind_and_reason_has_words() -> None:
    words = [*pages.STATES.values(), *pages.KINDS.values(), *pages.REASONS.values()]
    assert all(zh and en for zh, en in words)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_in_a_real_browser_a_resident_asks_on_a_phone_and_sees_it_issued(desk: Office, tmp_path: Path) -> None:
    code = await desk.front.code(RoleName.RESIDENT, 0)
    async with serving(desk.front.app) as address, chromium() as browser, watched(browser, width=PHONE) as page:
        visit = Visit(page, address, tmp_path)
        await visit.sign_in(code)
        await visit.go("/my/invoices")
        await visit.keep("my-invoices")
        await page.get_by_text("申请开票").first.click()
        await page.get_by_label("发票抬头").fill("李小明")
        await page.get_by_label("收票邮箱").fill("li@example.com")
        await visit.keep("invoice-form")
        await page.get_by_label("收票邮箱").press("Enter")
        await expect(page.get_by_text("已申请开票")).to_be_visible()
        await desk.issue()
        await page.reload()
        await expect(page.locator('[data-invoice="issued"]')).to_be_visible()
        assert await fits(page)
        await visit.keep("invoice-issued")
