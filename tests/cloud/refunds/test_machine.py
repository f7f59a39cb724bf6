"""Random histories of payments and refunds under deaths and lost answers, against a table written by hand: law 24.

A trigger of the test notes every state that a payment attempt or a refund goes through, also inside a transaction. Each
step stands in the table below; whatever is not at its end has a job that will look at it, or waits for a person who is
told; and once faults stop, everything ends as the model says.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import psycopg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from typing_extensions import override

from cloud.refunds import service as refunds
from cloud.refunds.errors import RefundStateError, VerdictError
from cloud.refunds.values import RefundRequest
from common.ids import PaymentId
from tests.cloud.sweep.shop import CHIEF, CLERK
from tests.simulation.soak_books import till_deeds
from tests.simulation.soak_books.world import open_world
from tests.support.machines import play
from tests.support.postgres import TestServer
from tests.support.randomness import seeded_bytes

STEPS = {
    "refund": {
        (None, "requested"),
        ("requested", "approved"),
        ("requested", "rejected"),
        ("approved", "reserved"),
        ("approved", "failed"),
        ("reserved", "submitted"),
        ("reserved", "arrived"),
        ("reserved", "failed"),
        ("submitted", "accepted"),
        ("submitted", "arrived"),
        ("submitted", "failed"),
        ("accepted", "arrived"),
        ("accepted", "failed"),
    },
    "payment_attempt": {
        (None, "created"),
        *(("created", after) for after in ("sent", "unknown", "paid", "closed", "failed", "disputed")),
        *(("unknown", after) for after in ("sent", "paid", "closed", "failed", "disputed")),
        *(("sent", after) for after in ("paid", "closed", "failed", "disputed")),
        *(("failed", after) for after in ("sent", "paid", "disputed")),
        ("closed", "paid"),
        ("closed", "disputed"),
        ("disputed", "paid"),
    },
}
GIVEN_UP = {"rejected", "failed"}
_NUMBERS = count(1)
_PAYMENTS = "select payment_id from payment where channel = %s order by booked_at, payment_id"
_NOTED = """
    create table state_log (n bigserial, thing text, id text, before text, after text);
    create function note_state() returns trigger language plpgsql security definer as $$ begin
      if tg_op = 'INSERT' or old.state is distinct from new.state then
        insert into state_log (thing, id, before, after) values
          (tg_table_name, to_jsonb(new)->>tg_argv[0], case when tg_op = 'UPDATE' then old.state end, new.state);
      end if; return new; end $$;
    create trigger noted after insert or update on refund for each row execute function note_state('refund_id');
    create trigger noted after insert or update on payment_attempt for each row
      execute function note_state('attempt_id')"""
_UNLOOKED = """
    select 'refund', refund_id::text, state from refund r
     where (state in ('approved', 'submitted', 'accepted') or state = 'reserved' and route = 'original')
       and not exists (select 1 from job where state in ('ready', 'leased')
                          and payload->>'refund_id' = r.refund_id::text)
    union all
    select 'refund', refund_id::text, state from refund r
     where state = 'requested'
       and not exists (select 1 from open_case where object_id = r.refund_id and closed_at is null)
    union all
    select 'attempt', attempt_id::text, state from payment_attempt a
     where state in ('created', 'sent', 'unknown')
       and not exists (select 1 from job where state in ('ready', 'leased')
                          and payload->>'attempt_id' = a.attempt_id::text)"""


@dataclass(slots=True)
class Wish:
    """What the model knows of a refund that was acknowledged: payment, amount and route, and what people did."""

    payment: UUID
    fen: int
    in_cash: bool
    verdict: str = ""
    ended: str = ""

    def may_end(self) -> set[str]:
        """Return where it may stand once all is calm: what is approved goes through, unless its money is used up."""
        if self.verdict == "rejected":
            return {"rejected"}
        if self.ended:
            return {self.ended}
        going = {"reserved", "failed"} if self.in_cash else {"arrived", "failed"}
        return going if self.verdict == "approved" else {"requested", *going}


class Refunds(RuleBasedStateMachine):
    """Clerks who take money and give it back, and a model of who asked for what and who said yes."""

    server: ClassVar[TestServer]
    folder: ClassVar[Path]

    @initialize(seed=st.integers(min_value=0, max_value=1 << 16))
    def begin(self, seed: int) -> None:
        self.runner = asyncio.Runner()
        self.run = self.runner.run
        self.stack = AsyncExitStack()
        self.wishes: dict[UUID, Wish] = {}
        folder = self.folder / f"{next(_NUMBERS)}"
        self.world = self.run(self.stack.enter_async_context(open_world(self.server, folder, seed)))
        self.watch = psycopg.connect(self.world.shop.ground.superuser, autocommit=True)
        self.watch.execute(_NOTED)
        for _ in range(2):
            self.run(till_deeds.pay_cash(self.world))
            self.run(till_deeds.pay_online(self.world))

    @override
    def teardown(self) -> None:
        if hasattr(self, "watch"):
            self.watch.close()
            self.run(self.stack.aclose())
            self.runner.close()

    @rule(online=st.booleans())
    def somebody_pays(self, *, online: bool) -> None:
        self.run(till_deeds.pay_online(self.world) if online else till_deeds.pay_cash(self.world))

    @rule(fen=st.integers(min_value=1, max_value=60_000), in_cash=st.booleans(), place=st.integers(0, 9))
    def a_refund_is_asked_for(self, fen: int, place: int, *, in_cash: bool) -> None:
        channel = "cash" if in_cash else "wechat"
        rows = self.watch.execute(_PAYMENTS, [channel]).fetchall()
        if not rows:
            return
        payment = rows[place % len(rows)][0]
        wish = RefundRequest(
            refund_id=self.world.new_id(),
            payment_id=PaymentId(payment),
            amount_fen=fen,
            reason="paid twice",
            cash_box_id=self.world.shop.cash_box if in_cash else None,
        )
        numbers = seeded_bytes(len(self.wishes))

        async def ask() -> None:
            async with self.world.shop.unit() as unit:
                await refunds.request(unit, wish, numbers)

        if self.run(self.world.do("refund asked", ask)):
            self.wishes[wish.refund_id] = Wish(payment=payment, fen=fen, in_cash=in_cash)

    @rule(place=st.integers(0, 9), approves=st.booleans())
    def the_chief_judges(self, place: int, *, approves: bool) -> None:
        one = self._one(place, "requested")
        if one is None:
            return

        async def judge() -> None:
            async with self.world.shop.unit(CHIEF) as unit:
                await refunds.judge(unit, one, approves=approves, note="seen")

        self.run(self.world.do("refund judged", judge))
        self.wishes[one].verdict = "approved" if approves else "rejected"

    @rule(place=st.integers(0, 9))
    def nobody_judges_his_own_wish(self, place: int) -> None:
        async def judge(refund_id: UUID) -> None:
            async with self.world.shop.unit(CLERK) as unit:
                await refunds.judge(unit, refund_id, approves=True)

        one = self._one(place, "requested")
        if one is not None:
            with pytest.raises(VerdictError):
                self.run(judge(one))

    @rule(place=st.integers(0, 9), pays=st.booleans())
    def cash_is_handed_out_or_kept(self, place: int, *, pays: bool) -> None:
        one = self._one(place, "reserved")
        if one is None or not self.wishes[one].in_cash:
            return

        async def end() -> None:
            async with self.world.shop.unit() as unit:
                if pays:
                    await refunds.hand_out(unit, one, self.world.shop.shift, signed_as="张三")
                else:
                    await refunds.withdraw(unit, one, reason="stays on the bill")

        self.run(self.world.do("refund ended", end))
        if self._states()[one] != "reserved":  # a box that holds too little pays nothing
            self.wishes[one].ended = "arrived" if pays else "failed"

    @rule(fen=st.integers(min_value=1, max_value=900), pays=st.booleans(), place=st.integers(0, 9))
    def a_refund_goes_from_the_wish_to_the_counter(self, fen: int, place: int, *, pays: bool) -> None:
        self.a_refund_is_asked_for(fen, place, in_cash=True)
        self.the_chief_judges(0, approves=True)
        self.the_worker_works_and_may_die()
        self.cash_is_handed_out_or_kept(place, pays=pays)

    @rule(place=st.integers(0, 9))
    def an_end_is_an_end(self, place: int) -> None:
        async def judge(refund_id: UUID) -> None:
            async with self.world.shop.unit(CHIEF) as unit:
                await refunds.judge(unit, refund_id, approves=True)

        one = self._one(place, "rejected")
        if one is not None:
            with pytest.raises(RefundStateError):
                self.run(judge(one))

    @rule()
    def the_worker_works_and_may_die(self) -> None:
        self.run(self.world.work())

    @rule(minutes=st.sampled_from([1, 5, 120]))
    def time_passes(self, minutes: int) -> None:
        self.world.shop.ground.clock.advance(minutes=minutes)
        self.run(self.world.work())

    @rule()
    def the_channel_tells(self) -> None:
        self.run(self.world.tell())

    @rule()
    def calm_comes(self) -> None:
        self.world.calm = True
        for minutes in (1, 5, 15, 60, 720):
            self.world.shop.ground.clock.advance(minutes=minutes)
            self.run(self.world.tell())
            self.run(self.world.work())
        self.world.calm = False
        states = self._states()
        for refund_id, wish in self.wishes.items():
            assert states[refund_id] in wish.may_end(), (wish, states[refund_id])
        assert self.run(self.world.against_the_channel()) == []

    @invariant()
    def states_follow_the_table(self) -> None:
        for thing, before, after in self.watch.execute("select distinct thing, before, after from state_log"):
            assert (before, after) in STEPS[thing], (thing, before, after)

    @invariant()
    def whatever_is_under_way_will_be_looked_at(self) -> None:
        assert self.watch.execute(_UNLOOKED).fetchall() == []

    @invariant()
    def no_payment_gives_back_more_than_came(self) -> None:
        came: dict[UUID, int] = dict(self.watch.execute("select payment_id, amount_fen from payment").fetchall())
        states = self._states()
        for payment in {wish.payment for wish in self.wishes.values()}:
            wishes = {one: wish for one, wish in self.wishes.items() if wish.payment == payment}
            assert sum(wish.fen for one, wish in wishes.items() if states[one] not in GIVEN_UP) <= came[payment]

    def _states(self) -> dict[UUID, str]:
        return dict(self.watch.execute("select refund_id, state from refund").fetchall())

    def _one(self, place: int, state: str) -> UUID | None:
        states = self._states()
        there = [one for one in self.wishes if states[one] == state]
        return there[place % len(there)] if there else None


@pytest.mark.timeout(240)
def test_refunds_and_payments_follow_their_tables_and_come_to_an_end(server: TestServer, tmp_path: Path) -> None:
    play(Refunds, histories=4, steps=24, server=server, folder=tmp_path)
