"""Asking for an invoice: over what was paid, once, by whom it concerns, with nothing personal beside the seal."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from cloud.invoices import seller_accounts as accounts
from cloud.invoices import service
from cloud.invoices.values import Invoice, InvoiceState, Title, TitleKind
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.kit.postgres import SUPERUSER
from common.errors import RefusalError
from tests.cloud.invoices.conftest import COMPANY, PERSON, Bureau
from tests.cloud.refunds.till import CLERK, new_id
from tests.support.postgres import TestServer


async def test_a_bill_that_nobody_paid_is_not_invoiced(bureau: Bureau) -> None:
    await bureau.till.counter.bill(0, 500)
    with pytest.raises(RefusalError, match="没有可开票金额"):
        await bureau.ask(await bureau.wish())


async def test_a_part_that_was_paid_is_invoiced_and_the_rest_once_it_is_paid(bureau: Bureau) -> None:
    await bureau.till.paid(paid_fen=200)
    assert (await bureau.issued()).total_fen == 200
    await bureau.till.pay(300)
    assert (await bureau.issued()).total_fen == 300
    assert bureau.standing_fen() == 500
    with pytest.raises(RefusalError, match="没有可开票金额"):
        await bureau.ask(await bureau.wish())


async def test_asking_twice_is_asking_once_and_with_another_title_is_refused(bureau: Bureau) -> None:
    await bureau.till.paid()
    wish = await bureau.wish()
    assert await bureau.ask(wish) == await bureau.ask(wish)
    with pytest.raises(ConflictError, match="other content"):
        await bureau.ask(replace(wish, title=COMPANY))
    await bureau.work()
    assert bureau.book.handed_over == 1


async def test_two_at_once_never_invoice_more_than_was_paid(bureau: Bureau) -> None:
    await bureau.till.paid()
    wishes = [await bureau.wish(), await bureau.wish(COMPANY)]
    refused: list[RefusalError] = []
    made: list[Invoice] = []

    async def one(n: int) -> None:
        try:
            made.append(await bureau.ask(wishes[n]))
        except RefusalError as refusal:
            refused.append(refusal)

    async with asyncio.TaskGroup() as group:
        for n in range(2):
            group.create_task(one(n))
    assert (len(made), len(refused)) == (1, 1)
    assert sum(invoice.total_fen for invoice in made) == 500


async def test_a_seller_without_an_account_issues_nothing_here(bureau: Bureau) -> None:
    await bureau.till.paid()
    async with bureau.database.view(bureau.tenant) as session:
        (account,) = await accounts.accounts(session)
    async with bureau.database.unit(bureau.tenant, CLERK) as unit:
        await accounts.close_account(unit, account.invoice_account_id)
    with pytest.raises(RefusalError, match="未开通"):
        await bureau.ask(await bureau.wish())
    async with bureau.database.view(bureau.tenant) as session:
        assert await service.room_fen(session, await bureau.bill()) == {}


async def test_how_much_may_be_invoiced_is_told_before_it_is_asked_for(bureau: Bureau) -> None:
    await bureau.till.paid(paid_fen=200)
    async with bureau.database.view(bureau.tenant) as session:
        assert await service.room_fen(session, await bureau.bill()) == {bureau.till.counter.entity: 200}


async def test_a_title_lies_sealed_and_neither_row_nor_audit_nor_job_tells_it(
    bureau: Bureau, server: TestServer, database_name: str
) -> None:
    await bureau.till.paid()
    await bureau.issued(Title(kind=TitleKind.PERSON, name="慕容雪", email="xue@example.com"))
    rows = sql.SQL("select json_agg(t)::text from {} t")
    with psycopg.connect(server.server.conninfo(role=SUPERUSER, database=database_name)) as connection:
        told = "".join(
            str(connection.execute(rows.format(sql.Identifier(one))).fetchone())
            for one in ("tax_invoice", "audit", "job", "job_archive", "open_case")
        )
    assert "慕容" not in told
    assert "xue@" not in told
    assert "慕**" in told


async def test_an_invoice_nobody_asked_for_is_not_found(bureau: Bureau) -> None:
    async with bureau.database.view(bureau.tenant) as session:
        with pytest.raises(NotFoundError):
            await service.invoice(session, new_id())


async def test_invoices_stand_in_the_lists_of_their_account_and_community(bureau: Bureau) -> None:
    await bureau.till.paid()
    found = await bureau.issued()
    async with bureau.database.view(bureau.tenant) as session:
        assert await service.of_accounts(session, [found.account_id]) == (found,)
        assert await service.in_community(session, found.community_id) == (found,)
    assert found.state is InvoiceState.ISSUED
    assert PERSON.name not in repr(found)
