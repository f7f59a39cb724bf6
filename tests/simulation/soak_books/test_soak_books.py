"""A short soak breaks nothing; and for each check of the auditor, a book that is broken just so turns it red."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from tests.cloud.conftest import server
from tests.simulation.soak_books import deeds, meter_deeds, till_deeds
from tests.simulation.soak_books.auditor import ACKNOWLEDGED, APPEND_ONLY, CHANNEL, CHECKS, Breach
from tests.simulation.soak_books.play import Tally, play
from tests.simulation.soak_books.wiring import COMPLETE, CONSERVED, TRACED
from tests.simulation.soak_books.world import World, open_world
from tests.support.postgres import TestServer

__all__ = ["server"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

# What a hand would change behind the triggers' back, and the check that must see it.
BROKEN = {
    "a bill is the sum of its lines": "update bill_line set fen = fen + 1, net_fen = net_fen + 1 where n = 1",
    "what is billed is in the book": "delete from transfer where route = 'issue'",
    "no line is settled above what is owed": "update transfer set fen = fen + 10000000 where route = 'receipt'",
    "a receipt is what its journal moved": "update payment set amount_fen = amount_fen - 1, ahead_fen = 0",
    "a balance is the sum of its transfers": "update balance set credit_posted = credit_posted + 1",
    "a guarded account never crosses": """
        alter table balance drop constraint ck_balance_debits_within_credits;
        update balance set debit_pending = credit_posted + 1 where guard = 'credit'""",
    "a reservation is resolved at most once": "update transfer set fen = fen + 10000000 where kind = 'post'",
    "numbers have no gap": """
        update payment set number = regexp_replace(number, '\\d+$', '900000')
         where payment_id = (select payment_id from payment limit 1)""",
    "one bill for each obligation": "update obligation set state = 'due', bill_id = null",
    "a deposit holds what its account holds": "update deposit set deducted_fen = deducted_fen + 1",
    "a cash box holds what was put in": "update cash_shift set opening_fen = opening_fen + 1",
    "suspense is the lines that wait": "update bank_line set fen = fen + 1 where state = 'suspense'",
    "a sealed day stays as it was": "update seal set journals = journals + 1",
    "nothing is dated into a closed period": "update book_close set closed_at = '2001-01-01 00:00:00+00'",
    "who moved out was settled with once": "update party_premises set ends = null where role = 'payer'",
    "no job is given up": """
        update job set state = 'dead' where key = (select key from job where state = 'ready' limit 1)""",
    APPEND_ONLY: "update audit set actor_name = 'nobody'",
    ACKNOWLEDGED: "delete from payment where channel = 'cash'",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lived(server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world in which a little of everything has happened, audited once and found sound."""
    async with open_world(server, tmp_path_factory.mktemp("lived"), 4) as world:
        world.calm = True
        for deed in (
            meter_deeds.swap_a_meter,
            deeds.bill_a_month,
            till_deeds.pay_cash,
            till_deeds.pay_online,
            till_deeds.bring_a_deposit,
            till_deeds.take_a_statement,
            *[till_deeds.refund] * 8,
            deeds.seal_days,
            deeds.close_a_period,
            deeds.let_a_flat,
        ):
            await deed(world)
            await world.work()
        world.shop.ground.clock.advance(days=45)
        await meter_deeds.settle_usage(world)
        for deed in (deeds.bill_a_month, deeds.bill_a_month, deeds.bill_a_month, deeds.move_out):
            await deed(world)
            await world.work()
        for minutes in (1, 60, 720):
            world.shop.ground.clock.advance(minutes=minutes)
            await world.tell()
            await world.work()
        await deeds.seal_days(world)  # a job that waits
        assert world.done["moving out"] == world.done["period closed"] == 1, world.refused
        assert world.breaches() == []
        yield world


# The same of what was billed for usage, held against the devices.
MISMETERED = {
    CONSERVED: "update bill_line set quantity_milli = quantity_milli + 1 where charge_code = 'power'",
    TRACED: """
        update bill_line set trace = jsonb_set(trace, '{to_register,value_milli}', '1')
         where charge_code = 'power' and jsonb_typeof(trace->'to_register') = 'object'""",
    COMPLETE: "delete from bill_line where charge_code = 'power'",
}


def test_every_check_has_a_book_that_breaks_it() -> None:
    assert BROKEN.keys() == CHECKS.keys() | {APPEND_ONLY, ACKNOWLEDGED}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("check", BROKEN)
async def test_the_auditor_goes_red_for_a_book_that_is_broken_so(lived: World, check: str) -> None:
    with psycopg.connect(lived.shop.ground.superuser) as hand:
        hand.execute("set session_replication_role = replica")
        hand.execute(BROKEN[check].encode())
        found = lived.auditor.within(hand)
        hand.rollback()
    assert check in {breach.check for breach in found}
    assert lived.breaches() == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("check", MISMETERED)
async def test_usage_that_the_device_did_not_count_is_found(lived: World, check: str) -> None:
    with psycopg.connect(lived.shop.ground.superuser) as hand:
        hand.execute("set session_replication_role = replica")
        assert hand.execute(MISMETERED[check].encode()).rowcount > 0
        found = [*lived.wiring.breaches(hand), *lived.wiring.unbilled(hand)]
        hand.rollback()
    assert check in {breach.check for breach in found}
    assert lived.breaches() == lived.unbilled() == []


@pytest.mark.asyncio(loop_scope="module")
async def test_a_payment_that_only_the_channel_knows_is_found(lived: World) -> None:
    assert await lived.against_the_channel() == []
    assert {one.check for one in lived.auditor.differs({"unknown": 1}, {})} == {CHANNEL}


async def test_seeds_under_faults_break_nothing(server: TestServer, tmp_path: Path) -> None:
    tally = Tally()
    for seed in (1, 2):
        await play(server, tmp_path, seed, tally, deeds=40)
    assert tally.broken == {}, tally.table()
    assert tally.done.total() > 40
    assert {"client dies after a commit", "two clients at once", "worker dies between commits"} <= tally.faults.keys()
    assert tally.done["batch delivered"] > 0


def test_a_breach_is_told_with_the_seed_that_plays_it_again() -> None:
    tally = Tally(broken={17: [Breach("numbers have no gap", "B2026, 3")]})
    assert "seed 17: numbers have no gap: B2026, 3" in tally.table()
    assert "make soak SEED=17" in tally.table()
