"""A power cut before and after every commit of a refund: afterwards it went once, and nobody mended it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from cloud.kit.events import Routes
from cloud.kit.runner import Pace
from cloud.refunds.rules import RefundState
from cloud.refunds.values import RefundRequest
from tests.cloud.payments.test_crashes import DoomedDatabase, Fate, PowerCutError
from tests.cloud.refunds.till import Till, runner_of

PART_FEN = 100
PAID_FEN = 10_000


@pytest.fixture
def routes() -> Routes:
    return {}


async def give_back(till: Till, wish: RefundRequest, fate: Fate) -> None:
    """Ask and work, with a fate; what is already done is found done."""
    await till.request(wish, database=DoomedDatabase(till.database, fate))
    worker = DoomedDatabase(till.counter.office.site.worker_database, fate)
    await runner_of(till.counter, worker, Pace(lease=timedelta(milliseconds=1))).drain()


async def recover(till: Till, wish: RefundRequest) -> None:
    """What happens by itself afterwards: leases run out, the clerk asks again, timers ask the channel."""
    for _ in range(2):
        await asyncio.sleep(0.01)
        till.counter.office.clock.advance(minutes=1)
        await give_back(till, wish, Fate(commit=0, after=False))


@pytest.mark.timeout(200)
async def test_a_power_cut_at_any_commit_neither_loses_nor_doubles_a_refund(till: Till) -> None:
    await till.set_policy()
    payment = await till.paid(billed_fen=500, paid_fen=PAID_FEN)
    fate = Fate(commit=0, after=False)
    await give_back(till, till.wish(payment, PART_FEN), fate)
    assert fate.seen >= 4
    gone = 1
    for commit in range(1, fate.seen + 1):
        for after in (False, True):
            wish = till.wish(payment, PART_FEN)
            with suppress(PowerCutError, BaseExceptionGroup):
                await give_back(till, wish, Fate(commit=commit, after=after))
            await recover(till, wish)
            gone += 1
            refund = await till.request(wish)
            assert refund.state is RefundState.ARRIVED, (commit, after)
            booked = await till.at_channel()
            assert len(booked) == gone, (commit, after)
            assert await till.clearing_fen() == PAID_FEN - gone * PART_FEN, (commit, after)
    assert await till.counter.ahead_fen() == PAID_FEN - 500 - gone * PART_FEN
