"""Refunds on pages: by rule at once, else by other persons; cash against a signature; accepted is not arrived."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest_asyncio

from cloud.identity.policy import RoleName
from cloud.payments.values import Payment
from cloud.refunds import service
from tests.cloud.refunds.till import LIMITS
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, words_of
from tests.cloud.web.test_desk import add_box, open_shift

_ID = re.compile(r'name="refund_id" value="([^"]+)"')


@pytest_asyncio.fixture
async def paid(front: Front) -> Payment:
    """A payment of 300 yuan of which 100 lie ahead, in a community with limits."""
    counter = front.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await service.set_policy(unit, counter.office.site.community_id, LIMITS)
    await counter.bill(0, 20_000)
    await counter.settle(await counter.start(amount_fen=30_000))
    (payment,) = await counter.payments()
    return payment


@pytest_asyncio.fixture
async def cashier(front: Front) -> AsyncIterator[httpx.AsyncClient]:
    async with front.person(RoleName.CASHIER) as browser:
        yield browser


async def ask(browser: httpx.AsyncClient, paid: Payment, amount: str, **more: str) -> httpx.Response:
    page = f"/refunds/payments/{paid.payment_id}"
    (refund_id,) = _ID.findall((await browser.get(page)).text)
    return await send(browser, page, page, {"refund_id": refund_id, "amount": amount, "reason": "多缴", **more})


async def test_a_receipts_number_leads_to_the_payment_and_what_is_left_of_it(
    cashier: httpx.AsyncClient, paid: Payment
) -> None:
    answer = await cashier.get("/refunds", params={"number": paid.number})
    assert answer.headers["location"] == f"/refunds/payments/{paid.payment_id}"
    assert "¥300.00" in words_of(await cashier.get(answer.headers["location"]))
    assert (await cashier.get("/refunds", params={"number": "GARDEN-R2026-999999"})).status_code == 404


async def test_inside_the_policy_it_goes_at_once_and_accepted_is_not_called_arrived(
    front: Front, cashier: httpx.AsyncClient, paid: Payment
) -> None:
    await front.counter.channel.control("mischief", kind="refund_pending")
    answer = await ask(cashier, paid, "50")
    assert "done=refund-goes" in answer.headers["location"]
    await front.counter.work()
    page = await cashier.get(answer.headers["location"])
    assert 'data-state="accepted"' in page.text
    assert "尚未到账" in words_of(page)
    assert "¥250.00" in words_of(await cashier.get(f"/refunds/payments/{paid.payment_id}"))


async def test_outside_the_policy_another_person_decides_and_the_reasons_are_told(
    front: Front, cashier: httpx.AsyncClient, paid: Payment
) -> None:
    answer = await ask(cashier, paid, "150")
    path = answer.headers["location"].split("?")[0]
    assert "done=refund-waits" in answer.headers["location"]
    words = words_of(await cashier.get(path))
    assert "超过自动退款额度" in words
    assert "退后账单将重新未缴" in words
    async with front.person(RoleName.MANAGER) as manager:
        assert "多缴" in words_of(await manager.get("/refunds"))
        done = await send(manager, path, f"{path}/verdicts", {"approves": "true", "note": ""})
        assert done.status_code == 303
    await front.counter.work()
    assert 'data-state="arrived"' in (await cashier.get(path)).text


async def test_who_asked_cannot_approve_and_a_cashier_never_can(
    front: Front, cashier: httpx.AsyncClient, paid: Payment
) -> None:
    async with front.person(RoleName.MANAGER) as manager:
        answer = await ask(manager, paid, "150")
        path = answer.headers["location"].split("?")[0]
        assert "由他人审批" in words_of(await manager.get(path))
        again = await send(manager, path, f"{path}/verdicts", {"approves": "true"})
        assert again.status_code in {400, 409}
    assert (await send(cashier, path, f"{path}/verdicts", {"approves": "true"})).status_code == 403


async def test_more_than_is_left_is_refused_and_pressing_twice_asks_once(
    cashier: httpx.AsyncClient, paid: Payment
) -> None:
    assert (await ask(cashier, paid, "300.01")).status_code in {400, 409}
    page = f"/refunds/payments/{paid.payment_id}"
    fields = {"refund_id": str(UUID(int=77)), "amount": "10", "reason": "多缴"}
    for _ in range(2):
        assert (await send(cashier, page, page, fields)).status_code == 303
    assert "¥290.00" in words_of(await cashier.get(page))


async def test_cash_is_handed_out_against_a_signature_from_the_own_shift(
    front: Front, cashier: httpx.AsyncClient, paid: Payment
) -> None:
    box = await add_box(front)
    await open_shift(cashier, counted="500", reason="备用金")
    answer = await ask(cashier, paid, "20", way=f"cash:{box}")
    path = answer.headers["location"].split("?")[0]
    for _ in range(2):
        async with front.person(RoleName.MANAGER) as manager:
            await send(manager, path, f"{path}/verdicts", {"approves": "true"})
    await front.counter.work()
    assert "领款人签字" in words_of(await cashier.get(path))
    assert (await send(cashier, path, f"{path}/hand-out", {"signed_as": " "})).status_code == 400
    assert (await send(cashier, path, f"{path}/hand-out", {"signed_as": "王小明"})).status_code == 303
    page = await cashier.get(path)
    assert 'data-state="arrived"' in page.text
    assert "王小明" not in page.text


async def test_a_resident_has_no_way_in(front: Front, paid: Payment) -> None:
    async with front.resident() as browser:
        assert (await browser.get("/refunds")).status_code == 403
        assert (await browser.get(f"/refunds/payments/{paid.payment_id}")).status_code == 403
