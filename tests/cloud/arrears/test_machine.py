"""Random histories of payments, days and runs of late charges, against simple interest counted by hand: law 23.

The model knows payments by their day and amount, and counts fen-days with fractions. A late charge never falls while
nobody pays, stops on the day of a payment, and follows a payment that is taken back.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import ClassVar

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from typing_extensions import override

from cloud.arrears import late
from cloud.charges.making import Price
from cloud.charges.rules import ChargeKind
from cloud.charges.values import Sharing
from cloud.estate import service as estate
from cloud.kit.actor import system_actor
from cloud.kit.db import Database
from cloud.kit.events import no_listeners
from cloud.kit.postgres import SUPERUSER
from cloud.kit.roles import APP
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, LineRef
from cloud.tariffs.charge import ChargeBasis
from common.ids import TenantId, TimeOrderedIds
from tests.cloud.arrears.conftest import RULE
from tests.cloud.charges.street import build_street
from tests.simulation.soak_books.auditor import Auditor
from tests.support.clock import SettableClock
from tests.support.machines import play
from tests.support.postgres import TestServer
from tests.support.randomness import seeded_bytes

DEBT_FEN = 100_000
DUE = date(2026, 3, 1)
RATE, CAP = Fraction(5, 10_000), Fraction(1, 10)
FLATS = 2
FLAT = st.integers(min_value=0, max_value=FLATS - 1)
_LATE = """
    select split_part(l.subject, '/', 1), sum(l.fen)::bigint from bill_line l where l.basis = 'late' group by 1"""


@dataclass(frozen=True, slots=True)
class Move:
    """Money that came for a debt on a day, or with a minus sign went back."""

    day: date
    fen: int


def interest_fen(moves: list[Move], through: date) -> int:
    """Return what a debt has come to by a day: simple interest on each part until it was paid, at most the cap.

    Money that goes back is that which came last, also when it goes back later than that day.
    """
    paid: list[Move] = []
    for move in sorted(moves, key=lambda one: one.day):
        back = max(0, -move.fen)
        while back:
            newest = paid.pop()
            if newest.fen > back:
                paid.append(Move(newest.day, newest.fen - back))
            back -= min(back, newest.fen)
        if move.fen > 0:
            paid.append(move)
    paid = [one for one in paid if one.day <= through]
    left = DEBT_FEN - sum(one.fen for one in paid)
    exact = sum((_part(one.fen, one.day) for one in paid), _part(left, through))
    return int(exact + Fraction(1, 2))


def _part(fen: int, until: date) -> Fraction:
    return min(fen * RATE * max(0, (until - DUE).days), fen * CAP)


class Debts(RuleBasedStateMachine):
    """Two flats that owe a thousand yuan, and a model that knows only what they paid when."""

    server: ClassVar[TestServer]

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.run = self.runner.run
        self.fresh = self.server.fresh_database()
        name = self.fresh.__enter__()
        self.clock = SettableClock(datetime(2026, 1, 1, tzinfo=UTC))
        ids = TimeOrderedIds(self.clock.now, seeded_bytes(23))
        conninfo = self.server.server.conninfo(role=APP, database=name)
        self.database = Database(conninfo, clock=self.clock, ids=ids, route=no_listeners)
        self.auditor = Auditor(self.server.server.conninfo(role=SUPERUSER, database=name))
        self.watch = psycopg.connect(self.server.server.conninfo(role=SUPERUSER, database=name), autocommit=True)
        self.moves: list[list[Move]] = [[] for _ in range(FLATS)]
        self.charged = [0] * FLATS
        self.journals = 0
        self.ran, self.seen = DUE, [0] * FLATS
        self.run(self._open(TenantId(ids.new())))
        self.today = DUE + timedelta(days=20)

    async def _open(self, tenant: TenantId) -> None:
        actor = system_actor("set-up")
        async with self.database.unit(tenant, actor) as unit:
            await estate.create_tenant(unit, code="east", name="东方物业")
        self.street = await build_street(self.database, tenant, actor, self.clock)
        charge = self.street.charge
        price = Price(document=RULE)
        await self.street.make(
            charge("late", kind=ChargeKind.LATE, basis=ChargeBasis.LATE, price=price, tax_rate_micro=0)
        )
        item = await self.street.make(charge())
        bills = await self.street.issue(self.street.one_off(item, DEBT_FEN, Sharing.EACH, due_on=DUE))
        self.debts = sorted(bills, key=lambda bill: bill.account.premises_id)[:FLATS]

    @override
    def teardown(self) -> None:
        if hasattr(self, "street"):
            self.auditor.close()
            self.watch.close()
            self.run(self.database.close())
            self.runner.close()
            self.fresh.__exit__(None, None, None)

    @rule(days=st.integers(min_value=1, max_value=60))
    def days_pass(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule(flat=FLAT, percent=st.integers(min_value=1, max_value=100), ago=st.integers(min_value=0, max_value=30))
    def a_flat_pays(self, flat: int, percent: int, ago: int) -> None:
        fen = self._open_fen(flat) * percent // 100
        day = self.today - timedelta(days=ago)
        if fen and day >= max((move.day for move in self.moves[flat] if move.fen < 0), default=day):
            self.clock.advance(seconds=1)  # the order of recording decides between movements of one day
            self.run(self.street.pay(self.debts[flat], fen, day))
            self.moves[flat].append(Move(day, fen))

    @rule(flat=FLAT, percent=st.integers(min_value=1, max_value=100))
    def money_of_a_flat_goes_back(self, flat: int, percent: int) -> None:
        fen = (DEBT_FEN - self._open_fen(flat)) * percent // 100
        if fen:
            self.run(self._give_back(flat, fen))
            self.moves[flat].append(Move(self.today, -fen))
            self.late_charges_are_run(0)

    @rule(flat=FLAT, between=st.integers(min_value=1, max_value=40))
    def the_later_of_two_payments_goes_back(self, flat: int, between: int) -> None:
        self.a_flat_pays(flat, 50, 0)
        self.days_pass(between)
        self.a_flat_pays(flat, 50, 0)
        self.money_of_a_flat_goes_back(flat, 20)

    @rule(ago=st.integers(min_value=0, max_value=2))
    def late_charges_are_run(self, ago: int) -> None:
        through = self.today - timedelta(days=ago)
        before, quiet = list(self.charged), [self._quiet_since(flat) for flat in range(FLATS)]
        self._charge(through)
        for flat in range(FLATS):
            assert self.charged[flat] == interest_fen(self.moves[flat], through)
            if quiet[flat] and through >= self.ran:
                assert self.charged[flat] >= before[flat]
        self.ran = through
        self.seen = [len(moves) for moves in self.moves]
        self._charge(through)

    def _quiet_since(self, flat: int) -> bool:
        return self.seen[flat] == len(self.moves[flat])

    def _charge(self, through: date) -> None:
        async def charge() -> None:
            async with self.database.unit(self.street.tenant, self.street.actor) as unit:
                await late.charge(unit, self.street.community, through)

        self.clock.set(max(self.clock.now(), datetime.combine(self.today, time(12), tzinfo=UTC)))
        self.run(charge())
        found: dict[str, int] = dict(self.watch.execute(_LATE).fetchall())
        self.charged = [found.get(str(debt.summary.bill_id), 0) for debt in self.debts]

    def _open_fen(self, flat: int) -> int:
        return DEBT_FEN - sum(move.fen for move in self.moves[flat])

    async def _give_back(self, flat: int, fen: int) -> None:
        view = self.debts[flat]
        self.journals += 1
        self.clock.advance(seconds=1)
        part = postings.Allocation(
            account_id=view.account.account_id, line=LineRef(bill_id=view.summary.bill_id, n=1), fen=fen
        )
        async with self.database.unit(self.street.tenant, self.street.actor) as unit:
            draft = JournalDraft(
                idem_key=f"back:{self.journals}",
                kind="payment",
                community_id=self.street.community,
                business_date=self.today,
                document=DocumentRef(kind=DocumentKind.PAYMENT, document_id=unit.new_id()),
                transfers=(postings.overpaid_released(self.street.book, part),),
            )
            await ledger.post(unit, draft)

    @invariant()
    def the_auditor_finds_nothing(self) -> None:
        assert self.auditor.breaches() == []


@pytest.mark.timeout(120)
def test_late_charges_are_simple_interest_however_payments_come_and_go(server: TestServer) -> None:
    play(Debts, histories=8, steps=12, server=server)


def test_the_model_counts_interest_by_hand() -> None:
    assert interest_fen([], date(2026, 4, 15)) == 2_250
    assert interest_fen([Move(date(2026, 3, 11), 40_000)], date(2026, 4, 15)) == 200 + 1_350
    assert interest_fen([Move(DUE, DEBT_FEN), Move(date(2026, 4, 1), -DEBT_FEN)], date(2026, 4, 15)) == 2_250
    assert interest_fen([], date(2030, 1, 1)) == DEBT_FEN // 10
