"""Bank transfers on pages: import, suspense with its age, a proposal confirmed, a debit explained, nonsense refused."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from cloud.identity.policy import RoleName
from tests.cloud.payments.channels.bank.files import ICBC
from tests.cloud.reconciliation.test_transfers import bank_of, coded
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, words_of
from tests.cloud.web.test_money_browser import SCREEN, Visit
from tests.support.browser import chromium, serving, watched

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_LINE = re.compile(r'action="(/bank/lines/[^"]+/identify)"')
_PROPOSED = re.compile(r'name="account_id" value="([^"]+)"')


async def upload(browser: httpx.AsyncClient, bank: UUID, raw: bytes, kind: str = "icbc") -> httpx.Response:
    token = _CSRF.search((await browser.get("/bank")).text)
    assert token
    fields = {"csrf": token[1], "bank_account_id": str(bank), "kind": kind}
    return await browser.post("/bank/files", data=fields, files={"file": ("statement.csv", raw)})


async def prepared(front: Front) -> tuple[UUID, bytes]:
    await front.counter.bill(0, 123_450, 10_000)
    return await bank_of(front.counter), await coded(front.counter)


async def test_a_statement_is_imported_and_what_is_left_is_confirmed_by_a_person(front: Front) -> None:
    bank, raw = await prepared(front)
    async with front.person(RoleName.MANAGER) as browser:
        assert (await upload(browser, bank, raw)).status_code == 303
        page = await browser.get("/bank")
        assert "可能属于 Probably 1-1-002" in words_of(page)
        line, account = _LINE.search(page.text), _PROPOSED.search(page.text)
        assert line and account  # noqa: PT018 - both stand in one form
        done = await send(browser, "/bank", line[1], {"community": "GARDEN", "account_id": account[1], "learn": "true"})
        assert done.status_code == 303
    assert await front.counter.open_fen(1) == 0


async def test_a_file_that_contradicts_itself_says_where_and_changes_nothing(front: Front) -> None:
    bank, _ = await prepared(front)
    async with front.person(RoleName.MANAGER) as browser:
        answer = await upload(browser, bank, ICBC.replace("11,222.16", "11,222.17").encode("gb18030"))
        assert answer.status_code == 422
        assert "does not follow" in answer.text
        assert "没有挂账" in words_of(await browser.get("/bank"))


async def test_a_room_that_does_not_exist_identifies_nobody(front: Front) -> None:
    bank, raw = await prepared(front)
    async with front.person(RoleName.MANAGER) as browser:
        await upload(browser, bank, raw)
        line = _LINE.search((await browser.get("/bank")).text)
        assert line
        answer = await send(browser, "/bank", line[1], {"community": "GARDEN", "who": "9-9-999"})
        assert answer.status_code == 404


async def test_a_resident_sees_no_bank_account(front: Front) -> None:
    await prepared(front)
    async with front.resident() as browser:
        assert (await browser.get("/bank")).status_code in {403, 404}


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_suspense_is_read_and_emptied_in_a_browser(front: Front, tmp_path: Path) -> None:
    bank, raw = await prepared(front)
    statement = tmp_path / "statement.csv"
    statement.write_bytes(raw)
    del bank
    code = await front.code(RoleName.MANAGER)
    async with serving(front.app) as address, chromium() as browser, watched(browser, width=SCREEN) as page:
        visit = Visit(page, address, tmp_path)
        await visit.sign_in(code)
        await visit.go("/bank")
        await page.set_input_files("#file", statement)
        await page.click("text=导入 >> nth=-1")
        await visit.keep("suspense")
        await page.click("text=署名确认")
        await page.fill("input[name=reason]", "银行手续费")
        await page.press("input[name=reason]", "Enter")
        await visit.keep("empty")
        assert "没有挂账" in await page.inner_text("main")
