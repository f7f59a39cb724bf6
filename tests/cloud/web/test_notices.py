"""A resident's inbox shows what he was told; he chooses language and quiet hours; staff see what was told."""

from __future__ import annotations

from datetime import UTC, datetime

from cloud.identity.policy import RoleName
from cloud.kit.jobs import NewJob
from cloud.notices import tasks
from tests.cloud.web.browsing import send
from tests.cloud.web.front import Front, words_of


async def reminded(front: Front) -> None:
    """Bill, go to the due day, remind and tell."""
    await front.bill_some_of_everything()
    (bill,) = await front.bills()
    day = bill.due_on
    front.counter.office.clock.set(datetime(day.year, day.month, day.day, 10, tzinfo=UTC))
    async with front.counter.database.unit(front.counter.tenant, front.counter.office.site.actor) as unit:
        unit.enqueue(NewJob(kind=tasks.REMIND, key="remind", payload={"day": day.isoformat()}))
        unit.record("asked for", "notice", unit.new_id())
    await front.counter.work()


async def test_a_resident_reads_his_own_reminder_and_a_neighbours_not(front: Front) -> None:
    await reminded(front)
    (bill,) = await front.bills()
    async with front.resident() as browser:
        words = words_of(await browser.get("/my/notices"))
    assert f"账单 {bill.number} 今天到期" in words
    assert words.count("今天到期") == 1


async def test_a_resident_chooses_language_and_quiet_hours(front: Front) -> None:
    await front.bill_some_of_everything()
    async with front.resident() as browser:
        wish = {"language": "en", "quiet_from": "23:00", "quiet_to": "06:30"}
        kept = await send(browser, "/my/notices", "/my/notices/wish", wish)
        assert kept.headers["location"] == "/my/notices?done=notice-wish"
        page = (await browser.get("/my/notices")).text
    assert '<option value="en" selected>' in page
    assert 'value="06:30"' in page


async def test_staff_see_every_notice_of_a_community_with_its_state(front: Front) -> None:
    await reminded(front)
    async with front.person(RoleName.MANAGER) as browser:
        page = await browser.get("/notices")
    assert page.text.count('data-state="told"') == 3
    assert "owner" not in words_of(page)


async def test_a_resident_does_not_see_the_notices_of_all(front: Front) -> None:
    async with front.resident() as browser:
        assert (await browser.get("/notices")).status_code == 403
