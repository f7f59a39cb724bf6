"""An announced amount: told in time, tried once a day, never doubled, booked however late, decided in the end."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID

import pytest

from cloud.kit.events import Event
from cloud.mandates import debits, service
from cloud.mandates.errors import UnknownMandateError
from cloud.mandates.events import DebitAnnounced, DebitFailed
from cloud.mandates.rules import DebitState
from cloud.payments.channel import Channel, Method
from tests.cloud.mandates.purse import Purse
from tests.support.randomness import seeded_bytes


async def state(purse: Purse, debit_id: UUID) -> DebitState:
    async with purse.hall.counter.database.view(purse.hall.counter.tenant) as session:
        return (await debits.debit(session, debit_id)).state


async def tries(purse: Purse, debit_id: UUID) -> int:
    async with purse.hall.counter.database.view(purse.hall.counter.tenant) as session:
        return len(await debits.tries(session, debit_id))


async def test_what_is_due_is_announced_once_and_taken_on_the_first_day(purse: Purse, published: list[Event]) -> None:
    await purse.signed()
    debit = await purse.told()
    await purse.look()
    (told,) = [one for one in published if isinstance(one, DebitAnnounced)]
    assert (told.amount_fen, told.first_on, debit.execute_on) == (12_345, date(2026, 2, 22), date(2026, 2, 25))
    await purse.on(21)
    assert await purse.paid() == []
    await purse.on(22)
    await purse.hall.deliver(purse.channel)
    await purse.hall.counter.work()
    (payment,) = await purse.hall.counter.payments()
    assert (payment.amount_fen, payment.method, payment.channel) == (12_345, Method.DEDUCTION, purse.channel)
    assert await state(purse, debit.debit_id) is DebitState.TAKEN
    await purse.on(25)
    assert await purse.paid() == [12_345]
    assert await purse.hall.counter.open_fen() == 0


async def test_a_refusal_is_tried_again_on_the_next_day_and_fails_after_the_last(
    purse: Purse, published: list[Event]
) -> None:
    await purse.signed()
    debit = await purse.told()
    await purse.act("mischief", kind="code_refused", times=3)
    for day, count in ((22, 1), (23, 1), (24, 2), (25, 3)):
        await purse.on(day)
        assert await tries(purse, debit.debit_id) == count
    assert await state(purse, debit.debit_id) is DebitState.FAILED
    assert len([one for one in published if isinstance(one, DebitFailed)]) == 1
    assert await purse.paid() == []
    await purse.on(26, hour=9)
    await purse.look()
    assert len([one for one in published if isinstance(one, DebitFailed)]) == 1


async def test_the_second_try_takes_what_the_first_could_not(purse: Purse) -> None:
    await purse.signed()
    debit = await purse.told()
    await purse.act("mischief", kind="code_refused")
    await purse.on(22)
    await purse.on(24)
    assert (await purse.paid(), await state(purse, debit.debit_id)) == ([12_345], DebitState.TAKEN)


async def test_an_unknown_end_is_asked_and_never_sent_again(purse: Purse) -> None:
    await purse.signed()
    debit = await purse.told()
    await purse.act("mischief", kind="notify_never")
    await purse.act("mischief", kind="commit_then_error", order="")
    for day in (22, 24, 25):
        await purse.on(day)
        await purse.on(day, hour=12)
    assert (await purse.paid(), await tries(purse, debit.debit_id)) == ([12_345], 1)
    assert await state(purse, debit.debit_id) is DebitState.TAKEN


async def test_money_paid_by_hand_cancels_the_deduction(purse: Purse) -> None:
    await purse.signed()
    debit = await purse.told()
    await purse.hall.settle(Channel.WECHAT, await purse.hall.start(Channel.WECHAT))
    await purse.on(22)
    assert await purse.paid() == [12_345]
    assert (await state(purse, debit.debit_id), await tries(purse, debit.debit_id)) == (DebitState.CANCELLED, 0)


async def test_a_part_paid_by_hand_lowers_what_is_taken(purse: Purse) -> None:
    await purse.signed()
    await purse.told()
    await purse.hall.settle(Channel.WECHAT, await purse.hall.start(Channel.WECHAT, amount_fen=2_345))
    await purse.on(22)
    assert sorted(await purse.paid()) == [2_345, 10_000]
    assert await purse.hall.counter.ahead_fen() == 0


async def test_what_is_billed_after_the_notice_is_not_taken_by_it(purse: Purse) -> None:
    await purse.signed()
    await purse.told()
    await purse.hall.counter.bill(1, 999)
    await purse.on(22, month=2)
    assert await purse.paid() == [12_345]
    assert await purse.hall.counter.open_fen() == 999


async def test_above_the_limit_nothing_is_announced_and_the_payer_can_see_why(purse: Purse) -> None:
    mandate = await purse.signed(limit_fen=12_344)
    await purse.on(18, hour=9)
    await purse.look()
    assert await purse.debits(mandate) == ()
    assert (await purse.mandate(mandate.mandate_id)).detail == debits.ABOVE_LIMIT


async def test_ten_tries_at_once_send_one_order(purse: Purse) -> None:
    await purse.signed()
    debit = await purse.told()
    counter = purse.hall.counter
    counter.office.clock.advance(days=4)
    day = date(2026, 2, 22)
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(purse.clerk.take(counter.tenant, counter.office.site.actor, debit.debit_id, day))
    counter.office.clock.advance(seconds=10)
    await counter.work()
    assert (await purse.paid(), await tries(purse, debit.debit_id)) == ([12_345], 1)


async def test_a_paused_mandate_takes_nothing_and_an_amount_it_announced_is_cancelled(purse: Purse) -> None:
    mandate = await purse.signed()
    debit = await purse.told()
    counter = purse.hall.counter
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await service.pause(unit, mandate.mandate_id)
    await purse.on(22)
    assert (await purse.paid(), await state(purse, debit.debit_id)) == ([], DebitState.CANCELLED)


async def test_a_try_whose_day_or_hour_is_over_sends_nothing(purse: Purse) -> None:
    await purse.signed()
    debit = await purse.told()
    await purse.on(22, hour=22)
    assert (await purse.paid(), await tries(purse, debit.debit_id)) == ([], 0)
    await purse.on(23)
    assert await tries(purse, debit.debit_id) == 0
    await purse.on(24)
    assert await purse.paid() == [12_345]


async def test_late_money_of_a_failed_amount_is_booked_and_noted(purse: Purse) -> None:
    await purse.signed()
    debit = await purse.told()
    await purse.act("mischief", kind="code_waits", times=3)
    for day in (22, 24, 25, 26):
        await purse.on(day)
        await purse.on(day, hour=20)
    await purse.look()
    assert await state(purse, debit.debit_id) is DebitState.FAILED
    async with purse.hall.counter.database.view(purse.hall.counter.tenant) as session:
        (*_, last) = await debits.tries(session, debit.debit_id)
    await purse.hall.pay(purse.channel, last, late=True)
    await purse.hall.deliver(purse.channel)
    await purse.hall.counter.work()
    assert (await purse.paid(), await state(purse, debit.debit_id)) == ([12_345], DebitState.TAKEN)


async def test_a_strange_amount_is_unknown(purse: Purse) -> None:
    counter = purse.hall.counter
    with pytest.raises(UnknownMandateError):
        async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
            await debits.open_try(unit, UUID(int=1), date(2026, 2, 22), seeded_bytes(1))
    async with counter.database.view(counter.tenant) as session:
        with pytest.raises(UnknownMandateError):
            await debits.debit(session, UUID(int=1))
