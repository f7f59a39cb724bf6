"""Random histories of runs, corrections, late readings and payments against a model that only remembers amounts.

The model knows nothing of bills or journals. After every step it checks the laws: one regular document for each
obligation, what is issued follows rating once corrected, nobody's money is lost or made, nothing issued ever changes.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)
from sqlalchemy import text
from typing_extensions import override

from cloud.estate import service as estate
from cloud.kit.actor import Actor, system_actor
from cloud.kit.db import Database
from cloud.kit.events import no_listeners
from cloud.kit.roles import APP, WORKER
from cloud.ledger import auditing
from common.ids import TenantId, TimeOrderedIds
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.support.clock import SettableClock
from tests.support.machines import play
from tests.support.postgres import TestServer

FLATS = 2
MONTHS_MAX = 3
ITEMS = (b.ELECTRICITY, b.SERVICE)
FEN = st.sampled_from([0, 1, 499, 1000, 1001, 4999])
FLAT = st.integers(min_value=0, max_value=FLATS - 1)
MONTH = st.integers(min_value=0, max_value=MONTHS_MAX - 1)
ITEM = st.sampled_from(ITEMS)

ISSUED = """
    select a.premises_id, l.charge_item_id, l.service_start, sum(l.fen)::bigint
      from bill_line l join bill b on b.bill_id = l.bill_id join account a on a.account_id = b.account_id
     group by 1, 2, 3
"""
DOCUMENTS = """
    select b.bill_id, b.number, md5(b::text || (select string_agg(l::text, '|' order by l.n) from bill_line l
                                                where l.bill_id = b.bill_id)) from bill b
