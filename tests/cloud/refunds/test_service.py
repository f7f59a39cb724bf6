"""Refunds on the real database against the channel's own book: by rule, by persons, partial, at once, and refused."""

from __future__ import annotations

import asyncio

import pytest

from cloud.kit.db import Database
from cloud.kit.events import Event
from cloud.refunds import service
from cloud.refunds.errors import NothingLeftError, OtherRefundError, UnknownRefundError, VerdictError, WindowError
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


async def test_several_partial_refunds_never_pass_what_came_in(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(paid_fen=800)
    for part in (100, 200):
        assert (await till.refund(payment, part)).state is RefundState.ARRIVED
    with pytest.raises(NothingLeftError, match="500 fen"):
        await till.request(till.wish(payment, 501))
    assert sum(row["fen"] for row in await till.at_channel()) == 300


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


async def test_an_unknown_refund_is_told(till: Till) -> None:
    async with till.database.unit(till.counter.tenant, CLERK) as unit:
        with pytest.raises(UnknownRefundError, match="no such refund"):
            await service.judge(unit, new_id(), approves=True)
