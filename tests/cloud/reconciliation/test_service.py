"""A morning at the office: the channel's bill against our book, to the fen, until all is explained or named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from cloud.kit.errors import ConflictError, NotFoundError
from cloud.kit.jobs import NewJob
from cloud.payments.values import Attempt
from cloud.reconciliation import service, tasks
from cloud.reconciliation.matching import BreakClass
from cloud.reconciliation.service import DayReport
from common.errors import RefusalError
from tests.cloud.payments.counter import Counter

NOON = timedelta(hours=4)  # 12:00 in Beijing


async def rows(counter: Counter, query: str) -> list[tuple[Any, ...]]:
    async with counter.database.view(counter.tenant) as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def open_cases(counter: Counter) -> list[str]:
    return [row[0] for row in await rows(counter, "select reason from open_case where closed_at is null order by 1")]


def today(counter: Counter) -> date:
    return (counter.office.clock.now() + timedelta(hours=8)).date()


async def day_of_payments(counter: Counter, *amounts: int, booked: bool = True) -> list[Attempt]:
    """Bill the flats and let each pay at noon, Beijing time."""
    await counter.bill(0, *amounts)
    now = counter.office.clock.now()
    counter.office.clock.set(datetime(now.year, now.month, now.day, tzinfo=UTC) + NOON)
    attempts = [await counter.start(flat) for flat in range(len(amounts))]
    for attempt in attempts:
        if booked:
            await counter.settle(attempt)
        else:
            await counter.channel.control("mischief", kind="notify_never", order=attempt.order_number)
            await counter.scan(attempt)
    return attempts


async def fetch(counter: Counter, day: date, cause: str = "test") -> None:
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        unit.enqueue(tasks.fetch_job(counter.account.merchant_account_id, day, cause))
    await counter.work()


async def morning_after(counter: Counter, day: date) -> DayReport:
    """Go to half past ten of the next day, fetch and compare, and return how the day stands."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    counter.office.clock.set(midnight + timedelta(days=1, hours=2, minutes=30))
    await fetch(counter, day)
    return await report(counter, day)


async def report(counter: Counter, day: date) -> DayReport:
    async with counter.database.view(counter.tenant) as session:
        return await service.day_report(session, counter.account.merchant_account_id, day)


def kinds(found: DayReport, *, still_open: bool = True) -> Sequence[BreakClass]:
    return [broken.kind for broken in found.breaks if (broken.closed_at is None) == still_open]


async def test_a_day_that_agrees_is_explained_to_a_hundred_percent(counter: Counter) -> None:
    await day_of_payments(counter, 12_345, 678, 9)
    found = await morning_after(counter, today(counter))
    assert (found.book_rows, found.channel_rows, found.figures.matched_rows) == (3, 3, 3)
    assert found.book_fen == found.channel_fen == found.figures.matched_fen == 13_032
    assert found.figures.explained_basis_points == 10_000
    assert found.breaks == ()
    assert len(await rows(counter, "select * from match")) == 3


async def test_a_day_without_trade_is_an_empty_statement_and_explained(counter: Counter) -> None:
    await counter.bill(0, 5)
    found = await morning_after(counter, today(counter) - timedelta(days=1))
    assert (found.channel_rows, found.book_rows, found.figures.explained_basis_points) == (0, 0, 10_000)


async def test_the_same_file_twice_changes_nothing(counter: Counter) -> None:
    await day_of_payments(counter, 100)
    day = today(counter)
    await morning_after(counter, day)
    before = await rows(counter, "select count(*), max(version) from statement_file")
    await fetch(counter, day, "again")
    assert await rows(counter, "select count(*), max(version) from statement_file") == before == [(1, 1)]


async def test_a_payment_whose_notice_was_lost_is_found_asked_about_booked_and_the_break_closes(
    counter: Counter,
) -> None:
    await day_of_payments(counter, 500, booked=False)
    day = today(counter)
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        await unit.session.execute(text("update job set state = 'done', done_at = now() where kind = 'payments.ask'"))
        unit.record("lost", "job", unit.new_id())
    found = await morning_after(counter, day)
    assert [payment.amount_fen for payment in await counter.payments()] == [500]
    assert kinds(found) == []
    assert kinds(found, still_open=False) == [BreakClass.LOST_NOTIFICATION]
    assert found.figures.explained_basis_points == 10_000
    assert await open_cases(counter) == []


async def test_a_row_the_channel_forgot_is_named_and_closes_when_the_bill_is_issued_again(counter: Counter) -> None:
    await day_of_payments(counter, 100, 200)
    day = today(counter)
    await counter.channel.control("mischief", kind="bill_drops_row", value=1)
    found = await morning_after(counter, day)
    assert kinds(found) == [BreakClass.BOOK_ONLY]
    assert found.figures.explained_basis_points < 10_000
    assert await open_cases(counter) == ["book_only", "fund_flow_differs"]
    await fetch(counter, day, "reissued")
    again = await report(counter, day)
    assert (again.version, kinds(again), again.figures.explained_basis_points) == (2, [], 10_000)
    assert await open_cases(counter) == []


