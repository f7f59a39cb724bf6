"""The book on the real database: once only, never crossing a guard, never changed, never in a sealed day."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.roles import APP
from cloud.ledger import postings, service
from cloud.ledger.accounts import AccountType
from cloud.ledger.errors import GuardError, IdempotencyError, ResolvedError
from cloud.ledger.journals import JournalDraft, JournalRef, LineRef, TransferDraft, TransferRef
from cloud.ledger.routes import Route
from common.ids import AccountId, TenantId
from tests.cloud.ledger import builders as b
from tests.support.postgres import TestServer

INTO = postings.clearing(b.book(), b.MERCHANT)
CLIENTS = 8


async def posted(database: Database, tenant: TenantId, actor: Actor, draft: JournalDraft) -> JournalRef:
    async with database.unit(tenant, actor) as unit:
        return await service.post(unit, draft)


async def paid_ahead(database: Database, tenant: TenantId, actor: Actor, fen: int, key: str = "ahead") -> None:
    moves = postings.payment_received(INTO, [], payer=b.ACCOUNT, ahead_fen=fen)
    await posted(database, tenant, actor, b.journal(key, moves))


async def executed(
    database: Database, tenant: TenantId, actor: Actor, statement: str, values: Mapping[str, object]
) -> None:
    async with database.unit(tenant, actor) as unit:
        await unit.session.execute(text(statement), values)
        unit.record("tried", "transfer", UUID(int=1))


async def counted(database: Database, tenant: TenantId, table: str) -> int:
    async with database.view(tenant) as session:
        return int(await session.scalar(text(f"select count(*) from {table}")) or 0)  # noqa: S608 - our own names


async def available(database: Database, tenant: TenantId) -> int:
    async with database.view(tenant) as session:
        (ahead,) = await service.ahead_balances(session, [b.ACCOUNT])
    return ahead.available_fen


async def test_a_movement_posted_twice_stands_once(database: Database, tenant: TenantId, actor: Actor) -> None:
    draft = b.journal("bill:1", postings.lines_issued([b.line(1, 500), b.line(2, 300)]))
    first = await posted(database, tenant, actor, draft)
    again = await posted(database, tenant, actor, draft)
    assert (first.replayed, again.replayed) == (False, True)
    assert first.journal_id == again.journal_id
    assert await counted(database, tenant, "transfer") == 2


async def test_the_same_key_with_other_content_is_refused(database: Database, tenant: TenantId, actor: Actor) -> None:
    await posted(database, tenant, actor, b.journal("k", postings.lines_issued([b.line(1, 500)])))
    with pytest.raises(IdempotencyError):
        await posted(database, tenant, actor, b.journal("k", postings.lines_issued([b.line(1, 501)])))
    assert await counted(database, tenant, "journal") == 1


async def test_eight_clients_post_one_movement_and_it_stands_once(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    draft = b.journal("bill:1", postings.lines_issued([b.line(1, 500)]))
    refs: list[JournalRef] = []

    async def client() -> None:
        refs.append(await posted(database, tenant, actor, draft))

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(client())
    assert sorted(ref.replayed for ref in refs) == [False] + [True] * (CLIENTS - 1)
    assert len({ref.journal_id for ref in refs}) == 1
    assert await counted(database, tenant, "transfer") == 1


async def test_what_is_open_on_a_line_is_what_was_charged_less_what_was_paid(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    await posted(database, tenant, actor, b.journal("bill", postings.lines_issued([b.line(1, 500), b.line(2, 300)])))
    part = postings.Allocation(account_id=b.ACCOUNT, line=LineRef(bill_id=b.BILL, n=1), fen=180)
    moves = postings.payment_received(INTO, [part], payer=b.ACCOUNT, ahead_fen=20)
    await posted(database, tenant, actor, b.journal("pay", moves))
    async with database.view(tenant) as session:
        open_lines = await service.line_balances(session, [b.ACCOUNT])
        assert await service.line_balances(session, []) == {}
    assert open_lines == {LineRef(bill_id=b.BILL, n=1): 320, LineRef(bill_id=b.BILL, n=2): 300}
    assert await available(database, tenant) == 20


async def test_more_than_is_paid_ahead_cannot_be_used_and_nothing_is_booked(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    await paid_ahead(database, tenant, actor, 100)
    await posted(database, tenant, actor, b.journal("bill", postings.lines_issued([b.line(1, 500)])))
    too_much = postings.Allocation(account_id=b.ACCOUNT, line=LineRef(bill_id=b.BILL, n=1), fen=101)
    with pytest.raises(GuardError, match="100 fen available and 101"):
        await posted(
            database, tenant, actor, b.journal("use", postings.prepayment_used(b.book(), b.ACCOUNT, [too_much]))
        )
    assert await counted(database, tenant, "journal") == 2
    assert await available(database, tenant) == 100


async def test_eight_clerks_refund_one_balance_and_it_is_paid_out_once(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    await paid_ahead(database, tenant, actor, 1_000)
    outcomes: list[str] = []

    async def clerk(number: int) -> None:
        reserve = postings.refund_reserved(b.ACCOUNT, INTO, 300)
        try:
            await posted(database, tenant, actor, b.journal(f"refund:{number}", [reserve]))
        except GuardError:
            outcomes.append("refused")
        else:
            outcomes.append("reserved")

    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(clerk(number))
    assert sorted(outcomes) == ["refused"] * 5 + ["reserved"] * 3
    assert await available(database, tenant) == 100


async def reserved_refund(database: Database, tenant: TenantId, actor: Actor) -> tuple[TransferDraft, TransferRef]:
    await paid_ahead(database, tenant, actor, 500)
    reserve = postings.refund_reserved(b.ACCOUNT, INTO, 400)
    ref = await posted(database, tenant, actor, b.journal("reserve", [reserve]))
    return reserve, TransferRef(journal_id=ref.journal_id, n=1)


async def test_a_refund_paid_in_part_gives_the_rest_back(database: Database, tenant: TenantId, actor: Actor) -> None:
    reserve, ref = await reserved_refund(database, tenant, actor)
    assert await available(database, tenant) == 100
    async with database.view(tenant) as session:
        fact = await service.reservation(session, b.COMMUNITY, ref)
    assert fact is not None
    assert fact.fen == 400
    await posted(database, tenant, actor, b.journal("post", [postings.reservation_posted(reserve, ref, 250)]))
    assert await available(database, tenant) == 250


async def test_two_clerks_cannot_both_resolve_one_reservation(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    reserve, ref = await reserved_refund(database, tenant, actor)
    outcomes: list[str] = []

    async def clerk(number: int) -> None:
        move = (
            postings.reservation_posted(reserve, ref, 400) if number % 2 else postings.reservation_voided(reserve, ref)
        )
        try:
            await posted(database, tenant, actor, b.journal(f"resolve:{number}", [move]))
        except ResolvedError:
            outcomes.append("refused")
        else:
            outcomes.append("resolved")

    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(clerk(number))
    assert sorted(outcomes) == ["refused"] * (CLIENTS - 1) + ["resolved"]
    assert await available(database, tenant) in {100, 500}


async def test_what_is_no_reservation_cannot_be_resolved(database: Database, tenant: TenantId, actor: Actor) -> None:
    reserve, ref = await reserved_refund(database, tenant, actor)
    nowhere = TransferRef(journal_id=UUID(int=4), n=1)
    with pytest.raises(ResolvedError, match="is no reservation"):
        await posted(database, tenant, actor, b.journal("v", [postings.reservation_voided(reserve, nowhere)]))
    elsewhere = postings.refund_reserved(b.OTHER_ACCOUNT, INTO, 400)
    with pytest.raises(ResolvedError, match="of other accounts"):
        await posted(database, tenant, actor, b.journal("v", [postings.reservation_voided(elsewhere, ref)]))


MIXED = """
insert into transfer (tenant_id, community_id, journal_id, n, kind, debit_id, debit_class, credit_id, credit_class,
                      legal_entity_id, fen, route)
