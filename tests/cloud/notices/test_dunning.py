"""Reminders come on their days, once each, and stop when the bill is paid or disputed."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from cloud.arrears import agreements
from cloud.arrears.values import AgreementWish, LateRule
from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.kit.actor import Actor
from cloud.notices.kinds import NoticeKind, NoticeState
from tests.cloud.notices.conftest import Herald


async def test_a_bill_that_stays_open_is_reminded_of_in_four_steps_once_each(herald: Herald) -> None:
    for days in (-5, -3, -3, -1, 0, 1, 7, 8, 30, 31, 60):
        await herald.morning(days)
    told = [notice.kind for notice in reversed(await herald.told())]
    assert told == [NoticeKind.DUE_SOON, NoticeKind.DUE_TODAY, NoticeKind.OVERDUE, NoticeKind.OVERDUE_LONG]


async def test_a_reminder_names_bill_amount_and_day(herald: Herald) -> None:
    await herald.morning(-3)
    (notice,) = await herald.told()
    for part in (herald.bill.number, "5.00", herald.bill.due_on.isoformat(), "1-1-001"):
        assert part in notice.title + notice.body


async def test_a_bill_that_is_paid_is_not_reminded_of(herald: Herald) -> None:
    await herald.morning(-3)
    await herald.counter.settle(await herald.counter.start())
    for days in (0, 7, 30):
        await herald.morning(days)
    assert [notice.kind for notice in await herald.told()] == [NoticeKind.DUE_SOON]


async def test_a_bill_that_is_disputed_is_not_reminded_of(herald: Herald) -> None:
    await dispute(herald)
    await herald.morning(0)
    assert await herald.written() == ()


async def test_a_reminder_that_waits_for_the_morning_is_dropped_when_the_bill_is_paid_at_night(herald: Herald) -> None:
    await herald.morning(0, hour=22)
    assert [notice.state for notice in await herald.written()] == [NoticeState.WRITTEN]
    await herald.counter.settle(await herald.counter.start())
    herald.clock.advance(hours=11)
    await herald.teller.drain()
    assert [notice.state for notice in await herald.written()] == [NoticeState.DROPPED]
    assert await herald.told() == ()


async def test_a_reminder_that_waits_is_dropped_when_the_bill_is_disputed(herald: Herald) -> None:
    await herald.morning(0, hour=22)
    await dispute(herald)
    herald.clock.advance(hours=11)
    await herald.teller.drain()
    assert await herald.told() == ()


async def test_a_bill_under_an_agreement_is_not_reminded_of_and_is_again_once_it_is_broken(herald: Herald) -> None:
    await herald.morning(7)
    one = await agree(herald, first_in_days=20)
    for days in (15, 30, 31):
        await herald.morning(days)
    assert [notice.kind for notice in await herald.told()] == [NoticeKind.OVERDUE]
    async with herald.counter.database.unit(herald.counter.tenant, CHIEF) as unit:
        await agreements.look(unit, one, herald.bill.due_on + timedelta(days=40))
    for days in (31, 32, 54):
        await herald.morning(days)
    told = [notice.kind for notice in reversed(await herald.told())]
    assert told == [NoticeKind.OVERDUE, NoticeKind.OVERDUE, NoticeKind.OVERDUE_LONG]


async def test_a_reminder_that_waits_is_dropped_when_an_agreement_comes_first(herald: Herald) -> None:
    await herald.morning(7, hour=22)
    await agree(herald, first_in_days=20)
    herald.clock.advance(hours=11)
    await herald.teller.drain()
    assert [notice.state for notice in await herald.written()] == [NoticeState.DROPPED]


CHIEF = Actor(kind="user", id=UUID(int=0xB1), name="chief")


async def agree(herald: Herald, first_in_days: int) -> UUID:
    """Propose an agreement over the bill and let another person approve it."""
    counter = herald.counter
    wish = AgreementWish(
        agreement_id=UUID(int=0xA6),
        account_id=herald.bill.account_id,
        parts=2,
        first_on=herald.clock.now().date() + timedelta(days=first_in_days),
        late_rule=LateRule.CHARGED,
        reason="失业",
    )
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await agreements.propose(unit, wish)
    async with counter.database.unit(counter.tenant, CHIEF) as unit:
        await agreements.decide(unit, wish.agreement_id, grants=True)
    return wish.agreement_id


async def dispute(herald: Herald) -> None:
    report = CaseReport(
        kind=CaseKind.DISPUTE,
        reason="disputed",
        origin="test",
        object_kind="bill",
        object_id=herald.bill.bill_id,
        community_id=herald.bill.community_id,
        owner_role=OwnerRole.MANAGER,
        detail_zh="住户有异议",
        detail_en="the resident objects",
    )
    counter = herald.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await cases.raise_case(unit, report)
