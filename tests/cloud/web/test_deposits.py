"""Deposits on pages: opened, taken, kept in part with the payer's word, returned when their conditions are met."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from cloud import flow
from cloud.cases import service as cases
from cloud.deposits.reports import WAITS
from cloud.identity.policy import RoleName
from cloud.kit.events import Routes
from cloud.payments import desk
from cloud.tariffs.charge import FundClass
from tests.cloud.deposits.vault import Vault, open_vault
from tests.cloud.refunds.till import Till
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, words_of
from tests.cloud.web.test_desk import open_shift

_DEPOSIT = re.compile(r'name="deposit_id" value="([^"]+)"')
_PAYMENT = re.compile(r'name="payment_id" value="([^"]+)"')
_LINE = re.compile(r'<option value="([0-9a-f-]{36}:\d+)"')
_DEDUCTION = re.compile(r"/deductions/([0-9a-f-]{36})")


@pytest.fixture
def routes() -> Routes:
    return flow.ROUTES


@pytest_asyncio.fixture
async def vault(front: Front) -> Vault:
    till = Till(counter=front.counter)
    await till.set_policy()
    return await open_vault(till)


@pytest_asyncio.fixture
async def cashier(front: Front) -> AsyncIterator[httpx.AsyncClient]:
    async with front.person(RoleName.CASHIER) as browser:
        yield browser


async def opened(browser: httpx.AsyncClient, front: Front, amount: str = "500") -> str:
    page = f"/deposits/accounts/{await front.account()}"
    (deposit_id,) = _DEPOSIT.findall((await browser.get(page)).text)
    wish = {"deposit_id": deposit_id, "kind": "renovation", "amount": amount, "purpose": "厨房"}
    answer = await send(browser, page, page, wish | {"legal_entity_id": str(front.counter.entity)})
    assert answer.status_code == 303, answer.text
    return f"/deposits/{deposit_id}"


async def proposed(browser: httpx.AsyncClient, path: str, amount: str) -> str:
    (line,) = _LINE.findall((await browser.get(path)).text)
    wish = {"line": line, "amount": amount, "evidence": "地砖破损，照片 3 张"}
    assert (await send(browser, path, f"{path}/deductions", wish)).status_code == 303
    (deduction_id, *_) = _DEDUCTION.findall((await browser.get(path)).text)
    return str(deduction_id)


async def test_a_deposit_is_found_by_its_room_opened_and_taken_in_cash(
    front: Front, vault: Vault, cashier: httpx.AsyncClient
) -> None:
    assert str(await front.account()) in (await cashier.get("/deposits", params={"room": "1-1"})).text
    path = await opened(cashier, front)
    assert "由当班出纳" in words_of(await cashier.get(path))
    async with vault.unit() as unit:
        await desk.add_cash_box(unit, vault.book, FundClass.DEPOSIT.value)
    await open_shift(cashier)
    (payment_id,) = _PAYMENT.findall((await cashier.get(path)).text)
    fields = {"payment_id": payment_id, "tendered": "500"}
    for _ in range(2):
        assert (await send(cashier, path, f"{path}/cash", fields)).status_code == 303
    await front.counter.work()
    assert 'data-deposit="held"' in (await cashier.get(path)).text
    assert await vault.ledger_fen() == 50_000


async def test_what_is_kept_needs_evidence_the_payers_word_and_another_person(
    front: Front, vault: Vault, cashier: httpx.AsyncClient
) -> None:
    deposit = await vault.held()
    path = f"/deposits/{deposit.deposit_id}"
    deduction_id = await proposed(cashier, path, "1.50")
    keep = f"{path}/deductions/{deduction_id}"
    async with front.person(RoleName.MANAGER) as manager:
        assert (await send(manager, path, keep, {"keeps": "true"})).status_code == 409
        async with front.resident() as payer:
            assert "地砖破损" in words_of(await payer.get("/my/deposits"))
            own = f"/my{keep}"
            assert (await send(payer, "/my/deposits", own, {"agrees": "false", "words": ""})).status_code == 400
            assert (await send(payer, "/my/deposits", own, {"agrees": "true"})).status_code == 303
        assert (await send(cashier, path, keep, {"keeps": "true"})).status_code == 403
        assert (await send(manager, path, keep, {"keeps": "true"})).status_code == 303
    assert "已扣 kept ¥1.50" in words_of(await cashier.get(path))
    assert await vault.ledger_fen() == 850


async def test_a_met_condition_starts_the_return_and_its_refund_is_linked(
    front: Front, vault: Vault, cashier: httpx.AsyncClient
) -> None:
    deposit = await vault.held()
    path = f"/deposits/{deposit.deposit_id}"
    wish = {"kind": "inspection_passed", "evidence": "验收单 12 号"}
    assert (await send(cashier, path, f"{path}/conditions", wish)).status_code == 303
    await front.counter.work()
    page = await cashier.get(path)
    assert "已到账" in words_of(page)
    assert 'href="/refunds/' in page.text
    assert await vault.ledger_fen() == 0


async def test_a_pending_deduction_holds_the_return_and_giving_it_up_lets_it_go(
    front: Front, vault: Vault, cashier: httpx.AsyncClient
) -> None:
    deposit = await vault.held()
    path = f"/deposits/{deposit.deposit_id}"
    deduction_id = await proposed(cashier, path, "2")
    met = await send(cashier, path, f"{path}/conditions", {"kind": "inspection_passed", "evidence": "验收单"})
    assert met.status_code == 409
    assert "还有待定的扣款" in met.text
    assert 'data-deposit="held"' in (await cashier.get(path)).text
    async with front.counter.database.view(front.counter.tenant) as session:
        assert [case.reason for case in await cases.open_about(session, [deposit.deposit_id])] == [WAITS]
    assert (await send(cashier, path, f"{path}/deductions/{deduction_id}", {"keeps": "false"})).status_code == 303
    await front.counter.work()
    assert 'data-deposit="closed"' in (await cashier.get(path)).text


async def test_a_deduction_is_not_decided_under_another_deposit_nor_answered_by_a_neighbour(
    front: Front, vault: Vault, cashier: httpx.AsyncClient
) -> None:
    deposit = await vault.held()
    path = f"/deposits/{deposit.deposit_id}"
    deduction_id = await proposed(cashier, path, "1")
    strange = f"/deposits/{UUID(int=8)}/deductions/{deduction_id}"
    assert (await send(cashier, path, strange, {"keeps": "false"})).status_code == 404
    async with front.resident(1) as neighbour:
        own = f"/my{path}/deductions/{deduction_id}"
        assert (await send(neighbour, "/my/deposits", own, {"agrees": "true"})).status_code == 404
        assert "地砖破损" not in words_of(await neighbour.get("/my/deposits"))
        assert (await neighbour.get(path)).status_code == 403


async def test_a_deposit_that_nobody_brought_is_cancelled_and_damage_without_a_bill_is_not_kept(
    front: Front, vault: Vault, cashier: httpx.AsyncClient
) -> None:
    path = await opened(cashier, front)
    wish = {"line": "none", "amount": "1", "evidence": "x"}
    assert (await send(cashier, path, f"{path}/deductions", wish)).status_code == 400
    assert (await send(cashier, path, f"{path}/cancel", {})).status_code == 303
    assert 'data-deposit="cancelled"' in (await cashier.get(path)).text
    assert await vault.ledger_fen() == 0