select j.tenant_id, j.community_id, j.journal_id, 90, 'posted', d.ledger_account_id, :debit_class,
       c.ledger_account_id, :credit_class, :entity, :fen, :route
  from journal j, ledger_account d, ledger_account c where d.type = :debit and c.type = :credit limit 1
"""
RIGHT = {
    "debit": AccountType.CLEARING,
    "credit": AccountType.RECEIVABLE,
    "debit_class": "operating",
    "credit_class": "operating",
    "entity": b.COMPANY,
    "fen": 1,
    "route": "receipt",
}


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"route": "issue_of_nothing"}, "names a fund route"),
        ({"debit_class": "deposit"}, "names a (fund route|ledger account)"),
        ({"route": "deposit_deduction", "debit_class": "deposit"}, "names a ledger account"),
        ({"entity": b.COMMITTEE}, "names a ledger account"),
        ({"fen": 0}, "ck_transfer_amount_positive"),
        ({"credit": AccountType.CLEARING}, "ck_transfer_two_accounts"),
    ],
)
async def test_the_database_itself_refuses_a_mixed_fund_a_mixed_owner_and_nothing_moved(
    database: Database, tenant: TenantId, actor: Actor, change: dict[str, object], constraint: str
) -> None:
    await posted(database, tenant, actor, b.journal("bill", postings.lines_issued([b.line(1, 500)])))
    await paid_ahead(database, tenant, actor, 5)
    with pytest.raises(IntegrityError, match=constraint):
        await executed(database, tenant, actor, MIXED, {**RIGHT, **change})
    await executed(database, tenant, actor, MIXED, RIGHT)


@pytest.mark.parametrize("table", ["journal", "transfer", "ledger_account", "seal"])
@pytest.mark.parametrize("deed", ["update {} set community_id = community_id", "delete from {}"])
def test_the_book_is_only_ever_added_to(server: TestServer, database_name: str, table: str, deed: str) -> None:
    with (
        psycopg.connect(server.server.conninfo(role=APP, database=database_name)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(deed.format(table).encode())


async def test_eight_clients_open_the_same_accounts_without_a_deadlock(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    accounts = [UUID(int=n) for n in range(40)]

    def moves(order: Sequence[UUID]) -> list[TransferDraft]:
        return [
            TransferDraft(
                debit=INTO,
                credit=b.book().account(AccountType.PREPAYMENT, owner),
                fen=10,
                route=Route.PREPAY,
            )
            for owner in order
        ]

    async def client(number: int) -> None:
        order = accounts if number % 2 else accounts[::-1]
        await posted(database, tenant, actor, b.journal(f"pay:{number}", moves(order)))

    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(client(number))
    async with database.view(tenant) as session:
        ahead = await service.ahead_balances(session, [AccountId(owner) for owner in accounts])
    assert {balance.available_fen for balance in ahead} == {10 * CLIENTS}


async def test_no_company_sees_the_book_of_another(
    database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    await posted(database, tenant, actor, b.journal("bill", postings.lines_issued([b.line(1, 500)])))
    assert await counted(database, other_tenant, "transfer") == 0
    planted = "insert into book (tenant_id, community_id) values (:tenant, :community)"
    with pytest.raises(DBAPIError, match="row-level security"):
        await executed(database, other_tenant, actor, planted, {"tenant": tenant, "community": b.COMMUNITY})
