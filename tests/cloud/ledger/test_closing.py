"""Seals, statements and the audit on the real database; the audit sees every way in which a book can be spoilt."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from uuid import UUID

import psycopg
import pytest

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.kit.roles import OWNER
from cloud.ledger import auditing, closing, postings, reports, service
from cloud.ledger.accounts import AccountType
from cloud.ledger.errors import SealedDayError
from cloud.ledger.journals import JournalDraft, JournalRef, LineRef
from cloud.ledger.sealing import root_of_proof
from common.ids import TenantId
from tests.cloud.ledger import builders as b
from tests.support.clock import SettableClock
from tests.support.postgres import TestServer

INTO = postings.clearing(b.book(), b.MERCHANT)
LATER = b.DAY + timedelta(days=3)


class Clerk:
    """A clerk of one company."""

    def __init__(self, database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> None:
        self.clock = clock
        self.database = database
        self.tenant = tenant
        self.actor = actor

    async def post(self, draft: JournalDraft) -> JournalRef:
        self.clock.advance(minutes=1)
        async with self.database.unit(self.tenant, self.actor) as unit:
            return await service.post(unit, draft)

    async def seal(self, day: date) -> int:
        async with self.database.unit(self.tenant, self.actor) as unit:
            return await closing.seal_through(unit, b.COMMUNITY, day)

    async def audit(self) -> auditing.AuditReport:
        async with self.database.view(self.tenant) as session:
            return await auditing.audit(session, b.COMMUNITY)

    async def month(self) -> list[JournalRef]:
        """Bill, receive money with some ahead, use it."""
        part = postings.Allocation(account_id=b.ACCOUNT, line=LineRef(bill_id=b.BILL, n=1), fen=500)
        used = postings.Allocation(account_id=b.ACCOUNT, line=LineRef(bill_id=b.BILL, n=2), fen=20)
        return [
            await self.post(b.journal("bill", postings.lines_issued([b.line(1, 500), b.line(2, 300)]))),
            await self.post(b.journal("pay", postings.payment_received(INTO, [part], payer=b.ACCOUNT, ahead_fen=50))),
            await self.post(b.journal("use", postings.prepayment_used(b.book(), b.ACCOUNT, [used]), day=LATER)),
        ]


@pytest.fixture
def clerk(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Clerk:
    clock.advance(days=90)
    return Clerk(database, tenant, actor, clock)


async def test_days_are_sealed_in_order_and_each_once(clerk: Clerk) -> None:
    await clerk.month()
    assert await clerk.seal(LATER) == 4
    assert await clerk.seal(LATER) == 0
    report = await clerk.audit()
    assert (report.seals, report.journals, report.breaches) == (4, 3, ())


async def test_a_sealed_day_takes_no_more_movements_and_the_next_day_does(clerk: Clerk) -> None:
    await clerk.month()
    await clerk.seal(b.DAY)
    with pytest.raises(SealedDayError):
        await clerk.post(b.journal("late", postings.lines_issued([b.line(3, 5)])))
    await clerk.post(b.journal("late", postings.lines_issued([b.line(3, 5)]), day=b.DAY + timedelta(days=1)))


async def test_a_movement_posted_while_its_day_is_sealed_is_in_the_seal_or_refused(clerk: Clerk) -> None:
    await clerk.month()
    outcomes: list[str] = []

    async def post(number: int) -> None:
        draft = b.journal(f"race:{number}", postings.lines_issued([b.line(number, 5)]))
        try:
            await clerk.post(draft)
        except SealedDayError:
            outcomes.append("refused")
        else:
            outcomes.append("posted")

    async with asyncio.TaskGroup() as group:
        for number in range(10, 14):
            group.create_task(post(number))
        group.create_task(clerk.seal(b.DAY))
        for number in range(14, 18):
            group.create_task(post(number))
    report = await clerk.audit()
    assert report.breaches == ()
    assert report.journals == 3 + outcomes.count("posted")


async def test_a_day_that_is_not_over_is_not_sealed(clerk: Clerk, clock: SettableClock) -> None:
    with pytest.raises(ConflictError, match="not over"):
        await clerk.seal(clock.now().date())


async def test_a_book_without_movements_has_nothing_to_seal(clerk: Clerk) -> None:
    assert await clerk.seal(b.DAY) == 0


async def test_a_journal_is_proved_to_be_in_the_seal_of_its_day(clerk: Clerk) -> None:
    bill, _, _ = await clerk.month()
    async with clerk.database.view(clerk.tenant) as session:
        with pytest.raises(NotFoundError):
            await closing.proof(session, b.COMMUNITY, bill.journal_id)
    await clerk.seal(LATER)
    async with clerk.database.view(clerk.tenant) as session:
        proof = await closing.proof(session, b.COMMUNITY, bill.journal_id)
    assert root_of_proof(proof.leaf, proof.steps) == proof.root
    assert proof.business_date == b.DAY


async def test_the_trial_balance_is_even_and_says_what_each_kind_of_account_holds(clerk: Clerk) -> None:
    await clerk.month()
    async with clerk.database.view(clerk.tenant) as session:
        whole = await reports.trial_balance(session, b.COMMUNITY)
        first_day = await reports.trial_balance(session, b.COMMUNITY, b.DAY)
    assert whole.debit_fen == whole.credit_fen == 800 + 550 + 20
    assert {line.type: line.balance_fen for line in whole.lines} == {
        AccountType.RECEIVABLE: 280,
        AccountType.INCOME: 800,
        AccountType.CLEARING: 550,
        AccountType.PREPAYMENT: 30,
    }
    assert {line.type: line.balance_fen for line in first_day.lines}[AccountType.RECEIVABLE] == 300


async def test_a_statement_runs_from_nothing_to_what_is_owed(clerk: Clerk) -> None:
    await clerk.month()
    async with clerk.database.view(clerk.tenant) as session:
        owed = await reports.statement(session, b.ACCOUNT, [AccountType.RECEIVABLE])
        nothing = await reports.statement(session, UUID(int=5), [AccountType.RECEIVABLE])
    assert [(line.amount_fen, line.balance_fen) for line in owed] == [
        (500, 500),
        (300, 800),
        (-500, 300),
        (-20, 280),
    ]
    assert nothing == ()


SPOIL = {
    "a journal is what was posted": "update transfer set fen = fen + 1 where route = 'issue' and n = 1",
    "a journal moves something": "delete from transfer where route = 'offset'",
    "a transfer takes an allowed route": "update transfer set route = 'refund' where route = 'prepay'",
    "a receivable moves by bill line": "update transfer set bill_id = null, line_n = null where route = 'receipt'",
    "a balance is the sum of its transfers": "update balance set credit_posted = credit_posted + 1",
    "seals are chained": "update seal set previous_root = sha256('x') where business_date = '2026-02-03'",
    "a seal covers its day": "update seal set merkle_root = sha256('x')",
}


@pytest.mark.parametrize("law", SPOIL)
async def test_the_audit_sees_a_spoilt_book(clerk: Clerk, server: TestServer, database_name: str, law: str) -> None:
    await clerk.month()
    await clerk.seal(LATER)
    assert (await clerk.audit()).breaches == ()
    with psycopg.connect(server.server.conninfo(role=OWNER, database=database_name)) as owner:
        owner.execute("select set_config('app.tenant', %s, false)", (str(clerk.tenant),))
        for table in ("transfer", "balance", "seal"):
            owner.execute(f"alter table {table} disable trigger user".encode())
        owner.execute(SPOIL[law].encode())
        owner.commit()
    assert law in {breach.law for breach in (await clerk.audit()).breaches}
