"""Late charges as own lines: charged once, growing with days, stopping at payment, following it back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from prometheus_client import CollectorRegistry

from cloud.arrears import late, tasks
from cloud.arrears.late import LatePreview
from cloud.billing.documents import BillView
from cloud.billing.errors import PreviewChangedError
from cloud.billing.issuing import IssuedBill
from cloud.billing.lines import BillKind
from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.kit.db import Database
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobMetrics, Runner
from cloud.ledger.auditing import audit
from cloud.rating import service as rating
from tests.cloud.charges.street import Street

APRIL_15 = date(2026, 4, 15)  # 45 days after the due day


async def seen(street: Street, through: date) -> LatePreview:
    async with street.database.view(street.tenant) as session:
        return await late.preview(session, street.community, through, street.clock.now())


async def charged(street: Street, through: date) -> tuple[IssuedBill, ...]:
    street.clock.set(datetime.combine(through, time(12), tzinfo=UTC))
    async with street.database.unit(street.tenant, street.actor) as unit:
        return await late.charge(unit, street.community, through)


async def test_every_overdue_debt_is_charged_on_a_line_of_its_own_once(street: Street, debts: list[BillView]) -> None:
    bills = await charged(street, APRIL_15)
    assert [bill.total_fen for bill in bills] == [2_250] * 6
    view = await street.bill(bills[0].bill_id)
    (line,) = view.lines
    assert (view.summary.kind, line.line.charge.bears_late_charge) == (BillKind.LATE, False)
    assert line.line.key.subject in {f"{debt.summary.bill_id}/1" for debt in debts}
    assert await charged(street, APRIL_15) == ()
    async with street.database.view(street.tenant) as session:
        assert (await audit(session, street.community)).breaches == ()
        (again,) = await rating.replayed(session, street.community, line.line.input_sha)
    assert again.amount_fen == 2_250


async def test_a_later_run_adds_the_days_since_and_the_cap_ends_it(street: Street, debts: list[BillView]) -> None:
    assert len(debts) == 6
    await charged(street, APRIL_15)
    more = await charged(street, date(2026, 5, 15))
    assert [bill.total_fen for bill in more] == [1_500] * 6
    capped = await charged(street, date(2027, 3, 1))
    assert [bill.total_fen for bill in capped] == [10_000 - 3_750] * 6
    assert await charged(street, date(2027, 6, 1)) == ()


async def test_it_stops_on_the_day_of_payment_and_nothing_is_charged_on_it(
    street: Street, debts: list[BillView]
) -> None:
    await street.pay(debts[0], 100_000, date(2026, 3, 31))
    await street.pay(debts[1], 40_000, date(2026, 3, 11))
    bills = {bill.account_id: bill.total_fen for bill in await charged(street, APRIL_15)}
    assert bills[debts[0].account.account_id] == 1_500
    assert bills[debts[1].account.account_id] == 200 + 1_350
    later = {bill.account_id: bill.total_fen for bill in await charged(street, date(2027, 3, 1))}
    assert debts[0].account.account_id not in later


async def test_a_payment_dated_before_the_charge_takes_the_charge_back(street: Street, debts: list[BillView]) -> None:
    await charged(street, APRIL_15)
    await street.pay(debts[0], 100_000, date(2026, 3, 1))
    back = await charged(street, date(2026, 4, 16))
    credits_ = [bill for bill in back if bill.account_id == debts[0].account.account_id]
    assert [bill.total_fen for bill in credits_] == [-2_250]
    async with street.database.view(street.tenant) as session:
        assert (await audit(session, street.community)).breaches == ()


async def test_what_was_taken_back_may_be_charged_again_through_the_same_day(
    street: Street, debts: list[BillView]
) -> None:
    await charged(street, APRIL_15)
    assert [bill.total_fen for bill in await charged(street, date(2026, 4, 10))] == [-250] * 6
    assert [bill.total_fen for bill in await charged(street, APRIL_15)] == [250] * 6
    assert len(debts) == 6


async def test_a_disputed_bill_bears_nothing_while_it_is_disputed(street: Street, debts: list[BillView]) -> None:
    report = CaseReport(
        kind=CaseKind.DISPUTE,
        reason="disputed",
        origin="billing",
        object_kind="bill",
        object_id=debts[0].summary.bill_id,
        community_id=street.community,
        owner_role=OwnerRole.MANAGER,
        detail_zh="业主有异议",
        detail_en="the owner objects",
    )
    async with street.database.unit(street.tenant, street.actor) as unit:
        case_id = await cases.raise_case(unit, report)
    found = await seen(street, APRIL_15)
    assert (len(found.charges), found.disputed) == (5, (debts[0].summary.number,))
    async with street.database.unit(street.tenant, street.actor) as unit:
        await cases.close_case(unit, case_id, reason="settled")
    assert len((await seen(street, APRIL_15)).charges) == 6


async def test_nothing_is_charged_before_or_on_the_due_day(street: Street, debts: list[BillView]) -> None:
    assert len(debts) == 6
    assert (await seen(street, date(2026, 3, 1))).charges == ()


async def test_what_was_approved_is_what_is_charged(street: Street, debts: list[BillView]) -> None:
    found = await seen(street, APRIL_15)
    await street.pay(debts[0], 50_000, date(2026, 3, 11))
    with pytest.raises(PreviewChangedError):
        async with street.database.unit(street.tenant, street.actor) as unit:
            await late.charge(unit, street.community, APRIL_15, preview_sha=found.sha)


async def test_the_worker_charges_on_the_first_of_the_month_through_the_day_before(
    street: Street, debts: list[BillView], worker_database: Database
) -> None:
    street.clock.set(datetime(2026, 4, 1, 12, tzinfo=UTC))
    job = NewJob(kind=tasks.LATE_CHARGES, key="late", payload={"day": "2026-04-01"})
    async with street.database.unit(street.tenant, street.actor) as unit:
        unit.enqueue(job)
    runner = Runner(
        database=worker_database,
        handlers={tasks.LATE_CHARGES: tasks.charge_late},
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
    )
    assert await runner.drain() == 1
    assert (await seen(street, date(2026, 3, 31))).charges == ()
    assert await street.open_fen(0) == 100_000 + 1_500
    assert len(debts) == 6
