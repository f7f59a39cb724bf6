"""Journals written in one statement: all of them with their transfers, those that stand left alone, or none at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.ledger import closing, postings, service
from cloud.ledger.errors import GuardError, IdempotencyError, SealedDayError
from cloud.ledger.journals import JournalDraft
from common.ids import TenantId
from tests.cloud.ledger import builders as b
from tests.support.clock import SettableClock

INTO = postings.clearing(b.book(), b.MERCHANT)


def charge(key: str, fen: int) -> JournalDraft:
    return b.journal(key, postings.lines_issued([b.line(1, fen), b.line(2, fen)]))


def ahead(key: str, fen: int) -> JournalDraft:
    return b.journal(key, postings.payment_received(INTO, [], payer=b.ACCOUNT, ahead_fen=fen))


async def counts(database: Database, tenant: TenantId) -> tuple[int, int, int, int]:
    async with database.view(tenant) as session:
        tables = ("journal", "transfer", "ledger_account", "balance")
        found = [await session.scalar(text(f"select count(*) from {table}")) for table in tables]  # noqa: S608
    journals, transfers, accounts, balances = (int(count or 0) for count in found)
    return journals, transfers, accounts, balances


async def test_of_many_movements_those_that_stand_are_left_alone_and_the_others_written(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        (first,) = await service.post_many(unit, [charge("a", 500)])
    async with database.unit(tenant, actor) as unit:
        found = await service.post_many(unit, [charge("a", 500), charge("b", 300), ahead("c", 70)])
    assert [ref.replayed for ref in found] == [True, False, False]
    assert found[0].journal_id == first.journal_id
    journals, transfers, _, balances = await counts(database, tenant)
    assert (journals, transfers, balances) == (3, 5, 1)


async def test_one_key_with_other_content_keeps_the_whole_go_from_being_written(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        await service.post_many(unit, [charge("a", 500)])
    before = await counts(database, tenant)
    async with database.unit(tenant, actor) as unit:
        with pytest.raises(IdempotencyError):
            await service.post_many(unit, [charge("b", 300), charge("a", 501)])
    assert await counts(database, tenant) == before


async def test_nothing_is_written_into_a_sealed_day_not_even_an_account(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> None:
    async with database.unit(tenant, actor) as unit:
        await service.post_many(unit, [charge("a", 500)])
    clock.set(datetime(2026, 2, 5, tzinfo=UTC))
    async with database.unit(tenant, actor) as unit:
        await closing.seal_through(unit, b.COMMUNITY, b.DAY)
        unit.record("sealed", "book", b.COMMUNITY)
    before = await counts(database, tenant)
    async with database.unit(tenant, actor) as unit:
        with pytest.raises(SealedDayError):
            await service.post_many(unit, [ahead("c", 70)])
    assert await counts(database, tenant) == before


async def test_balances_of_many_movements_in_one_go_add_up_and_never_cross(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        await service.post_many(unit, [ahead(f"in:{n}", 10) for n in range(5)])
        (balance,) = await service.ahead_balances(unit.session, [b.ACCOUNT])
    assert balance.available_fen == 50
    spent = postings.refund_reserved(b.ACCOUNT, INTO, 51)
    with pytest.raises(GuardError):
        async with database.unit(tenant, actor) as unit:
            await service.post_many(unit, [b.journal("out", (spent,))])
