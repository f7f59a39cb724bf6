"""Bill runs on the real database: each obligation once, nothing invented, numbers without a gap, frozen when issued."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cloud.billing import runs, service
from cloud.billing.errors import UnknownBillError, UnknownPeriodError
from cloud.billing.events import BillsIssued
from cloud.billing.service import RunScope
from cloud.cases import service as cases
from cloud.kit.events import Event
from cloud.kit.roles import APP, WORKER
from cloud.ledger import service as ledger
from cloud.tariffs.charge import FundClass
from common.ids import BillId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.support.postgres import TestServer


async def rows(office: Office, query: str, values: Mapping[str, object] | None = None) -> list[tuple[object, ...]]:
    async with office.site.database.view(office.site.tenant) as session:
        return [tuple(row) for row in await session.execute(text(query), values or {})]


def priced(office: Office, month: int = 0) -> None:
    for number, flat in enumerate(office.site.flats, start=1):
        office.set(flat, b.ELECTRICITY, month, number * 1000)
        office.set(flat, b.FUND, month, 55)


async def test_a_run_issues_one_bill_for_each_obligation_and_books_each_line(office: Office) -> None:
    priced(office)
    (report, last) = await office.bill_month(0)
    assert (report.issued, report.waived, report.waiting, report.total_fen) == (4, 0, 0, 10_000 + 4 * 55)
    assert last.issued == 0
    numbers = [row[0] for row in await rows(office, "select number from bill order by number")]
    assert numbers == [f"GARDEN-B2026-{n:06d}" for n in range(1, 5)]
    lines = await rows(office, "select bill_id, n, fen, net_fen + tax_fen from bill_line order by 1, 2")
    transfers = await rows(office, "select bill_id, line_n, fen, fen from transfer order by 1, 2")
    assert lines == transfers
    assert sorted(await office.open_fen(office.site.flats[1])) == [55, 2000]


async def test_a_second_run_writes_nothing(office: Office) -> None:
    priced(office)
    scope = await office.period(0)
    await office.run(scope)
    before = await rows(office, "select (select count(*) from audit), (select count(*) from journal)")
    (report,) = await office.run(scope)
    assert (report.issued, report.after) == (0, None)
    assert await rows(office, "select (select count(*) from audit), (select count(*) from journal)") == before


async def test_eight_workers_run_one_period_and_every_account_is_billed_once(office: Office) -> None:
    priced(office)
    scope = await office.period(0)
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(office.run(scope))
    assert await rows(office, "select count(*), count(distinct account_id), sum(total_fen) from bill") == [
        (4, 4, 10_220)
    ]
    assert await rows(office, "select next from number_series") == [(5,)]


async def test_a_preview_shows_what_the_run_issues_and_writes_nothing(office: Office) -> None:
    priced(office)
    scope = await office.period(0)
    async with office.site.database.view(office.site.tenant) as session:
        seen = await runs.preview(session, office.book, scope, office.clock.now())
    assert await rows(office, "select count(*) from bill") == [(0,)]
    assert (len(seen.bills), seen.total_fen) == (4, 10_220)
    await office.run(scope)
    shas = {row[0] for row in await rows(office, "select document_sha from bill")}
    assert shas == {bill.sha for bill in seen.bills}


async def test_a_missing_reading_becomes_a_case_and_no_zero_and_is_billed_when_it_comes(office: Office) -> None:
    priced(office)
    flat = office.site.flats[0]
    office.book.amounts.pop((flat, b.FUND, b.MONTHS[0]))
    office.book.unknown.add((flat[0], b.ELECTRICITY, b.MONTHS[0].start))
    scope = await office.period(0)
    report, _ = await office.run(scope)
    assert (report.issued, report.waiting, report.exceptions) == (3, 1, 1)
    async with office.site.database.view(office.site.tenant) as session:
        (case,) = await cases.open_cases(session)
        assert (case.reason, case.owner_role, case.object_id) == ("no_reading", "technician", flat[0])
        assert (await service.progress(session, scope)).due == 1
    office.book.unknown.clear()
    report, _ = await office.run(scope)
    assert (report.issued, report.total_fen) == (1, 1000)
    async with office.site.database.view(office.site.tenant) as session:
        assert await cases.open_cases(session) == ()


async def test_who_has_nothing_to_be_charged_is_waived_with_the_reason(office: Office) -> None:
    scope = await office.period(0)
    report, _ = await office.run(scope)
    assert (report.issued, report.waived) == (0, 4)
    assert await rows(office, "select distinct state, reason from obligation") == [("waived", "nothing_to_charge")]


async def test_a_period_that_was_not_created_cannot_be_run(office: Office) -> None:
    scope = RunScope(community_id=office.site.community_id, cycle="month", period_start=b.START)
    with pytest.raises(UnknownPeriodError):
        await office.run(scope)


async def test_a_bill_issued_late_is_due_no_earlier_than_it_is_issued(office: Office) -> None:
    priced(office)
    scope = await office.period(0)
    office.clock.advance(days=60)
    await office.run(scope)
    today = office.clock.now().date()
    assert await rows(office, "select distinct due_on, issued_on from bill") == [(today, today)]


async def cut_short(office: Office, scope: RunScope) -> None:
    async with office.site.worker_database.unit(office.site.tenant, office.site.actor) as unit:
        await runs.run_chunk(unit, office.rater, scope, after=None)
        raise RuntimeError("power cut")


async def test_a_unit_that_fails_after_numbers_were_taken_leaves_no_gap(office: Office) -> None:
    priced(office)
    scope = await office.period(0)
    with pytest.raises(RuntimeError, match="power cut"):
        await cut_short(office, scope)
    assert await rows(office, "select count(*) from journal") == [(0,)]
    await office.run(scope)
    assert await rows(office, "select min(number), max(number), count(*) from bill") == [
        ("GARDEN-B2026-000001", "GARDEN-B2026-000004", 4)
    ]


@pytest.mark.parametrize("role", [APP, WORKER])
@pytest.mark.parametrize("table", ["bill", "bill_line"])
@pytest.mark.parametrize("deed", ["update {} set community_id = community_id", "delete from {}", "truncate {}"])
def test_what_is_issued_cannot_be_changed(
    server: TestServer, database_name: str, role: str, table: str, deed: str
) -> None:
    with (
        psycopg.connect(server.server.conninfo(role=role, database=database_name)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(deed.format(table).encode())


async def test_an_issued_bill_takes_no_further_line(office: Office) -> None:
    priced(office)
    await office.bill_month(0)
    columns = ", ".join(
        str(row[0])
        for row in await rows(
            office,
            "select column_name from information_schema.columns where table_name = 'bill_line' and column_name <> 'n'",
        )
    )
    with pytest.raises(DBAPIError, match="takes no further line"):
        async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
            await unit.session.execute(
                text(f"insert into bill_line (n, {columns}) select 9, {columns} from bill_line limit 1")  # noqa: S608 - columns of the catalogue
            )


async def test_a_sale_splits_the_obligation_and_the_old_debt_stays(office: Office) -> None:
    flat = office.site.flats[0]
    priced(office)
    await office.bill_month(0)
    debt = await office.open_fen(flat)
    new = await office.sell(flat, b.MONTHS[1].start + timedelta(days=10))
    priced(office, 1)
    office.set(new, b.ELECTRICITY, 1, 300)
    report, _ = await office.bill_month(1)
    assert report.issued == 5
    assert await office.open_fen(new) == [300]
    assert (await office.open_fen(flat))[: len(debt)] == debt


async def test_a_bill_shows_its_lines_what_is_open_and_who_it_is_for(office: Office) -> None:
    priced(office)
    await office.bill_month(0)
    flat = office.site.flats[2]
    await office.pay(flat, "1")
    async with office.site.database.view(office.site.tenant) as session:
        account_id = await office.account(flat)
        (summary,) = await service.bills_of(session, [account_id])
        view = await service.bill(session, summary.bill_id)
        again = await service.bill_numbered(session, summary.number)
        with pytest.raises(UnknownBillError):
            await service.bill(session, BillId(UUID(int=1)))
    assert view == again
    assert view.account.account_id == account_id
    assert [(v.line.charge.charge_code, v.line.fen, v.open_fen) for v in view.lines] == [
        ("electricity", 3000, 0),
        ("maintenance", 55, 55),
    ]
    assert (summary.total_fen, summary.open_fen) == (3055, 55)


async def test_money_of_each_fund_is_owed_in_its_own_book(office: Office) -> None:
    priced(office)
    await office.bill_month(0)
    flat = office.site.flats[0]
    await office.pay(flat, "fund", FundClass.MAINTENANCE, entity=b.COMMITTEE)
    async with office.site.database.view(office.site.tenant) as session:
        lines = await service.open_lines(session, await office.account(flat))
        balances = await ledger.line_balances(session, [await office.account(flat)])
    assert [(line.charge_code, line.fund_class) for line in lines] == [("electricity", FundClass.OPERATING)]
    assert sorted(balances.values()) == [0, 1000]


async def test_the_run_tells_who_was_billed(office: Office, published: list[Event]) -> None:
    priced(office)
    await office.bill_month(0)
    (told,) = [event for event in published if isinstance(event, BillsIssued)]
    assert len(told.bill_ids) == len(set(told.account_ids)) == 4
    assert told.case_id is None