async def test_a_doubled_row_and_a_wrong_amount_by_a_fen_are_named(counter: Counter) -> None:
    await day_of_payments(counter, 100, 200)
    day = today(counter)
    await counter.channel.control("mischief", kind="bill_wrong_amount", value=1)
    await counter.channel.control("mischief", kind="bill_doubles_row", value=1)
    found = await morning_after(counter, day)
    assert sorted(kinds(found)) == [BreakClass.AMOUNT_DIFFERS, BreakClass.DOUBLED_ROW]
    (differing,) = [broken for broken in found.breaks if broken.kind is BreakClass.AMOUNT_DIFFERS]
    assert (differing.channel_fen or 0) - (differing.book_fen or 0) == 1
    await fetch(counter, day, "reissued")
    assert kinds(await report(counter, day)) == []


async def test_a_payment_of_another_system_stays_open_until_a_person_explains_it(counter: Counter) -> None:
    attempts = await day_of_payments(counter, 100)
    day = today(counter)
    stranger = {
        "mchid": counter.account.merchant_number,
        "out_trade_no": "SHOP0000000000000000001",
        "description": "x",
        "notify_url": "http://elsewhere.test/n",
        "amount": {"total": 77, "currency": "CNY"},
        "time_expire": "2027-01-01T00:00:00+08:00",
    }
    counter.channel.channel.book.place(counter.account.merchant_number, stranger)
    await counter.channel.control("pay", number="SHOP0000000000000000001")
    found = await morning_after(counter, day)
    assert kinds(found) == [BreakClass.CHANNEL_ONLY]
    assert found.breaks[0].number != attempts[0].order_number
    assert found.figures.open_fen == 77
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        with pytest.raises(RefusalError, match="with a reason"):
            await service.close_break(unit, found.breaks[0].break_id, reason=" ")
        await service.close_break(unit, found.breaks[0].break_id, reason="小卖部误用商户号, 已退")
    await counter.work()
    again = await report(counter, day)
    assert (kinds(again), again.figures.explained_basis_points) == ([], 10_000)
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        with pytest.raises(ConflictError):
            await service.close_break(unit, found.breaks[0].break_id, reason="again")
        unit.record("tried", "recon_break", found.breaks[0].break_id)


async def test_a_file_whose_totals_contradict_it_is_kept_and_not_used(counter: Counter) -> None:
    await day_of_payments(counter, 100)
    day = today(counter)
    await counter.channel.control("mischief", kind="bill_wrong_total", value=1)
    with pytest.raises(NotFoundError, match="not compared"):
        await morning_after(counter, day)
    assert await open_cases(counter) == ["statement_unusable"]
    assert await rows(counter, "select version, rows, jsonb_array_length(faults) from statement_file") == [(1, 0, 2)]
    assert await rows(counter, "select * from statement_line") == []
    await fetch(counter, day, "again")
    assert (await report(counter, day)).version == 2


@pytest.mark.parametrize("kind", ["bill_not_ready", "bill_wrong_digest", "bill_foreign_host", "server_error"])
async def test_a_bill_that_cannot_be_had_or_believed_is_asked_for_again(counter: Counter, kind: str) -> None:
    await day_of_payments(counter, 100)
    day = today(counter)
    await counter.channel.control("mischief", kind=kind)
    with pytest.raises(NotFoundError):
        await morning_after(counter, day)
    counter.office.clock.advance(minutes=30)
    await counter.work()
    assert (await report(counter, day)).figures.explained_basis_points == 10_000


async def test_a_bill_that_never_comes_alarms_after_a_day(counter: Counter) -> None:
    await day_of_payments(counter, 100)
    day = today(counter)
    await counter.channel.control("mischief", kind="bill_not_ready", times=1000)
    with pytest.raises(NotFoundError):
        await morning_after(counter, day)
    for _ in range(tasks.TRIES_MAX):
        counter.office.clock.advance(minutes=30)
        await counter.work()
    assert await open_cases(counter) == ["statement_missing"]


async def test_a_payment_near_midnight_waits_for_the_next_days_bill_and_is_named_when_it_is_not_there(
    counter: Counter,
) -> None:
    await counter.bill(0, 100, 250)
    now = counter.office.clock.now()
    counter.office.clock.set(datetime(now.year, now.month, now.day, 15, 59, 30, tzinfo=UTC))
    day = today(counter)
    await counter.settle(await counter.start(0))
    await counter.channel.control("mischief", kind="bill_drops_row", value=1)
    found = await morning_after(counter, day)
    assert (found.figures.waiting_rows, found.figures.waiting_fen, kinds(found)) == (1, 100, [])
    await counter.settle(await counter.start(1))
    next_day = await morning_after(counter, day + timedelta(days=1))
    assert kinds(next_day) == [BreakClass.BOOK_ONLY]
    assert next_day.figures.matched_rows == 1


async def test_the_schedule_fetches_yesterday_for_every_merchant_account(counter: Counter) -> None:
    await day_of_payments(counter, 100)
    day = today(counter)
    counter.office.clock.set(datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, hours=2, minutes=5))
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        payload = {"day": (day + timedelta(days=1)).isoformat()}
        unit.enqueue(NewJob(kind=tasks.BEGIN, key="schedule:reconciliation", payload=payload))
    await counter.work()
    assert (await report(counter, day)).figures.explained_basis_points == 10_000
