"""A power cut before and after every commit of a payment: afterwards there is one receipt, and nobody mended it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from typing_extensions import override

from cloud.kit.actor import Actor
from cloud.kit.db import Database, Unit
from cloud.kit.runner import JobMetrics, Pace, Runner
from cloud.kit.secretbox import SecretBox
from cloud.payments import service
from cloud.payments.cashier import Cashier
from cloud.payments.channel import Channel
from cloud.payments.endpoints import build_notify_router
from cloud.payments.inbox import Inbox, InboxMetrics
from cloud.payments.rules import AttemptState
from cloud.payments.service import Way
from cloud.payments.tasks import PaymentTasks
from cloud.payments.values import IntentRequest
from common.clock import Clock
from common.ids import TenantId
from tests.cloud.payments.counter import PUBLIC_URL, Counter

PART_FEN = 100
CROWD = 3
LEASE = timedelta(milliseconds=1)
CROWD_LEASE = timedelta(milliseconds=400)  # a crowd is claimed in two statements


class PowerCutError(BaseException):
    """The machine is gone: no handler of ours runs."""


@dataclass(slots=True)
class Fate:
    """At which commit the power is cut, counted from one, and whether the commit still happened; 0 is never."""

    commit: int
    after: bool
    seen: int = 0


class DoomedDatabase(Database):
    """A database whose client loses power at one commit."""

    def __init__(self, inner: Database, fate: Fate) -> None:
        self._inner = inner
        self._fate = fate

    @property
    @override
    def clock(self) -> Clock:
        return self._inner.clock

    @asynccontextmanager
    @override
    async def unit(self, tenant: TenantId, actor: Actor) -> AsyncIterator[Unit]:
        async with self._inner.unit(tenant, actor) as unit:
            yield unit
            self._fate.seen += 1
            doomed = self._fate.seen == self._fate.commit
            if doomed and not self._fate.after:
                raise PowerCutError
        if doomed:
            raise PowerCutError

    @asynccontextmanager
    @override
    async def view(self, tenant: TenantId) -> AsyncIterator[AsyncSession]:
        async with self._inner.view(tenant) as session:
            yield session

    @asynccontextmanager
    @override
    async def directory(self) -> AsyncIterator[AsyncConnection]:
        async with self._inner.directory() as connection:
            yield connection


async def pay(counter: Counter, request: IntentRequest, fate: Fate) -> None:
    """Start, scan, notify and work, with a fate; what is already done is found done."""
    database = DoomedDatabase(counter.database, fate)
    cashier = Cashier(database, counter.providers, PUBLIC_URL, secrets.token_bytes)
    attempt = await cashier.start(counter.tenant, counter.office.site.actor, request, Way.usual(Channel.WECHAT))
    if attempt.state is AttemptState.SENT:
        await counter.scan(attempt)
    await tell_and_book(counter, fate)


async def tell_and_book(counter: Counter, fate: Fate, lease: timedelta = LEASE) -> None:
    """Notify and work, with a fate; questions that wait are asked together."""
    box = SecretBox(bytes(range(32)))
    inbox = Inbox(DoomedDatabase(counter.database, fate), counter.providers, box, InboxMetrics(CollectorRegistry()))
    app = FastAPI()
    app.include_router(build_notify_router(inbox))
    tasks = PaymentTasks(counter.providers)
    runner = Runner(
        database=DoomedDatabase(counter.office.site.worker_database, fate),
        handlers={service.ASK: tasks.ask},
        together={service.ASK: tasks.together()},
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
        pace=Pace(lease=lease),
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
        await counter.channel.channel.messenger.deliver_due(http)
        await runner.drain()


async def recover(counter: Counter, request: IntentRequest) -> None:
    """What happens by itself afterwards: leases run out, the payer looks again, timers ask, the channel repeats."""
    for _ in range(3):
        await asyncio.sleep(0.01)
        counter.office.clock.advance(minutes=1)
        await pay(counter, request, Fate(commit=0, after=False))


async def commits_of_a_calm_payment(counter: Counter) -> int:
    fate = Fate(commit=0, after=False)
    await pay(counter, await counter.request(amount_fen=PART_FEN), fate)
    return fate.seen


async def check_books(counter: Counter, paid: int) -> None:
    """Compare our receipts with the channel's book and with what is open."""
    book = await counter.channel.control("book", mchid=counter.account.merchant_number)
    taken = [trade for trade in book["trades"] if trade["state"] == "SUCCESS"]
    receipts = await counter.payments()
    assert len(receipts) == len(taken) == paid
    assert {receipt.order_number for receipt in receipts} == {trade["number"] for trade in taken}
    assert await counter.open_fen() == 100_000 - paid * PART_FEN


@pytest.mark.timeout(120)
async def test_a_power_cut_at_any_commit_neither_loses_nor_doubles_the_money(counter: Counter) -> None:
    await counter.bill(0, 100_000)
    commits = await commits_of_a_calm_payment(counter)
    assert commits >= 4
    paid = 1
    for commit in range(1, commits + 1):
        for after in (False, True):
            request = await counter.request(amount_fen=PART_FEN)
            with suppress(PowerCutError, BaseExceptionGroup):
                await pay(counter, request, Fate(commit=commit, after=after))
            await recover(counter, request)
            paid += 1
            await check_books(counter, paid)
    assert await counter.ahead_fen() == 0


async def scan_a_crowd(counter: Counter) -> None:
    for _ in range(CROWD):
        await counter.scan(await counter.start(amount_fen=PART_FEN))


@pytest.mark.timeout(120)
async def test_a_power_cut_while_several_are_booked_together_neither_loses_nor_doubles_one(counter: Counter) -> None:
    await counter.bill(0, 100_000)
    await scan_a_crowd(counter)
    calm = Fate(commit=0, after=False)
    await tell_and_book(counter, calm, CROWD_LEASE)
    paid = CROWD
    await check_books(counter, paid)
    for commit in range(1, calm.seen + 1):
        for after in (False, True):
            await scan_a_crowd(counter)
            with suppress(PowerCutError, BaseExceptionGroup):
                await tell_and_book(counter, Fate(commit=commit, after=after), CROWD_LEASE)
            await asyncio.sleep(CROWD_LEASE.total_seconds())
            for _ in range(3):
                counter.office.clock.advance(minutes=1)
                await tell_and_book(counter, Fate(commit=0, after=False), CROWD_LEASE)
            paid += CROWD
            await check_books(counter, paid)
    assert calm.seen <= CROWD + 1  # all were booked in one commit; alone they would be two commits each
