"""The book as files: nothing is lost on the way, no name leaves the house, and the balances hold."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest_asyncio

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.ledger import exporting, reports
from cloud.ledger.exporting import AccountNames
from cloud.ledger.reports import Posting
from common.ids import TenantId
from tests.cloud.charges.street import Street, build_street
from tests.support.clock import SettableClock


@pytest_asyncio.fixture
async def street(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Street:
    built = await build_street(database, tenant, actor, clock)
    item = await built.make(built.charge())
    bills = await built.issue(built.one_off(item, 60_001))
    await built.pay(bills[0], 1_000, date(2026, 2, 10))
    return built


async def postings(street: Street, through: date | None = None) -> tuple[Posting, ...]:
    async with street.database.view(street.tenant) as session:
        return await exporting.postings_in(session, street.community, through)


async def test_csv_holds_every_transfer_to_the_fen(street: Street) -> None:
    out = io.StringIO(newline="")
    assert exporting.write_csv(await postings(street), out) == 7
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("610.01")
    assert {row["route"] for row in rows} == {"issue", "receipt"}
    assert rows[-1]["debit"].startswith("Assets:Clearing:Operating:")
    assert len(await postings(street, date(2026, 2, 9))) == 6


async def test_a_beancount_file_balances_by_its_own_words(street: Street) -> None:
    out = io.StringIO()
    assert exporting.write_beancount(await postings(street), '长街 "one"', out) == 7
    text = out.getvalue()
    assert 'option "title" "长街 \\"one\\""' in text
    sums: Counter[str] = Counter()
    opened = set(re.findall(r"^\S+ open (\S+) CNY$", text, re.MULTILINE))
    for block in text.split("\n\n"):
        moves = re.findall(r"^  ([A-Z][\w:]+)  (-?[\d.]+) CNY$", block, re.MULTILINE)
        assert sum(Decimal(amount) for _, amount in moves) == 0
        for name, amount in moves:
            sums[name] += Decimal(amount)  # type: ignore[assignment]
    told = {name: Decimal(amount) for name, amount in re.findall(r"balance (\S+)  (-?[\d.]+) CNY", text)}
    assert told == dict(sums)
    assert opened == set(told)
    assert "2026-02-11 balance" in text
    assert "业主" not in text


def test_an_empty_book_is_a_file_without_an_entry() -> None:
    out = io.StringIO()
    assert exporting.write_beancount([], "empty", out) == 0
    assert "balance" not in out.getvalue()


async def test_an_account_has_one_name_throughout_and_two_have_two(street: Street) -> None:
    names = AccountNames()
    seen = {ref: names.name(ref) for one in await postings(street) for ref in (one.debit, one.credit)}
    assert len(set(seen.values())) == len(seen)
    async with street.database.view(street.tenant) as session:
        balance = await reports.trial_balance(session, street.community)
    assert len(seen) == sum(line.accounts for line in balance.lines)
