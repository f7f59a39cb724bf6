"""Random histories of money paid ahead, reserved, paid out, given back and repeated, against a model of three numbers.

Laws 10 to 13: sums are explained at every step, guarded balances never cross, a reservation is resolved at most once,
and a command given again is the same while other content under its key changes nothing.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from typing_extensions import override

from cloud.estate import service as estate
from cloud.kit.actor import Actor, system_actor
from cloud.kit.db import Database
from cloud.kit.events import no_listeners
from cloud.kit.postgres import SUPERUSER
from cloud.kit.roles import APP
from cloud.ledger import postings, service
from cloud.ledger.errors import GuardError, IdempotencyError, ResolvedError
from cloud.ledger.journals import JournalDraft, JournalRef, TransferDraft, TransferRef
from common.ids import TenantId, TimeOrderedIds
from tests.cloud.ledger import builders as b
from tests.simulation.soak_books.auditor import Auditor
from tests.support.clock import SettableClock
from tests.support.machines import play
from tests.support.postgres import TestServer
from tests.support.randomness import seeded_bytes

INTO = postings.clearing(b.book(), b.MERCHANT)
TELLER = Actor(kind="user", id=UUID(int=1), name="teller")
FEN = st.integers(min_value=1, max_value=600)


class Tellers(RuleBasedStateMachine):
    """Tellers at one prepayment, and a model: what is free, what is set aside, what has gone."""

    server: ClassVar[TestServer]

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.run = self.runner.run
        self.fresh = self.server.fresh_database()
        name = self.fresh.__enter__()
        clock = SettableClock(datetime(2026, 1, 1, tzinfo=UTC))
        ids = TimeOrderedIds(clock.now, seeded_bytes(1))
        conninfo = self.server.server.conninfo(role=APP, database=name)
        self.database = Database(conninfo, clock=clock, ids=ids, route=no_listeners)
        self.tenant = TenantId(ids.new())
        self.auditor = Auditor(self.server.server.conninfo(role=SUPERUSER, database=name))
        self.free = self.gone = 0
        self.aside: list[tuple[TransferDraft, TransferRef]] = []
        self.resolved: list[tuple[TransferDraft, TransferRef]] = []
        self.given: list[JournalDraft] = []
        self.run(self._open())
        self.money_comes(500)

    async def _open(self) -> None:
        async with self.database.unit(self.tenant, system_actor("set-up")) as unit:
            await estate.create_tenant(unit, code="east", name="东方物业")

    @override
    def teardown(self) -> None:
        if hasattr(self, "auditor"):
            self.auditor.close()
            self.run(self.database.close())
            self.runner.close()
            self.fresh.__exit__(None, None, None)

    def post(self, *moves: TransferDraft) -> JournalRef:
        """Post a new movement, and keep it to be given again."""
        draft = b.journal(f"movement:{len(self.given)}", moves)
        posted = self.run(self._post(draft))
        self.given.append(draft)
        return posted

    async def _post(self, draft: JournalDraft) -> JournalRef:
        async with self.database.unit(self.tenant, TELLER) as unit:
            return await service.post(unit, draft)

    @rule(fen=FEN)
    def money_comes(self, fen: int) -> None:
        self.post(*postings.payment_received(INTO, [], payer=b.ACCOUNT, ahead_fen=fen))
        self.free += fen

    @rule(fen=FEN)
    def some_is_set_aside(self, fen: int) -> None:
        move = postings.refund_reserved(b.ACCOUNT, INTO, fen)
        if fen > self.free:
            with pytest.raises(GuardError):
                self.run(self._post(b.journal("too much", [move])))
            return
        posted = self.post(move)
        self.aside.append((move, TransferRef(journal_id=posted.journal_id, n=1)))
        self.free -= fen

    @rule(data=st.data())
    def what_was_set_aside_is_paid_out_in_part_or_whole(self, data: st.DataObject) -> None:
        if self.aside:
            move, ref = self.aside.pop(data.draw(st.integers(0, len(self.aside) - 1)))
            fen = data.draw(st.integers(1, move.fen))
            self.post(postings.reservation_posted(move, ref, fen))
            self.gone += fen
            self.free += move.fen - fen
            self.resolved.append((move, ref))

    @rule(data=st.data())
    def what_was_set_aside_is_given_back(self, data: st.DataObject) -> None:
        if self.aside:
            move, ref = self.aside.pop(data.draw(st.integers(0, len(self.aside) - 1)))
            self.post(postings.reservation_voided(move, ref))
            self.free += move.fen
            self.resolved.append((move, ref))

    @rule(data=st.data(), pays=st.booleans())
    def nothing_is_resolved_twice(self, data: st.DataObject, *, pays: bool) -> None:
        if self.resolved:
            move, ref = data.draw(st.sampled_from(self.resolved))
            again = postings.reservation_posted(move, ref, 1) if pays else postings.reservation_voided(move, ref)
            with pytest.raises(ResolvedError):
                self.run(self._post(b.journal("again", [again])))

    @rule(data=st.data())
    def a_movement_given_again_is_the_same(self, data: st.DataObject) -> None:
        assert self.run(self._post(data.draw(st.sampled_from(self.given)))).replayed

    @rule(data=st.data())
    def other_content_under_a_key_is_refused(self, data: st.DataObject) -> None:
        known = data.draw(st.sampled_from(self.given))
        other = postings.payment_received(INTO, [], payer=b.ACCOUNT, ahead_fen=10_000)
        with pytest.raises(IdempotencyError):
            self.run(self._post(b.journal(known.idem_key, other)))

    @invariant()
    def the_book_says_what_the_model_says(self) -> None:
        async def available() -> int:
            async with self.database.view(self.tenant) as session:
                return sum(one.available_fen for one in await service.ahead_balances(session, [b.ACCOUNT]))

        assert self.run(available()) == self.free

    @invariant()
    def the_auditor_finds_nothing(self) -> None:
        assert self.auditor.breaches() == []


@pytest.mark.timeout(280)
def test_any_history_of_reservations_keeps_the_laws(server: TestServer) -> None:
    play(Tellers, histories=8, steps=20, server=server)
