"""Instalments on pages: worked out and proposed at the desk, approved by a manager, read by the resident."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from cloud.arrears.values import Instalment
from cloud.identity.policy import RoleName
from cloud.web.instalments import steps_of
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, words_of
from tests.cloud.web.test_money_browser import PHONE, Visit
from tests.support.browser import chromium, fits, serving, watched

pytestmark = pytest.mark.timeout(120)  # a platform, a channel and a worker side by side

_ID = re.compile(r'name="agreement_id" value="([^"]+)"')
_DECIDE = re.compile(r'action="(/instalments/[0-9a-f-]{36})"')


async def overdue(front: Front) -> str:
    """Bill the first flat and let the bill be overdue; return the page of its account and the first pay-by day."""
    await front.counter.bill(0, 10_001)
    front.counter.office.clock.advance(days=60)
    return f"/instalments/accounts/{await front.account()}"


def first(front: Front) -> str:
    return (front.counter.office.clock.now().date() + timedelta(days=10)).isoformat()


async def proposed(front: Front) -> str:
    """Let a cashier propose three instalments."""
    path = await overdue(front)
    async with front.person(RoleName.CASHIER) as cashier:
        page = await cashier.get(path, params={"parts": "3", "first_on": first(front)})
        assert "33.35" not in page.text
        assert all(sum_ in page.text for sum_ in ("33.34", "33.33"))
        wish = {"agreement_id": _ID.findall(page.text)[0], "parts": "3", "first_on": first(front)}
        wish |= {"late_rule": "forgiven_if_kept", "reason": "失业"}
        for _ in range(2):
            assert (await send(cashier, path, path, wish)).status_code == 303
        assert (await send(cashier, path, path, wish | {"parts": "1"})).status_code == 422
        listing = await cashier.get("/instalments")
        assert "待审批" in words_of(listing)
        assert _DECIDE.search(listing.text) is None
    return path


async def test_proposed_at_the_desk_approved_by_a_manager_and_read_by_the_resident_alone(front: Front) -> None:
    path = await proposed(front)
    async with front.person(RoleName.MANAGER) as manager:
        (decide,) = _DECIDE.findall((await manager.get("/instalments")).text)
        assert (await send(manager, "/instalments", decide, {"verdict": "true"})).status_code == 303
        assert (await send(manager, "/instalments", decide, {"verdict": "true"})).status_code == 409
        assert "没有可分期的欠费" in words_of(await manager.get(path))
    async with front.resident() as browser:
        page = words_of(await browser.get("/my/instalments"))
        assert "履行中" in page
        assert "免收协议欠费的违约金" in page
        assert "100.01" in page
        assert (await browser.get("/instalments")).status_code == 403
        assert (await send(browser, "/my/instalments", decide, {"verdict": "false"})).status_code == 403
    async with front.resident(1) as neighbour:
        assert "您没有分期协议" in words_of(await neighbour.get("/my/instalments"))


async def test_a_proposal_is_taken_back(front: Front) -> None:
    await proposed(front)
    async with front.person(RoleName.CASHIER) as cashier:
        page = await cashier.get("/instalments")
        (path,) = re.findall(r'action="(/instalments/[0-9a-f-]{36}/withdraw)"', page.text)
        assert (await send(cashier, "/instalments", path, {})).status_code == 303
        assert "已撤回" in words_of(await cashier.get("/instalments"))


def test_what_is_settled_fills_the_first_instalments_first() -> None:
    plan = [Instalment(due_on=date(2026, 4, day), fen=100) for day in (1, 2, 3)]
    steps = steps_of(plan, 150, date(2026, 4, 3))
    assert [(step.settled_fen, step.is_late) for step in steps] == [(100, False), (50, True), (0, False)]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_in_a_real_browser_the_plan_fits_a_phone(front: Front, tmp_path: Path) -> None:
    await proposed(front)
    code = await front.code(RoleName.RESIDENT, 0)
    async with serving(front.app) as address, chromium() as browser, watched(browser, width=PHONE) as page:
        visit = Visit(page, address, tmp_path)
        await visit.sign_in(code)
        await visit.go("/my/instalments")
        assert await fits(page)
        await visit.keep("my-instalments")
