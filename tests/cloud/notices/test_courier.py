"""A letter is brought at most once, whatever fails around it, and what is known of it is what the provider said."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from cloud.kit.jobs import NewJob
from cloud.notices import repository
from cloud.notices.kinds import DeliveryState
from cloud.notices.rules import RETRY_AFTER
from tests.cloud.notices.conftest import Herald


async def test_a_text_is_taken_on_and_told_to_have_arrived(herald: Herald) -> None:
    await herald.wants_texts()
    await herald.morning(0)
    row = await herald.delivery()
    assert (row.state, row.attempts, row.shown) == (DeliveryState.ACCEPTED, 1, "138****8000")
    (text,) = herald.gateway.texts
    assert (text.number, text.words["number"], text.words["amount"]) == (
        "13800138000",
        herald.bill.number,
        f"{herald.bill.total_fen / 100:.2f}",
    )
    herald.gateway.report(arrived=True)
    row = await herald.later(minutes=1)
    assert (row.state, row.reason) == (DeliveryState.DELIVERED, "")


async def test_a_text_that_did_not_arrive_has_failed_with_the_providers_reason(herald: Herald) -> None:
    await herald.wants_texts()
    await herald.morning(0)
    herald.gateway.report(arrived=False)
    row = await herald.later(minutes=1)
    assert (row.state, row.reason) == (DeliveryState.FAILED, "MK:0001")
    assert len(herald.gateway.texts) == 1


async def test_a_number_of_nobody_fails_at_once_and_stands_in_the_inbox_all_the_same(herald: Herald) -> None:
    await herald.wants_texts("13900000000")
    await herald.morning(0)
    row = await herald.delivery()
    assert (row.state, row.reason) == (DeliveryState.FAILED, "isv.MOBILE_NUMBER_ILLEGAL")


async def test_what_was_certainly_not_sent_is_tried_again_on_the_plan(herald: Herald) -> None:
    await herald.wants_texts()
    herald.gateway.trouble = "slow_down"
    await herald.morning(0)
    row = await herald.delivery()
    assert (row.state, row.reason) == (DeliveryState.WAITING, "isv.BUSINESS_LIMIT_CONTROL")
    assert row.next_at == herald.clock.now() + RETRY_AFTER[0]
    row = await herald.later(minutes=1)
    assert (row.state, row.attempts) == (DeliveryState.ACCEPTED, 2)
    assert len(herald.gateway.texts) == 1


async def test_the_plan_ends_and_keeps_out_of_the_quiet_hours(herald: Herald) -> None:
    await herald.wants_texts()
    herald.gateway.trouble = "slow_down"
    await herald.morning(0, hour=18)
    told = herald.clock.now()
    row = await herald.delivery()
    for attempt in range(1, len(RETRY_AFTER) + 1):
        row = await herald.delivery()
        assert row.attempts == attempt
        assert row.next_at is not None
        assert 8 <= row.next_at.hour < 21
        herald.gateway.trouble = "slow_down"
        herald.clock.set(row.next_at)
        await herald.teller.drain()
    assert row.next_at == herald.clock.now() > told + sum(RETRY_AFTER, timedelta())
    row = await herald.delivery()
    assert (row.state, row.attempts) == (DeliveryState.FAILED, len(RETRY_AFTER) + 1)
    assert herald.gateway.texts == []


async def test_a_bill_paid_while_its_text_waited_is_not_told_any_more(herald: Herald) -> None:
    await herald.wants_texts()
    herald.gateway.trouble = "slow_down"
    await herald.morning(0)
    await herald.counter.settle(await herald.counter.start(0))
    row = await herald.later(minutes=1)
    assert row.state is DeliveryState.FAILED
    assert "paid" in row.reason
    assert herald.gateway.texts == []


async def test_a_lost_answer_is_asked_about_and_never_sent_again(herald: Herald) -> None:
    await herald.wants_texts()
    herald.gateway.trouble = "answer_lost"
    await herald.morning(0)
    assert (await herald.delivery()).state is DeliveryState.SENDING
    row = await herald.later(minutes=1)
    assert row.state is DeliveryState.ACCEPTED
    herald.gateway.report(arrived=True)
    assert (await herald.later(minutes=10)).state is DeliveryState.DELIVERED
    assert len(herald.gateway.texts) == 1


async def test_a_call_of_which_nobody_knows_ends_as_unknown_and_never_goes_out_again(herald: Herald) -> None:
    await herald.wants_texts()
    herald.gateway.trouble = "answer_lost"
    await herald.morning(0)
    herald.gateway.texts.clear()
    for pause in (1, 10, 60, 360):
        await herald.later(minutes=pause)
    row = await herald.delivery()
    assert (row.state, row.attempts) == (DeliveryState.UNKNOWN, 1)
    assert row.reason
    assert herald.gateway.texts == []


async def test_a_worker_that_died_in_the_middle_of_a_call_leaves_a_letter_that_is_asked_about(herald: Herald) -> None:
    await herald.wants_texts()
    herald.gateway.trouble = "slow_down"
    await herald.morning(0)
    counter, notice_id = herald.counter, (await herald.delivery()).notice_id
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        row = await repository.delivery(unit.session, notice_id, lock=True)
        assert row is not None
        row.state, row.leased_until, row.next_at = DeliveryState.SENDING, unit.now + timedelta(minutes=2), None
        unit.record("moved", "delivery", notice_id)
    assert await herald.courier.bring(counter.tenant, notice_id) is DeliveryState.SENDING
    assert herald.gateway.texts == []
    for pause in (2, 10, 60, 360):
        row = await herald.later(minutes=pause)
    row = await herald.later(hours=6)
    assert row.state is DeliveryState.UNKNOWN
    assert herald.gateway.texts == []


async def test_two_who_bring_one_letter_send_it_once(herald: Herald) -> None:
    await herald.wants_texts()
    await herald.morning(0)
    counter, notice_id = herald.counter, (await herald.delivery()).notice_id
    payload = {"tenant_id": str(counter.tenant), "notice_id": str(notice_id)}
    receipt = await herald.courier.send(UUID(int=1), payload)
    assert receipt == f"courier:{notice_id}:accepted"
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        unit.enqueue(NewJob(kind="notices.retry", key="again", payload={"notice_id": str(notice_id)}))
        unit.record("asked for", "notice", notice_id)
    await herald.teller.drain()
    assert len(herald.gateway.texts) == 1
