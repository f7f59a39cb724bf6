"""Refunds on the real database against the channel's own book: by rule, by persons, partial, at once, and refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from cloud.kit.db import Database
from cloud.kit.events import Event
from cloud.reconciliation import service as reconciliation
from cloud.reconciliation import tasks as books
from cloud.refunds import service
from cloud.refunds.errors import (
    NothingLeftError,
    OtherRefundError,
    RefundStateError,
    UnknownRefundError,
    VerdictError,
    WindowError,
)
from cloud.refunds.events import RefundMoved
from cloud.refunds.rules import Doubt, RefundState
from cloud.refunds.values import Refund, RefundRequest
from common.errors import RefusalError
from tests.cloud.refunds.till import BOSS, CLERK, OTHER_BOSS, Till, new_id

CLIENTS = 8


async def test_inside_the_policy_what_was_paid_too_much_goes_back_by_itself(till: Till, published: list[Event]) -> None:
    await till.set_policy()
    payment = await till.paid(billed_fen=500, paid_fen=800)
    refund = await till.refund(payment, 300)
    assert (refund.state, refund.persons_needed, refund.doubts) == (RefundState.ARRIVED, 0, ())
    assert refund.arrived_at is not None
    (booked,) = await till.at_channel()
    assert (booked["number"], booked["fen"], booked["state"]) == (refund.refund_number, 300, "SUCCESS")
    assert (await till.counter.ahead_fen(), await till.counter.open_fen()) == (0, 0)
    assert await till.clearing_fen() == 500
    states = [event.state for event in published if isinstance(event, RefundMoved)]
    assert states == ["approved", "reserved", "submitted", "arrived"]


async def test_accepted_is_not_arrived_until_the_channel_says_so(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    await till.counter.channel.control("mischief", kind="refund_pending")
    refund = await till.refund(payment, 300)
    assert (refund.state, refund.arrived_at) == (RefundState.ACCEPTED, None)
    assert (await till.counter.ahead_fen(), await till.clearing_fen()) == (0, 800)
    await till.counter.channel.control("finish-refund", number=refund.refund_number)
    await till.counter.deliver()
    await till.counter.work()
    assert (await till.state(refund)).state is RefundState.ARRIVED
    assert await till.clearing_fen() == 500


async def test_a_lost_notification_of_a_refund_is_made_up_for_by_asking(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    await till.counter.channel.control("mischief", kind="refund_pending")
    refund = await till.refund(payment, 300)
    await till.counter.channel.control("finish-refund", number=refund.refund_number)
    await till.later(minutes=1)
    assert (await till.state(refund)).state is RefundState.ARRIVED


async def test_outside_the_policy_another_person_approves(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=30_000)
    waiting = await till.refund(payment, 20_000)
    assert (waiting.state, waiting.persons_needed) == (RefundState.REQUESTED, 1)
    assert waiting.doubts == (Doubt.ABOVE_LIMIT,)
    assert await till.open_cases() == ["refund_waits"]
    assert await till.at_channel() == []
    with pytest.raises(VerdictError, match="yourself"):
        await till.judge(waiting, CLERK)
    assert (await till.judge(waiting)).state is RefundState.ARRIVED
    assert await till.open_cases() == []


async def test_a_large_sum_and_a_house_without_limits_need_two_persons(till: Till) -> None:
    payment = await till.paid(paid_fen=70_000)
    unlimited = await till.refund(payment, 100)
    assert (unlimited.persons_needed, unlimited.doubts) == (2, (Doubt.NO_POLICY,))
    await till.set_policy()
    large = await till.refund(payment, 60_000)
    assert large.persons_needed == 2
    assert (await till.judge(large)).state is RefundState.REQUESTED
    with pytest.raises(VerdictError, match="already"):
        await till.judge(large, BOSS)
    assert (await till.judge(large, OTHER_BOSS)).state is RefundState.ARRIVED


async def test_one_rejection_ends_a_refund_and_gives_its_room_back(till: Till) -> None:
    payment = await till.paid(paid_fen=800)
    waiting = await till.refund(payment, 300)
    with pytest.raises(RefusalError, match="reason"):
        await till.judge(waiting, approves=False)
    assert (await till.judge(waiting, approves=False, note="not ours")).state is RefundState.REJECTED
    with pytest.raises(RefundStateError):
        await till.judge(waiting, OTHER_BOSS)
    await till.set_policy()
    assert (await till.refund(payment, 300)).state is RefundState.ARRIVED


async def test_several_partial_refunds_never_pass_what_came_in(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    for part in (100, 200):
        assert (await till.refund(payment, part)).state is RefundState.ARRIVED
    with pytest.raises(NothingLeftError, match="500 fen"):
        await till.request(till.wish(payment, 501))
    assert sum(row["fen"] for row in await till.at_channel()) == 300


async def test_a_refund_of_what_settled_a_bill_opens_its_lines_again_after_a_person_agreed(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(billed_fen=500, paid_fen=500)
    waiting = await till.refund(payment, 200)
    assert waiting.doubts == (Doubt.BILL_OPENS_AGAIN,)
    assert await till.counter.open_fen() == 0
    refund = await till.judge(waiting)
    assert (refund.state, [part.fen for part in refund.reopened]) == (RefundState.ARRIVED, [200])
    assert (await till.counter.open_fen(), await till.clearing_fen()) == (200, 300)


async def test_a_refund_that_the_channel_closes_settles_the_bill_again(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(billed_fen=500, paid_fen=500)
    await till.counter.channel.control("mischief", kind="refund_pending")
    refund = await till.judge(await till.refund(payment, 500))
    assert (refund.state, await till.counter.open_fen()) == (RefundState.ACCEPTED, 500)
    await till.counter.channel.control("finish-refund", number=refund.refund_number, state="CLOSED")
    await till.later()
    ended = await till.state(refund)
    assert (ended.state, ended.detail) == (RefundState.FAILED, "closed by the channel")
    assert (await till.counter.open_fen(), await till.counter.ahead_fen(), await till.clearing_fen()) == (0, 0, 500)
    assert await till.open_cases() == ["refund_failed"]
    assert (await till.judge(await till.refund(payment, 500))).state is RefundState.ARRIVED


async def test_a_refund_that_cannot_reach_the_payer_stays_accepted_and_a_person_is_told(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    await till.counter.channel.control("mischief", kind="refund_abnormal")
    refund = await till.refund(payment, 300)
    assert (refund.state, refund.detail) == (RefundState.ACCEPTED, "abnormal")
    assert await till.open_cases() == ["refund_abnormal"]
    await till.counter.channel.control("finish-refund", number=refund.refund_number)
    await till.later()
    assert (await till.state(refund)).state is RefundState.ARRIVED


@pytest.mark.parametrize("kind", ["commit_then_error", "unsigned", "wrong_key", "server_error", "rate_limited"])
async def test_a_refund_of_unknown_fate_is_asked_about_and_stands_once(till: Till, kind: str) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    await till.counter.channel.control("mischief", kind=kind, order=payment.order_number)
    refund = await till.refund(payment, 300)
    assert refund.state is RefundState.SUBMITTED
    await till.later()
    assert (await till.state(refund)).state is RefundState.ARRIVED
    assert [row["number"] for row in await till.at_channel()] == [refund.refund_number]


async def test_eight_clients_at_once_take_no_more_than_came_in(till: Till, database: Database) -> None:
    await till.set_policy()
    payment = await till.paid(billed_fen=500, paid_fen=800)
    granted: list[Refund] = []
    refused: list[NothingLeftError] = []

    async def ask(wish: RefundRequest) -> None:
        try:
            granted.append(await till.request(wish, database=database))
        except NothingLeftError as error:
            refused.append(error)

    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(ask(till.wish(payment, 300)))
    assert (len(granted), len(refused)) == (2, CLIENTS - 2)
    await till.counter.work()
    for refund in granted:
        current = await till.state(refund)
        if current.state is RefundState.REQUESTED:
            await till.judge(refund)
    booked = await till.at_channel()
    assert sum(row["fen"] for row in booked) == 600
    assert await till.clearing_fen() == 200


async def test_the_same_refund_again_is_the_same_and_with_other_content_refused(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    wish = till.wish(payment, 100)
    first = await till.request(wish)
    await till.counter.work()
    assert (await till.request(wish)).refund_number == first.refund_number
    with pytest.raises(OtherRefundError):
        await till.request(till.wish(payment, 101, refund_id=wish.refund_id))
    assert len(await till.at_channel()) == 1


async def test_after_the_channels_window_the_original_route_is_refused(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    till.counter.office.clock.advance(days=365)
    with pytest.raises(WindowError):
        await till.request(till.wish(payment, 300))


@pytest.mark.parametrize(("amount_fen", "reason"), [(0, "why"), (-1, "why"), (1, " "), (1, "x" * 81)])
async def test_a_refund_of_nothing_or_without_a_reason_is_refused(till: Till, amount_fen: int, reason: str) -> None:
    payment = await till.paid(paid_fen=800)
    with pytest.raises(RefusalError):
        till.wish(payment, amount_fen, reason=reason)


async def test_a_refund_appears_in_the_day_of_reconciliation_and_is_explained(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    refund = await till.refund(payment, 300)
    day = till.counter.office.clock.now().date()
    till.counter.office.clock.advance(days=1, hours=6)
    account_id = till.counter.account.merchant_account_id
    async with till.database.unit(till.counter.tenant, CLERK) as unit:
        unit.enqueue(books.fetch_job(account_id, day, "test"))
        unit.record("asked", "merchant_account", account_id)
    await till.counter.work()
    async with till.database.view(till.counter.tenant) as session:
        report = await reconciliation.day_report(session, account_id, day)
    assert (report.figures.matched_rows, report.figures.open_breaks) == (2, 0), report.breaks
    assert report.figures.explained_basis_points == 10_000
    assert refund.arrived_at is not None
    assert refund.arrived_at - payment.paid_at < timedelta(hours=1)


async def test_a_refund_done_at_the_channel_only_is_a_break_that_asking_closes(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    await till.counter.channel.control("mischief", kind="refund_pending")
    refund = await till.refund(payment, 300)
    await till.counter.channel.control("finish-refund", number=refund.refund_number)
    day = till.counter.office.clock.now().date()
    till.counter.office.clock.advance(days=1, hours=6)
    account_id = till.counter.account.merchant_account_id
    async with till.database.unit(till.counter.tenant, CLERK) as unit:
        unit.enqueue(books.fetch_job(account_id, day, "test"))
        unit.record("asked", "merchant_account", account_id)
    await till.counter.work()
    assert (await till.state(refund)).state is RefundState.ARRIVED
    async with till.database.view(till.counter.tenant) as session:
        report = await reconciliation.day_report(session, account_id, day)
    assert report.figures.open_breaks == 0, report.breaks


async def test_an_unknown_refund_is_told(till: Till) -> None:
    async with till.database.unit(till.counter.tenant, CLERK) as unit:
        with pytest.raises(UnknownRefundError, match="no such refund"):
            await service.judge(unit, new_id(), approves=True)
