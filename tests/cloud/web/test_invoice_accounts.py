"""Who manages the company opens accounts at tax platforms; a secret is never shown again."""

from __future__ import annotations

from cloud.identity.policy import RoleName
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, words_of


def account(front: Front, **changes: str) -> dict[str, str]:
    fields = {
        "legal_entity_id": str(front.counter.entity),
        "tax_number": "91350100m000100y43",
        "app_key": "10020030",
        "secret": "0F1E2D3C",
        "drawer": "王会计",
        "with_agency": "true",
    }
    return fields | changes


async def test_an_account_is_opened_listed_without_its_secret_and_closed(front: Front) -> None:
    async with front.person(RoleName.MANAGER) as browser:
        opened = await send(browser, "/invoice-accounts", "/invoice-accounts", account(front))
        assert opened.headers["location"] == "/invoice-accounts?done=invoice-account"
        page = (await browser.get("/invoice-accounts")).text
        assert "91350100M000100Y43" in page
        assert "0F1E2D3C" not in page
        path = page.split('action="/invoice-accounts/')[1].split('"')[0]
        assert (await send(browser, "/invoice-accounts", f"/invoice-accounts/{path}", {})).status_code == 303
        assert "已停用" in words_of(await browser.get("/invoice-accounts"))


async def test_a_tax_number_that_does_not_fit_is_refused_and_a_cashier_does_not_see_the_accounts(front: Front) -> None:
    async with front.person(RoleName.MANAGER) as browser:
        wrong = account(front, tax_number="91350100M000100Y44")
        assert (await send(browser, "/invoice-accounts", "/invoice-accounts", wrong)).status_code == 400
        assert "还没有开票账户" in words_of(await browser.get("/invoice-accounts"))
    async with front.person(RoleName.CASHIER) as browser:
        assert (await browser.get("/invoice-accounts")).status_code == 403
