"""Many answers noted together: each is booked as it would be alone, and one that differs takes nothing with it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from cloud.kit.runner import JobContext
from cloud.payments import answers, service
from cloud.payments.cashier import ask
from cloud.payments.channels.provider import OrderView, Unknown, UnknownReason
from cloud.payments.errors import UnknownAttemptError
from cloud.payments.rules import AttemptState
from cloud.payments.tasks import PaymentTasks
from cloud.payments.values import Attempt
from tests.cloud.payments.counter import Counter


async def answer(counter: Counter, attempt: Attempt) -> OrderView:
    found = await ask(counter.providers.of(counter.account), attempt, expired=False)
    assert isinstance(found, OrderView)
    return found


async def paid(counter: Counter, flat: int, fen: int) -> Attempt:
    attempt = await counter.start(flat, amount_fen=fen)
    await counter.scan(attempt)
    return attempt


async def test_answers_about_several_accounts_are_booked_in_one_unit(counter: Counter) -> None:
    await counter.bill(0, 1_000, 2_000)
    attempts = [await paid(counter, 0, 400), await paid(counter, 1, 2_500)]
    told = {one.attempt_id: await answer(counter, one) for one in attempts}
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        noted = await answers.note_all_asked(unit, told)
    assert {one.state for one in noted} == {AttemptState.PAID}
    assert (await counter.open_fen(0), await counter.ahead_fen(0)) == (600, 0)
    assert (await counter.open_fen(1), await counter.ahead_fen(1)) == (0, 500)
    numbers = [payment.number for flat in (0, 1) for payment in await counter.payments(flat)]
    assert len(set(numbers)) == 2


async def test_two_payments_of_one_account_settle_one_after_the_other_in_one_unit(counter: Counter) -> None:
    await counter.bill(0, 1_000)
    attempts = [await paid(counter, 0, 700), await paid(counter, 0, 700)]
    told = {one.attempt_id: await answer(counter, one) for one in attempts}
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await answers.note_all_asked(unit, told)
    assert (await counter.open_fen(0), await counter.ahead_fen(0)) == (0, 400)
    assert sorted(payment.ahead_fen for payment in await counter.payments(0)) == [0, 400]


async def test_an_answer_that_differs_by_a_fen_books_nothing_and_the_others_are_booked(counter: Counter) -> None:
    await counter.bill(0, 1_000, 1_000)
    good, bad = await paid(counter, 0, 100), await paid(counter, 1, 100)
    told = {good.attempt_id: await answer(counter, good)}
    told[bad.attempt_id] = replace(await answer(counter, bad), total_fen=101)
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await answers.note_all_asked(unit, told)
    assert (await counter.state(good)).state is AttemptState.PAID
    assert (await counter.state(bad)).state is AttemptState.DISPUTED
    assert await counter.payments(1) == ()


async def test_an_unknown_answer_is_asked_about_again_beside_one_that_is_booked(counter: Counter) -> None:
    await counter.bill(0, 1_000, 1_000)
    good, lost = await paid(counter, 0, 100), await paid(counter, 1, 100)
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await answers.note_all_asked(
            unit,
            {
                good.attempt_id: await answer(counter, good),
                lost.attempt_id: Unknown(reason=UnknownReason.TIMEOUT, detail="late"),
            },
        )
    assert (await counter.state(good)).state is AttemptState.PAID
    noted = await counter.state(lost)
    assert (noted.state, noted.asked) == (AttemptState.SENT, 1)


async def test_an_attempt_that_is_not_ours_notes_nothing_at_all(counter: Counter) -> None:
    await counter.bill(0, 1_000)
    good = await paid(counter, 0, 100)
    told: dict[UUID, answers.Answer] = {
        good.attempt_id: await answer(counter, good),
        counter.account.merchant_account_id: Unknown(reason=UnknownReason.TIMEOUT, detail=""),
    }
    with pytest.raises(UnknownAttemptError):
        async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
            await answers.note_all_asked(unit, told)
    assert (await counter.state(good)).state is AttemptState.SENT


async def test_notifications_of_one_moment_are_asked_about_and_booked_together(counter: Counter) -> None:
    await counter.bill(0, 1_000, 1_000)
    tasks = PaymentTasks(counter.providers)
    alone: list[str] = []

    async def refuse(context: JobContext) -> None:
        alone.append(context.job.key)
        raise AssertionError("these are done together")

    counter.runner.handlers = {**counter.runner.handlers, service.ASK: refuse}
    counter.runner.together = {service.ASK: tasks.together()}
    attempts = [await paid(counter, flat, 100) for flat in (0, 1, 0)]
    await counter.deliver()
    await counter.work()
    assert alone == []
    assert {(await counter.state(one)).state for one in attempts} == {AttemptState.PAID}
    assert (len(await counter.payments(0)), len(await counter.payments(1))) == (2, 1)
