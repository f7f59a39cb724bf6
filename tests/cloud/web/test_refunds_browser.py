"""Refunds and a move-out in a real browser: inside the policy, outside by another person, a deposit that goes back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from cloud import flow
from cloud.billing import service as billing
from cloud.deposits import service as deposits
from cloud.deposits.rules import DepositKind
from cloud.deposits.values import NewDeposit
from cloud.estate import service as estate
from cloud.estate.kinds import PartyKind, Role
from cloud.identity.policy import RoleName
from cloud.kit.events import Routes
from tests.cloud.billing import builders as b
from tests.cloud.deposits.vault import open_vault
from tests.cloud.refunds.till import Till, new_id
from tests.cloud.web.front import Front
from tests.cloud.web.test_money_browser import PHONE, SCREEN, Visit
from tests.support.browser import chromium, serving, watched

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def routes() -> Routes:
    return flow.ROUTES


@pytest.mark.parametrize("width", [PHONE, SCREEN])
async def test_a_refund_inside_the_policy_and_one_outside_it(front: Front, tmp_path: Path, width: int) -> None:
    till = Till(counter=front.counter)
    await till.set_policy()
    paid = await till.paid(billed_fen=20_000, paid_fen=30_000)
    clerk, boss = await front.code(RoleName.CASHIER), await front.code(RoleName.MANAGER)
    async with serving(front.app) as address, chromium() as browser:
        async with watched(browser, width=width) as page:
            visit = Visit(page, address, tmp_path)
            await visit.sign_in(clerk)
            await visit.go("/refunds")
            await page.fill("#number", paid.number)
            await page.press("#number", "Enter")
            await expect(page.locator("#amount")).to_have_value("300.00")
            await visit.keep("refund-form")
            await page.fill("#amount", "50")
            await page.fill("#reason", "多缴")
            await page.click("button:has-text('申请退款')")
            await expect(page.locator("text=符合规则")).to_be_visible()
            await front.counter.work()
            await page.reload()
            await expect(page.locator("[data-state=arrived]")).to_be_visible()
            await visit.keep("refund-arrived")
            await visit.go(f"/refunds/payments/{paid.payment_id}")
            await page.fill("#amount", "150")
            await page.fill("#reason", "账单有误")
            await page.click("button:has-text('申请退款')")
            await expect(page.locator("[data-state=requested]")).to_be_visible()
            await expect(page.locator("text=超过自动退款额度")).to_be_visible()
            await visit.keep("refund-waits")
            where = page.url.removeprefix(address).split("?")[0]
        async with watched(browser, width=width) as page:
            visit = Visit(page, address, tmp_path)
            await visit.sign_in(boss)
            await visit.go("/refunds")
            await visit.keep("refunds")
            await page.click(f"a[href='{where}']")
            await page.click("button:has-text('批准')")
            await front.counter.work()
            await page.reload()
            await expect(page.locator("[data-state=arrived]")).to_be_visible()


@pytest.mark.parametrize("width", [PHONE, SCREEN])
async def test_who_moves_out_is_settled_and_his_deposit_goes_back(front: Front, tmp_path: Path, width: int) -> None:
    till = Till(counter=front.counter)
    await till.set_policy()
    vault, counter, site = await open_vault(till), front.counter, front.counter.office.site
    async with counter.database.unit(counter.tenant, site.actor) as unit:
        lodger = await estate.add_party(unit, kind=PartyKind.PERSON, name="租客甲")
        premises = front.flats[0][0]
        await estate.relate(unit, party_id=lodger, premises_id=premises, role=Role.TENANT, starts=b.START)
        (account,) = await billing.open_accounts(unit, site.community_id, {(premises, lodger)})
        new = NewDeposit(
            deposit_id=new_id(),
            account_id=account.account_id,
            legal_entity_id=counter.entity,
            kind=DepositKind.LEASE,
            amount_fen=50_000,
            purpose="",
        )
        deposit = await deposits.open_deposit(unit, new)
    await counter.settle(await vault.start(deposit))
    code = await front.code(RoleName.MANAGER)
    async with serving(front.app) as address, chromium() as browser, watched(browser, width=width) as page:
        visit = Visit(page, address, tmp_path)
        await visit.sign_in(code)
        await visit.go(f"/deposits/{deposit.deposit_id}")
        await expect(page.locator("[data-deposit=held]")).to_be_visible()
        await visit.keep("deposit-held")
        await visit.go(f"/settle/{site.community_id}/accounts/{account.account_id}")
        await page.fill("#gone_on", "2026-02-01")
        await page.click("button:has-text('预览结算单')")
        await expect(page.locator("text=500.00").first).to_be_visible()
        await visit.keep("settle-preview")
        await page.click("button:has-text('确认结算')")
        await page.wait_for_url(lambda url: "done=settled" in url)
        await visit.keep("settled")
        await counter.work()
        await visit.go(f"/deposits/{deposit.deposit_id}")
        await visit.keep("deposit-after")
        await expect(page.locator("[data-deposit=closed]")).to_be_visible()
        await expect(page.locator("text=已到账").first).to_be_visible()
