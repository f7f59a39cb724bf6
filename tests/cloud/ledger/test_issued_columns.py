"""Booking bills by column writes what booking them by value writes: accounts, transfers and fingerprints."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from cloud.kit import images
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.ledger import auditing, moves, postings, reports
from cloud.ledger import service as ledger
from cloud.ledger.accounts import AccountType
from cloud.ledger.issued_columns import IssuedBatch, IssuedLine, post_issued, receivable_ids
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, LineRef
from cloud.ledger.postings import Allocation, LinePosting
from common.ids import AccountId, BillId, TenantId
from tests.cloud.ledger import builders as b
from tests.support.clock import SettableClock

ACCOUNTS = [AccountId(UUID(int=0xAC00 + n)) for n in range(3)]
BILLS = [BillId(UUID(int=0xB100 + n)) for n in range(3)]
FACTS = text("""
    select j.idem_key, j.request_sha, t.n, t.kind, t.debit_id, t.credit_id, t.legal_entity_id, t.fen, t.route,
           t.bill_id, t.line_n
      from journal j join transfer t using (tenant_id, community_id, journal_id) order by j.idem_key, t.n
""")


def keys(suffix: str = "") -> images.Cells:
    accounts = images.ids_of(ACCOUNTS)
    return images.joined([images.text("bill:"), images.uuid_texts(accounts), images.text(suffix)], len(ACCOUNTS))


def batch(suffix: str = "") -> IssuedBatch:
    line = b.line(2, 500)
    return IssuedBatch(
        accounts=images.ids_of(ACCOUNTS),
        bill_ids=images.ids_of([UUID(int=bill.int + 16 * len(suffix)) for bill in BILLS]),
        idem_keys=keys(suffix),
        lines=(
            IssuedLine(
                n=2,
                book=line.book,
                charge_item_id=line.charge_item_id,
                nature=line.nature,
                fen=np.array([500, 1, 12_345]),
            ),
        ),
    )


def by_value() -> list[JournalDraft]:
    line = b.line(2, 500)
    return [
        JournalDraft(
            idem_key=f"bill:{account}",
            kind="bill_regular",
            community_id=line.book.community_id,
            business_date=b.DAY,
            document=DocumentRef(kind=DocumentKind.BILL, document_id=bill),
            transfers=postings.lines_issued(
                [
                    LinePosting(
                        n=2,
                        account_id=account,
                        book=line.book,
                        charge_item_id=line.charge_item_id,
                        nature=line.nature,
                        fen=fen,
                        line=LineRef(bill_id=bill, n=2),
                    )
                ]
            ),
        )
        for account, bill, fen in zip(ACCOUNTS, BILLS, (500, 1, 12_345), strict=True)
    ]


async def facts(database: Database, tenant: TenantId) -> list[tuple[object, ...]]:
    async with database.view(tenant) as session:
        return [tuple(row) for row in await session.execute(FACTS)]


def test_a_receivable_has_the_id_that_its_name_gives() -> None:
    tenant, book = TenantId(UUID(int=9)), b.line(1, 1).book
    found = receivable_ids(tenant, book, images.ids_of(ACCOUNTS))
    expected = [book.account(AccountType.RECEIVABLE, one).account_id(tenant) for one in ACCOUNTS]
    assert [images.id_at(found, n) for n in range(3)] == expected


async def test_both_roads_write_the_same_book(
    worker_database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    community_id = b.line(1, 1).book.community_id
    async with worker_database.unit(tenant, actor) as unit:
        await ledger.post_many(unit, by_value())
    one = await facts(worker_database, tenant)
    async with worker_database.unit(other_tenant, actor) as unit:
        await post_issued(unit, community_id, b.DAY, "bill_regular", [batch()])
        await ledger.post_many(unit, by_value())
    other = await facts(worker_database, other_tenant)
    assert len(one) == len(other) == 3
    assert [(row[0], *row[2:4], *row[6:]) for row in one] == [(row[0], *row[2:4], *row[6:]) for row in other]


async def test_a_key_that_stands_in_the_book_is_refused(
    worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    community_id = b.line(1, 1).book.community_id

    async def post(suffix: str) -> None:
        async with worker_database.unit(tenant, actor) as unit:
            await post_issued(unit, community_id, b.DAY, "bill_regular", [batch(suffix)])

    await post("")
    await post(":again")
    with pytest.raises(IntegrityError):
        await post("")


async def read(database: Database, tenant: TenantId) -> list[object]:
    """Return what each way of reading the book says of the first account's bill."""
    line = LineRef(bill_id=BILLS[0], n=2)
    async with database.view(tenant) as session:
        statement = await reports.statement(session, ACCOUNTS[0], [AccountType.RECEIVABLE])
        of_bill = await reports.postings_of_bill(session, BILLS[0])
        told = (await moves.moves_of(session, [line]))[line]
        audit = await auditing.audit(session, b.COMMUNITY)
        return [
            await ledger.line_balances(session, ACCOUNTS),
            await moves.open_on(session, [line]),
            [(one.posting.route, one.amount_fen, one.balance_fen) for one in statement],
            [(one.route, one.n, one.debit, one.credit, one.fen, one.bill_id) for one in of_bill],
            [(one.business_date, one.other, one.fen) for one in told],
            [len(await reports.postings_of_document(session, bill)) for bill in BILLS],
            (audit.transfers, audit.fen, audit.breaches),
        ]


