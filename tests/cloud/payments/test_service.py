"""A wish to pay becomes a receipt once: by notification, by question, late, twice, in parallel, or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from cloud.billing import settling
from cloud.billing.settling import Settling, SettlingOrder
from cloud.payments.channel import Channel
from cloud.payments.errors import NothingToPayError, OtherIntentError
from cloud.payments.rules import AttemptState
from cloud.payments.service import Way
from tests.cloud.payments.counter import Counter


async def rows(counter: Counter, query: str) -> list[tuple[Any, ...]]:
    async with counter.database.view(counter.tenant) as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def cases(counter: Counter) -> list[str]:
    return [row[0] for row in await rows(counter, "select reason from open_case where closed_at is null order by 1")]


async def test_a_scanned_code_pays_the_bill_to_the_fen(counter: Counter) -> None:
    await counter.bill(0, 12_345)
    attempt = await counter.start()
    assert (attempt.state, attempt.amount_fen) == (AttemptState.SENT, 12_345)
    await counter.settle(attempt)
    (payment,) = await counter.payments()
    assert (payment.amount_fen, payment.ahead_fen, payment.order_number) == (12_345, 0, attempt.order_number)
    assert payment.number == "GARDEN-R2026-000001"
    assert await counter.open_fen() == 0
    assert (await counter.state(attempt)).state is AttemptState.PAID
    assert await rows(counter, "select fen, route from transfer where route = 'receipt'") == [(12_345, "receipt")]


async def test_defect_7_ten_parallel_notifications_and_a_query_make_one_receipt(counter: Counter) -> None:
    await counter.bill(0, 500)
    attempt = await counter.start()
    await counter.channel.control("mischief", kind="notify_parallel", value=10)
    await counter.scan(attempt)
    async with asyncio.TaskGroup() as group:
        group.create_task(counter.deliver())
        for _ in range(3):
            group.create_task(counter.cashier.refresh(counter.tenant, counter.office.site.actor, attempt.attempt_id))
    await counter.work()
    assert len(await counter.payments()) == 1
    assert counter.counted("stored") == 1
    assert counter.counted("repeated") == 9
    assert await counter.open_fen() == 0
    assert await counter.ahead_fen() == 0


async def test_a_notification_that_never_comes_is_made_up_for_by_asking(counter: Counter) -> None:
    await counter.bill(0, 500)
    attempt = await counter.start()
    await counter.channel.control("mischief", kind="notify_never")
    await counter.scan(attempt)
    counter.office.clock.advance(seconds=5)
    await counter.work()
    assert len(await counter.payments()) == 1


async def test_a_payment_that_succeeds_after_closing_is_booked(counter: Counter) -> None:
    await counter.bill(0, 500)
    attempt = await counter.start()
    counter.office.clock.advance(hours=3)
    await counter.work()
    assert (await counter.state(attempt)).state is AttemptState.CLOSED
    await counter.settle(attempt, late=True)
    assert (await counter.state(attempt)).state is AttemptState.PAID
    assert [payment.amount_fen for payment in await counter.payments()] == [500]


async def test_one_pays_in_part_and_one_too_much(counter: Counter) -> None:
    await counter.bill(0, 1_000, 1_000)
    await counter.settle(await counter.start(0, amount_fen=400))
    await counter.settle(await counter.start(1, amount_fen=1_300))
    assert (await counter.open_fen(0), await counter.ahead_fen(0)) == (600, 0)
    assert (await counter.open_fen(1), await counter.ahead_fen(1)) == (0, 300)


async def test_several_bills_are_paid_at_once_the_oldest_first(counter: Counter) -> None:
    for month in range(3):
        await counter.bill(month, 100 * (month + 1))
    await counter.settle(await counter.start(amount_fen=350))
    assert await counter.office.open_fen(counter.office.site.flats[0]) == [250]


async def test_two_people_paying_one_bill_are_both_booked_and_a_refund_is_proposed(counter: Counter) -> None:
    await counter.bill(0, 800)
    bills = [row[0] for row in await rows(counter, "select bill_id from bill")]
    first, second = await counter.start(bill_ids=bills), await counter.start(bill_ids=bills)
    await counter.settle(first)
    await counter.settle(second)
    assert [payment.ahead_fen for payment in await counter.payments()] in ([800, 0], [0, 800])
    assert await counter.ahead_fen() == 800
    assert await cases(counter) == ["duplicate_payment"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("notify_forged", "bad_signature"),
        ("notify_probe", "bad_signature"),
        ("notify_truncated", "bad_signature"),
        ("notify_stale", "stale"),
        ("notify_unknown_serial", "unknown_serial"),
    ],
)
async def test_a_notification_that_proves_nothing_writes_nothing_and_its_honest_repetition_pays(
    counter: Counter, kind: str, reason: str
) -> None:
    await counter.bill(0, 500)
    attempt = await counter.start()
    await counter.channel.control("mischief", kind=kind)
    await counter.scan(attempt)
    before = await rows(counter, "select count(*) from audit")
    await counter.deliver()
    assert counter.counted(reason) == 1
    assert await rows(counter, "select count(*) from audit") == before
    assert await rows(counter, "select * from notification") == []
    await asyncio.sleep(0.001)
    await counter.deliver()
    await counter.work()
    assert len(await counter.payments()) == 1


@pytest.mark.parametrize("kind", ["notify_wrong_amount", "notify_wrong_merchant"])
async def test_a_signed_notification_that_lies_is_refused_books_nothing_and_opens_a_case(
    counter: Counter, kind: str
) -> None:
    await counter.bill(0, 500)
    attempt = await counter.start()
    await counter.channel.control("mischief", kind=kind, value=1)
    await counter.scan(attempt)
    await counter.deliver()
    assert counter.counted("differs") == 1
    assert await counter.payments() == ()
    assert await cases(counter) == ["answer_differs"]
    await counter.work()
    assert [payment.amount_fen for payment in await counter.payments()] == [500]


async def test_a_notification_of_a_strange_order_books_nothing_and_opens_a_case(counter: Counter) -> None:
    await counter.bill(0, 500)
    attempt = await counter.start()
    await counter.channel.control("mischief", kind="notify_wrong_order")
    await counter.channel.control("mischief", kind="query_wrong_amount", value=1, times=9)
    await counter.scan(attempt)
    await counter.deliver()
    assert counter.counted("not_ours") == 1
    assert await cases(counter) == ["order_not_ours"]


@pytest.mark.parametrize("kind", ["query_wrong_amount", "query_wrong_merchant"])
async def test_an_answer_that_differs_by_a_fen_or_a_merchant_books_nothing(counter: Counter, kind: str) -> None:
    await counter.bill(0, 500)
    attempt = await counter.start()
    await counter.channel.control("mischief", kind=kind, value=1)
    await counter.settle(attempt)
    assert (await counter.state(attempt)).state is AttemptState.DISPUTED
    assert await counter.payments() == ()
    assert await cases(counter) == ["answer_differs"]
    assert await counter.open_fen() == 500


@pytest.mark.parametrize("kind", ["commit_then_error", "unsigned", "wrong_key"])
async def test_an_order_of_unknown_fate_is_asked_about_and_closed_never_sent_again(counter: Counter, kind: str) -> None:
    await counter.bill(0, 500)
    await counter.channel.control("mischief", kind=kind)
    attempt = await counter.start()
    assert attempt.state is AttemptState.UNKNOWN
    counter.office.clock.advance(minutes=1)
    await counter.work()
    assert (await counter.state(attempt)).state is AttemptState.CLOSED
    book = await counter.channel.control("book", mchid=counter.account.merchant_number)
    assert [(trade["number"], trade["state"]) for trade in book["trades"]] == [(attempt.order_number, "CLOSED")]
    await counter.settle(await counter.start())
    assert await counter.open_fen() == 0


async def test_an_order_that_never_arrived_fails_after_asking(counter: Counter) -> None:
    await counter.bill(0, 500)
    await counter.channel.control("mischief", kind="server_error")
    attempt = await counter.start()
    counter.office.clock.advance(minutes=1)
    await counter.work()
    assert (await counter.state(attempt)).state is AttemptState.FAILED


async def test_the_same_intent_again_is_the_same_code_and_with_other_content_refused(counter: Counter) -> None:
    await counter.bill(0, 500)
    request = await counter.request()
    actor = counter.office.site.actor
    first = await counter.cashier.start(counter.tenant, actor, request, Way.usual(Channel.WECHAT))
    again = await counter.cashier.start(counter.tenant, actor, request, Way.usual(Channel.WECHAT))
    assert first == again
    other = replace(request, amount_fen=1)
    with pytest.raises(OtherIntentError):
        await counter.cashier.start(counter.tenant, actor, other, Way.usual(Channel.WECHAT))


async def test_nothing_open_and_no_amount_named_is_refused(counter: Counter) -> None:
    await counter.bill(0, 0, 700)
    with pytest.raises(NothingToPayError):
        await counter.start(0)


async def test_a_payment_settles_in_the_order_the_community_decided(counter: Counter) -> None:
    await counter.bill(0, 500)
    await counter.bill(1, 700)
    site = counter.office.site
    async with site.database.unit(site.tenant, site.actor) as unit:
        await settling.decide_order(unit, site.community_id, Settling(order=SettlingOrder.NEWEST_FIRST))
    await counter.settle(await counter.start(amount_fen=700))
    assert await counter.office.open_fen(site.flats[0]) == [500]