"""


class House:
    """One fresh database for one history, on an event loop of its own."""

    def __init__(self, server: TestServer) -> None:
        self.runner = asyncio.Runner()
        self.fresh = server.fresh_database()
        name = self.fresh.__enter__()
        self.clock = SettableClock(datetime(2026, 1, 1, tzinfo=UTC))
        ids = TimeOrderedIds(self.clock.now, b.counted_bytes())
        self.app = Database(
            server.server.conninfo(role=APP, database=name), clock=self.clock, ids=ids, route=no_listeners
        )
        self.worker = Database(
            server.server.conninfo(role=WORKER, database=name), clock=self.clock, ids=ids, route=no_listeners
        )
        self.tenant = TenantId(ids.new())
        self.office: Office = self.runner.run(self._open())

    async def _open(self) -> Office:
        async with self.app.unit(self.tenant, system_actor("set-up")) as unit:
            await estate.create_tenant(unit, code="east", name="东方物业")
        actor = Actor(kind="user", id=self.tenant, name="tester")
        site = await b.build_site(self.app, self.worker, self.tenant, actor, flats=FLATS)
        return Office(site, self.clock)

    def close(self) -> None:
        for database in (self.app, self.worker):
            self.runner.run(database.close())
        self.runner.close()
        self.fresh.__exit__(None, None, None)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        async def read() -> list[tuple[Any, ...]]:
            async with self.app.view(self.tenant) as session:
                return [tuple(row) for row in await session.execute(text(query))]

        return self.runner.run(read())


class Histories(RuleBasedStateMachine):
    """Clerks at a site of two flats, and the model that remembers what rating said and what was paid."""

    server: ClassVar[TestServer]

    @initialize()
    def begin(self) -> None:
        self.house = House(self.server)
        self.run = self.house.runner.run
        self.office = self.house.office
        self.billed: set[int] = set()
        self.said: dict[tuple[int, b.Item, int], int] = {}
        self.documents: dict[Any, str] = {}
        self.paid = 0
        self.keys = 0
        for flat in range(FLATS):
            for item in ITEMS:
                for month in range(MONTHS_MAX):
                    self.rating_says(flat, item, month, 1000)
        self.the_next_month_is_billed()

    @override
    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.close()

    @rule(flat=FLAT, item=ITEM, month=MONTH, fen=FEN)
    def rating_says(self, flat: int, item: b.Item, month: int, fen: int) -> None:
        self.office.set(self.office.site.flats[flat], item, month, fen)
        self.said[flat, item, month] = fen

    @rule(flat=FLAT, item=ITEM, month=MONTH)
    def a_reading_goes_missing(self, flat: int, item: b.Item, month: int) -> None:
        self.office.book.unknown.add((self.office.site.flats[flat][0], item, b.MONTHS[month].start))

    @rule()
    def all_readings_come(self) -> None:
        self.office.book.unknown.clear()

    @rule()
    def the_next_month_is_billed(self) -> None:
        month = len(self.billed)
        if month < MONTHS_MAX:
            self.run(self.office.bill_month(month))
            self.billed.add(month)

    @rule(month=MONTH)
    def a_month_is_run_again(self, month: int) -> None:
        if month in self.billed:
            self.run(self.office.bill_month(month))

    @rule(flat=FLAT)
    def a_flat_pays_all(self, flat: int) -> None:
        owed = sum(self.run(self.office.open_fen(self.office.site.flats[flat])))
        if owed:
            self.keys += 1
            self.run(self.office.pay(self.office.site.flats[flat], str(self.keys)))
            self.paid += owed

    @rule(flats=st.sets(FLAT, min_size=1), month=MONTH)
    def some_flats_are_corrected(self, flats: set[int], month: int) -> None:
        chosen = [self.office.site.flats[flat] for flat in flats]
        self.run(self.office.correct(chosen, month))
        assert self.run(self.office.correct(chosen, month)) == ()

    @rule(flat=FLAT, item=ITEM, month=MONTH, fen=FEN, paid=st.booleans())
    def a_wrong_reading_is_mended(self, flat: int, item: b.Item, month: int, fen: int, *, paid: bool) -> None:
        if paid:
            self.a_flat_pays_all(flat)
        self.rating_says(flat, item, month, fen)
        self.some_flats_are_corrected({flat}, month)

    @rule()
    def everything_is_known_and_corrected(self) -> None:
        self.office.book.unknown.clear()
        for month in self.billed:
            self.run(self.office.bill_month(month))
        self.run(self.office.correct(self.office.site.flats, 0))
        numbers = {premises: flat for flat, (premises, _) in enumerate(self.office.site.flats)}
        items = {item.id: item for item in ITEMS}
        issued = {
            (numbers[premises], items[item], start.month - 1): fen
            for premises, item, start, fen in self.house.rows(ISSUED)
        }
        should = {key: fen for key, fen in self.said.items() if key[2] in self.billed}
        keys = issued.keys() | should.keys()
        assert {key: issued.get(key, 0) for key in keys} == {key: should.get(key, 0) for key in keys}

    @invariant()
    def nothing_issued_ever_changes(self) -> None:
        now = {bill_id: digest for bill_id, _, digest in self.house.rows(DOCUMENTS)}
        assert self.documents.items() <= now.items()
        self.documents = now

    @invariant()
    def each_obligation_has_one_regular_document(self) -> None:
        doubles = "select 1 from bill where kind = 'regular' group by account_id, period_start having count(*) > 1"
        assert self.house.rows(doubles) == []
        states = self.house.rows("select state, count(*) from obligation group by state")
        assert sum(count for _, count in states) == FLATS * len(self.billed)

    @invariant()
    def numbers_have_no_gap(self) -> None:
        for letter in "BA":
            found = self.house.rows(f"select number from bill where number like 'GARDEN-{letter}%' order by 1")  # noqa: S608 - our own letters
            assert [int(number[-6:]) for (number,) in found] == list(range(1, len(found) + 1))

    @invariant()
    def no_money_is_lost_or_made(self) -> None:
        ((issued,),) = self.house.rows("select coalesce(sum(total_fen), 0)::bigint from bill")
        flats = self.office.site.flats
        still = sum(sum(self.run(self.office.open_fen(flat))) - self.run(self.office.ahead_fen(flat)) for flat in flats)
        assert still == issued - self.paid

    @invariant()
    def the_book_is_sound(self) -> None:
        async def audited() -> auditing.AuditReport:
            async with self.house.app.view(self.house.tenant) as session:
                return await auditing.audit(session, self.office.site.community_id)

        assert self.run(audited()).breaches == ()


@pytest.mark.timeout(280)
def test_any_history_keeps_the_laws(server: TestServer) -> None:
    play(Histories, histories=12, steps=12, server=server)