def payment() -> JournalDraft:
    paid = Allocation(account_id=ACCOUNTS[0], line=LineRef(bill_id=BILLS[0], n=2), fen=200)
    into = postings.clearing(b.book(), b.MERCHANT)
    return b.journal("paid", postings.payment_received(into, [paid], payer=ACCOUNTS[0]))


async def test_what_either_road_wrote_is_read_alike(
    worker_database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    async with worker_database.unit(tenant, actor) as unit:
        await ledger.post_many(unit, by_value())
    async with worker_database.unit(other_tenant, actor) as unit:
        await post_issued(unit, b.COMMUNITY, b.DAY, "bill_regular", [batch()])
    clock.advance(hours=1)
    for one in (tenant, other_tenant):
        async with worker_database.unit(one, actor) as unit:
            await ledger.post(unit, payment())
    by_values, by_columns = await read(worker_database, tenant), await read(worker_database, other_tenant)
    assert by_values == by_columns
    assert by_columns[0] == {LineRef(bill_id=bill, n=2): fen for bill, fen in zip(BILLS, (300, 1, 12_345), strict=True)}
    assert by_columns[2] == [("issue", 500, 500), ("receipt", -200, 300)]


_JOURNAL = """
    insert into journal
    select (jsonb_populate_record(j, jsonb_build_object('journal_id', cast(:bill as text), 'idem_key', 'x',
            'document_id', cast(:bill as text), 'account_id', cast(:account as text)))).*
      from journal j where j.account_id = :copied
"""
_COPIED = """
    insert into transfer
    select (jsonb_populate_record(t, jsonb_build_object('journal_id', cast(:bill as text),
                                                        'bill_id', cast(:bill as text), 'fen', wanted.fen,
                                                        'n', wanted.n, 'line_n', wanted.n))).*
      from transfer t join (values (2, 500)) as wanted (n, fen) on t.fen = wanted.fen
"""
_BESIDE = """
     union all
    select (jsonb_populate_record(t, jsonb_build_object('n', 9, 'line_n', 9,
                                                        'bill_id', '00000000-0000-0000-0000-00000000b777'))).*
      from transfer t where t.fen = 1
"""


@pytest.mark.parametrize("account", [str(ACCOUNTS[1]), None], ids=["another account", "no account"])
@pytest.mark.parametrize("beside", ["", _BESIDE], ids=["alone", "beside another"])
async def test_a_transfer_that_its_account_would_not_find_is_refused(
    worker_database: Database, tenant: TenantId, actor: Actor, account: str | None, beside: str
) -> None:
    async with worker_database.unit(tenant, actor) as unit:
        await post_issued(unit, b.COMMUNITY, b.DAY, "bill_regular", [batch()])

    async def mislead() -> None:
        async with worker_database.unit(tenant, actor) as unit:
            bill = str(UUID(int=0xBAD))
            values = {"bill": bill, "account": account, "copied": ACCOUNTS[0]}
            await unit.session.execute(text(_JOURNAL), values)
            await unit.session.execute(text(_COPIED + beside), {"bill": bill})

    with pytest.raises(IntegrityError, match="journal of the account that it debits"):
        await mislead()


async def test_a_transfer_of_its_bill_is_under_the_number_of_its_line(
    worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with worker_database.unit(tenant, actor) as unit:
        await post_issued(unit, b.COMMUNITY, b.DAY, "bill_regular", [batch()])
    moved = "insert into transfer select (jsonb_populate_record(t, jsonb_build_object('n', 3))).* from transfer t"

    async def move() -> None:
        async with worker_database.unit(tenant, actor) as unit:
            await unit.session.execute(text(moved))

    with pytest.raises(IntegrityError, match="issued_by_line"):
        await move()
