"""Revision 0017 over a book that was written before: the same rows, told the same way."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import psycopg
from psycopg import sql

from cloud import migrations
from cloud.kit.actor import system_actor
from cloud.kit.db import Database
from cloud.kit.events import router
from cloud.kit.postgres import SUPERUSER
from cloud.kit.roles import OWNER, WORKER
from cloud.ledger import auditing, moves, postings, reports, service
from cloud.ledger.accounts import AccountType
from cloud.ledger.journals import LineRef
from common.ids import TenantId, TimeOrderedIds
from tests.cloud.ledger import builders as b
from tests.support.clock import SettableClock
from tests.support.postgres import TestServer
from tests.support.randomness import seeded_bytes

OLD = "at_0016"
TENANT = TenantId(UUID(int=0xA1))


def rows(server: TestServer, columns: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.server.conninfo(role=SUPERUSER, database=OLD)) as connection:
        query = sql.SQL(
            "select {} from journal join transfer using (tenant_id, community_id, journal_id) order by 1, 2"
        )
        return list(connection.execute(query.format(sql.SQL(columns))))


async def test_a_book_written_before_is_read_as_ever_and_goes_on(server: TestServer) -> None:
    server.server.create_database(OLD)
    owner = server.server.conninfo(role=OWNER, database=OLD)
    migrations.upgrade(owner, "0016")
    clock = SettableClock(datetime(2026, 2, 1, tzinfo=UTC))
    database = Database(
        server.server.conninfo(role=WORKER, database=OLD),
        clock=clock,
        ids=TimeOrderedIds(clock.now, seeded_bytes(17)),
        route=router({}),
    )
    line = LineRef(bill_id=b.BILL, n=1)
    paid = postings.Allocation(account_id=b.ACCOUNT, line=line, fen=300)
    try:
        async with database.unit(TENANT, system_actor("test")) as unit:
            await service.post(unit, b.journal("bill", postings.lines_issued([b.line(1, 1_000), b.line(2, 50)])))
        written = rows(server, "idem_key, n, request_sha, debit_id, credit_id, fen, bill_id, line_n")
        migrations.upgrade(owner)
        assert rows(server, "idem_key, n, request_sha, debit_id, credit_id, fen, bill_id, line_n") == written
        async with database.unit(TENANT, system_actor("test")) as unit:
            into = postings.clearing(b.book(), b.MERCHANT)
            await service.post(unit, b.journal("paid", postings.payment_received(into, [paid], payer=b.ACCOUNT)))
        async with database.view(TENANT) as session:
            assert await service.line_balances(session, [b.ACCOUNT]) == {line: 700, LineRef(bill_id=b.BILL, n=2): 50}
            assert len(await reports.statement(session, b.ACCOUNT, [AccountType.RECEIVABLE])) == 3
            assert [move.fen for move in (await moves.moves_of(session, [line]))[line]] == [1_000, -300]
            assert (await auditing.audit(session, b.COMMUNITY)).breaches == ()
    finally:
        await database.close()
        server.server.drop_database(OLD)
