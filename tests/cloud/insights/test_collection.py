"""Billed, received and overdue are what the book says, through payments, corrections and prepayments."""

from __future__ import annotations

from datetime import date, timedelta

from cloud.insights import collection
from cloud.insights.figures import Collected
from cloud.kit.db import Database
from common.civil import Period
from common.ids import TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office


async def billed_year(office: Office, months: int) -> None:
    for month in range(months):
        for number, flat in enumerate(office.site.flats, start=1):
            office.set(flat, b.SERVICE, month, 10_000 * number)
            office.set(flat, b.ELECTRICITY, month, 700)
        await office.bill_month(month)


async def total(office: Office, month: int) -> Collected:
    async with office.site.database.view(office.site.tenant) as session:
        found = await collection.by_building(session, office.site.community_id, b.MONTHS[month].start)
    return found[0].collected


async def test_what_is_billed_and_not_yet_paid_is_all_open(office: Office) -> None:
    await billed_year(office, 1)
    assert await total(office, 0) == Collected(billed_fen=60_000 + 2_100, received_fen=0)


async def test_a_payment_counts_for_the_month_of_its_bill_and_on_the_day_it_came(office: Office) -> None:
    await billed_year(office, 2)
    await office.pay(office.site.flats[0], "p1")
    today = office.clock.now().date()
    assert (await total(office, 0)).received_fen == 10_700
    assert (await total(office, 1)).received_fen == 10_700
    async with office.site.database.view(office.site.tenant) as session:
        days = await collection.receipts(session, office.site.community_id, Period(today, today + timedelta(days=3)))
    assert [day.fen for day in days] == [21_400, 0, 0]


async def test_a_correction_after_payment_lowers_billed_and_received_together(office: Office) -> None:
    flat = office.site.flats[0]
    await billed_year(office, 1)
    await office.pay(flat, "p1")
    office.set(flat, b.SERVICE, 0, 4_000)
    await office.correct([flat], 0)
    found = await total(office, 0)
    assert found == Collected(billed_fen=56_100, received_fen=4_700)
    assert found.open_fen == sum([sum(await office.open_fen(flat)) for flat in office.site.flats])


async def test_billed_less_received_is_what_the_book_says_is_open(office: Office) -> None:
    await billed_year(office, 3)
    await office.pay(office.site.flats[1], "p1")
    office.set(office.site.flats[2], b.SERVICE, 1, 35_000)
    await office.correct([office.site.flats[2]], 0)
    periods = [b.MONTHS[month] for month in range(3)]
    async with office.site.database.view(office.site.tenant) as session:
        found = await collection.by_period(session, office.site.community_id, periods)
    assert [one.start for one in found] == [period.start for period in periods]
    assert sum(one.collected.open_fen for one in found) == sum(
        [sum(await office.open_fen(flat)) for flat in office.site.flats]
    )


async def test_debtors_are_those_with_something_overdue_the_largest_first(office: Office) -> None:
    await billed_year(office, 2)
    await office.pay(office.site.flats[2], "p1")
    async with office.site.database.view(office.site.tenant) as session:
        before = await collection.debtors(session, office.site.community_id, date(2026, 2, 15), 10)
        after = await collection.debtors(session, office.site.community_id, date(2026, 2, 16), 10)
        first = await collection.debtors(session, office.site.community_id, date(2026, 12, 1), 1)
    assert before == ()
    assert [(one.room, one.overdue_fen, one.since) for one in after] == [
        ("1-1-002", 20_700, date(2026, 2, 15)),
        ("1-1-001", 10_700, date(2026, 2, 15)),
    ]
    assert [(one.room, one.overdue_fen) for one in first] == [("1-1-002", 41_400)]


async def test_the_figures_of_another_company_are_not_seen(
    office: Office, database: Database, other_tenant: TenantId
) -> None:
    await billed_year(office, 1)
    async with database.view(other_tenant) as session:
        assert await collection.by_building(session, office.site.community_id, b.MONTHS[0].start) == ()
        assert await collection.debtors(session, office.site.community_id, date(2027, 1, 1), 10) == ()


async def test_the_newest_periods_come_first_and_a_future_one_not_at_all(office: Office) -> None:
    await billed_year(office, 3)
    async with office.site.database.view(office.site.tenant) as session:
        found = await collection.last_periods(session, office.site.community_id, date(2026, 2, 10), 5)
    assert found == [b.MONTHS[1], b.MONTHS[0]]
