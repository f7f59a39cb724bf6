"""Who manages the company opens accounts for messages; a resident then chooses a way and is told by it."""

from __future__ import annotations

from uuid import UUID

from cloud.identity.policy import RoleName
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, words_of

TEXTS = {
    "way": "sms",
    "login": "testId",
    "secret": "testSecret",
    "sender": "东方物业",
    "templates": "due_today zh SMS_71390007\noverdue zh SMS_71390007 place=place",
}


async def test_an_account_is_opened_listed_without_its_secret_and_closed(front: Front) -> None:
    async with front.person(RoleName.MANAGER) as browser:
        opened = await send(browser, "/messages", "/messages", TEXTS)
        assert opened.headers["location"] == "/messages?done=message-account"
        page = (await browser.get("/messages")).text
        assert "testId" in page
        assert "testSecret" not in page
        path = page.split('action="/messages/')[1].split('"')[0]
        closed = await send(browser, "/messages", f"/messages/{path}", {})
        assert closed.status_code == 303
        assert "已停用" in words_of(await browser.get("/messages"))


async def test_a_faulty_template_is_named_and_nothing_is_opened(front: Front) -> None:
    async with front.person(RoleName.MANAGER) as browser:
        refused = await send(browser, "/messages", "/messages", {**TEXTS, "templates": "late zh SMS_1234"})
        assert refused.status_code == 422
        assert "line 1" in refused.text
        assert "还没有账户" in words_of(await browser.get("/messages"))


async def test_mail_without_tls_is_refused(front: Front) -> None:
    async with front.person(RoleName.MANAGER) as browser:
        form = {"way": "mail", "host": "mail.example.com", "port": "25", "sender": "bill@example.com"}
        assert "STARTTLS" in (await send(browser, "/messages", "/messages", form)).text


async def test_a_resident_chooses_a_way_that_the_company_has_and_sees_it_masked(front: Front) -> None:
    await front.bill_some_of_everything()
    async with front.resident() as browser:
        assert "/my/notices/address" not in (await browser.get("/my/notices")).text
    async with front.person(RoleName.MANAGER) as browser:
        await send(browser, "/messages", "/messages", TEXTS)
    async with front.resident() as browser:
        form = {"way": "sms", "address": "138 0013 8000"}
        assert (await send(browser, "/my/notices", "/my/notices/address", form)).status_code == 303
        page = (await browser.get("/my/notices")).text
        assert "138****8000" in page
        assert "13800138000" not in page
        wrong = await send(browser, "/my/notices", "/my/notices/address", {"way": "sms", "address": "12"})
        assert wrong.status_code == 400
        assert (await send(browser, "/my/notices", "/my/notices/address", {"way": ""})).status_code == 303
        assert "138****8000" not in (await browser.get("/my/notices")).text


async def test_a_cashier_does_not_see_the_accounts(front: Front) -> None:
    async with front.person(RoleName.CASHIER) as browser:
        assert (await browser.get("/messages")).status_code == 403
        assert (await browser.get(f"/messages/{UUID(int=1)}/close")).status_code in {403, 405}
