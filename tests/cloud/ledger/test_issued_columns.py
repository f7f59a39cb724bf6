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
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.accounts import AccountType
from cloud.ledger.issued_columns import IssuedBatch, IssuedLine, post_issued, receivable_ids
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, LineRef
from cloud.ledger.postings import LinePosting
from common.ids import AccountId, BillId, TenantId
from tests.cloud.ledger import builders as b

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
        bill_ids=images.ids_of(BILLS),
        journal_ids=images.ids_of([UUID(int=0x1000 + n + 16 * len(suffix)) for n in range(3)]),
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
