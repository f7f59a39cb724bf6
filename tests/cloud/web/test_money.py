"""Reconciliation on pages: a day that agrees shows 100.00 %, another shows every break and what to do first."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from cloud.identity.policy import RoleName
from cloud.kit.events import Routes
from cloud.payments.events import PaymentBooked
from cloud.reconciliation import tasks
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, words_of

_CLOSE = re.compile(r'action="(/reconciliation/[^"]+/breaks/[^"]+)"')


@pytest.fixture
def routes() -> Routes:
    return {PaymentBooked: (tasks.on_payment_booked,)}


async def reconciled(front: Front, mischief: str | None = None) -> date:
    """Pay two bills in full on one day and compare that day with the channel's statement the next morning."""
    counter = front.counter
    await front.bill_some_of_everything()
    for flat in (0, 1):
        await counter.settle(await counter.start(flat))
    day = counter.office.clock.now().date()
    if mischief is not None:
        await counter.channel.control("mischief", kind=mischief, value=1)
    counter.office.clock.set(datetime(day.year, day.month, day.day, 2, 30, tzinfo=UTC) + timedelta(days=1))
    await fetch(front, day)
    return day


async def fetch(front: Front, day: date) -> None:
    counter = front.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        unit.enqueue(tasks.fetch_job(counter.account.merchant_account_id, day, f"test:{unit.new_id()}"))
        unit.record("asked for", "statement_file", counter.account.merchant_account_id)
    await counter.work()


def path_of(front: Front, day: date) -> str:
    return f"/reconciliation/{front.counter.account.merchant_account_id}/{day.isoformat()}"


async def test_a_day_that_agrees_is_explained_to_a_hundred_percent(front: Front) -> None:
    day = await reconciled(front)
    async with front.person(RoleName.CASHIER) as browser:
        days = words_of(await browser.get("/reconciliation"))
        one = words_of(await browser.get(path_of(front, day)))
        file = await browser.get("/reconciliation.csv")
    assert day.isoformat() in days
    assert "100.00%" in days
    assert "没有差异，每一笔都对得上" in one
    assert "¥664.00，2 笔 rows" in one
    assert f"物业费,{day.isoformat()},1,2,664.00,2,664.00,0,100.00" in file.text


async def test_a_break_is_named_with_its_first_action_and_closes_with_a_reason_in_a_persons_name(front: Front) -> None:
    day = await reconciled(front, "bill_wrong_amount")
    path = path_of(front, day)
    async with front.person(RoleName.CASHIER) as browser:
        page = await browser.get(path)
        words = words_of(page)
        assert "金额不一致 the amounts differ" in words
        assert "先做 First ： 冻结该笔，人工核对 freeze it and compare by hand" in words
        assert "100.00%" not in words
        (close,) = _CLOSE.findall(page.text)
        assert (await send(browser, path, close, {"reason": " "})).status_code == 400
        done = await send(browser, path, close, {"reason": "渠道已书面确认为显示错误"})
        assert done.headers["location"] == f"{path}?done=break-closed"
        assert (await send(browser, path, close, {"reason": "again"})).status_code == 409
        await front.counter.work()
        after = words_of(await browser.get(path))
    assert "渠道已书面确认为显示错误" in after
    assert "100.00%" in after


async def test_a_statement_is_fetched_again_on_demand(front: Front) -> None:
    day = await reconciled(front, "bill_drops_row")
    path = path_of(front, day)
    async with front.person(RoleName.MANAGER) as browser:
        assert "本系统有，渠道无" in words_of(await browser.get(path))
        asked = await send(browser, path, f"{path}/fetch", {})
        assert asked.headers["location"] == f"{path}?done=statement-asked"
        await front.counter.work()
        after = words_of(await browser.get(path))
    assert "100.00%" in after
    assert "已解释 Explained" in after


async def test_weeks_without_comparison_say_so_and_lead_on(front: Front) -> None:
    async with front.person(RoleName.CASHIER) as browser:
        page = await browser.get("/reconciliation", params={"last": "2025-06-30"})
    assert "这两周还没有对过账" in words_of(page)
    assert "last=2025-06-16" in page.text
    assert "last=2025-07-14" in page.text


@pytest.mark.parametrize("role", [RoleName.RESIDENT, RoleName.TECHNICIAN])
async def test_nobody_else_reads_reconciliation(front: Front, role: RoleName) -> None:
    async with front.person(role) as browser:
        for path in ("/reconciliation", "/reconciliation.csv", path_of(front, date(2026, 1, 1))):
            answer: httpx.Response = await browser.get(path)
            assert answer.status_code == 403


async def test_a_day_that_was_not_compared_is_told(front: Front) -> None:
    async with front.person(RoleName.CASHIER) as browser:
        assert (await browser.get(path_of(front, date(2026, 1, 1)))).status_code == 404
