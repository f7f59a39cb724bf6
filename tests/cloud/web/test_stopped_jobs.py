"""Who manages the company sees what has stopped and why, and lets it be tried again; nobody else enters."""

from __future__ import annotations

import re

from cloud.identity.policy import RoleName
from cloud.kit.jobs import ATTEMPTS_MAX, NewJob
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, words_of
from tests.support.jobs import use_attempts_up

_AGAIN = re.compile(r'action="(/stopped-jobs/[0-9a-f-]{36}/again)"')


async def let_stop(front: Front, *keys: str) -> None:
    """Let the worker ask about payments that nobody can mean, as often as it tries."""
    counter = front.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        for key in keys:
            unit.enqueue(NewJob(kind="payments.ask", key=key, payload={"attempt_id": "no id"}))
        unit.record("asked", "job", counter.account.merchant_account_id)
    await use_attempts_up(counter.database, counter.tenant, counter.runner)


async def test_what_stopped_is_shown_with_its_reason_and_tried_again_at_the_press_of_a_button(front: Front) -> None:
    async with front.person(RoleName.MANAGER) as browser:
        assert "没有停下的任务" in words_of(await browser.get("/stopped-jobs"))
        assert "已停下" not in words_of(await browser.get("/dashboard"))
        await let_stop(front, "first", "second")
        assert "有 2 项后台任务已停下" in words_of(await browser.get("/dashboard"))
        page = await browser.get("/stopped-jobs")
        seen = words_of(page)
        assert seen.count("查询付款结果") == 2
        assert "ValueError: badly formed hexadecimal UUID string" in seen
        assert f"{ATTEMPTS_MAX}" in seen
        first, second = _AGAIN.findall(page.text)
        for _ in range(2):  # pressed twice
            done = await send(browser, "/stopped-jobs", first, {})
            assert done.headers["location"] == "/stopped-jobs?done=job-again"
        assert "任务已重新安排" in words_of(await browser.get("/stopped-jobs?done=job-again"))
        assert _AGAIN.findall((await browser.get("/stopped-jobs")).text) == [second]
        assert "重试任务" in words_of(await browser.get("/audit"))


async def test_many_are_shown_page_by_page_and_an_unknown_one_is_refused(front: Front) -> None:
    await let_stop(front, "first", "second", "third")
    async with front.person(RoleName.MANAGER) as browser:
        page = await browser.get("/stopped-jobs?limit=2")
        assert len(_AGAIN.findall(page.text)) == 2
        assert 'rel="next"' in page.text
        assert len(_AGAIN.findall((await browser.get("/stopped-jobs?limit=2&offset=2")).text)) == 1
        unknown = await send(browser, "/stopped-jobs", "/stopped-jobs/00000000-0000-0000-0000-000000000009/again", {})
        assert unknown.status_code == 404


async def test_a_cashier_does_not_enter(front: Front) -> None:
    async with front.person(RoleName.CASHIER) as browser:
        assert (await browser.get("/stopped-jobs")).status_code == 403
        assert "/stopped-jobs" not in (await browser.get("/desk")).text
