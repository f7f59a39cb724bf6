"""A till: the counter of payments whose worker also refunds, with clerks who ask, approve and hand out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry

from cloud.cases import service as cases
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.runner import JobMetrics, Pace, Runner
from cloud.ledger import auditing, reports
from cloud.ledger.accounts import AccountType
from cloud.payments.values import Payment
from cloud.refunds import service
from cloud.refunds.rules import Policy
from cloud.refunds.tasks import RefundTasks
from cloud.refunds.values import Refund, RefundRequest
from common.ids import PaymentId
from tests.cloud.payments.counter import PUBLIC_URL, Counter

CLERK = Actor(kind="user", id=UUID(int=0xC1), name="clerk")
BOSS = Actor(kind="user", id=UUID(int=0xB1), name="boss")
OTHER_BOSS = Actor(kind="user", id=UUID(int=0xB2), name="other boss")
LIMITS = Policy(
    automatic_fen=10_000,
    automatic_day_fen=20_000,
    automatic_age_days=30,
    two_persons_fen=50_000,
    deposit_automatic_fen=100_000,
)


def new_id() -> UUID:
    return UUID(bytes=secrets.token_bytes(16), version=4)


@dataclass(slots=True, kw_only=True)
class Till:
    """What a refund meets, and the short ways a test uses."""

    counter: Counter

    @property
    def database(self) -> Database:
        return self.counter.database

    async def set_policy(self, policy: Policy = LIMITS) -> None:
        async with self.database.unit(self.counter.tenant, BOSS) as unit:
            await service.set_policy(unit, self.counter.office.site.community_id, policy)

    async def paid(self, *, billed_fen: int = 500, paid_fen: int = 500) -> Payment:
        """Bill the first flat for the next month, let it pay online, and return the receipt."""
        await self.counter.bill(0, billed_fen)
        return await self.pay(paid_fen)

    async def pay(self, paid_fen: int) -> Payment:
        before = {payment.payment_id for payment in await self.counter.payments()}
        await self.counter.settle(await self.counter.start(amount_fen=paid_fen))
        (fresh,) = [payment for payment in await self.counter.payments() if payment.payment_id not in before]
        return fresh

    def wish(self, payment: Payment, amount_fen: int, **more: Any) -> RefundRequest:
        words = {"refund_id": new_id(), "reason": "paid twice", **more}
        return RefundRequest(payment_id=PaymentId(payment.payment_id), amount_fen=amount_fen, **words)

    async def request(self, wish: RefundRequest, actor: Actor = CLERK, database: Database | None = None) -> Refund:
        async with (database or self.database).unit(self.counter.tenant, actor) as unit:
            return await service.request(unit, wish, secrets.token_bytes)

    async def refund(self, payment: Payment, amount_fen: int, **more: Any) -> Refund:
        """Ask for a refund, let the worker work, and return how it stands."""
        asked = await self.request(self.wish(payment, amount_fen, **more))
        await self.counter.work()
        return await self.state(asked)

    async def judge(self, refund: Refund, actor: Actor = BOSS, *, approves: bool = True, note: str = "") -> Refund:
        async with self.database.unit(self.counter.tenant, actor) as unit:
            judged = await service.judge(unit, refund.refund_id, approves=approves, note=note)
        await self.counter.work()
        return await self.state(judged)

    async def state(self, refund: Refund) -> Refund:
        async with self.database.view(self.counter.tenant) as session:
            return await service.refund(session, refund.refund_id)

    async def later(self, minutes: int = 1) -> None:
        """Let time pass and the worker do what has become due."""
        self.counter.office.clock.advance(minutes=minutes)
        await self.counter.work()

    async def at_channel(self) -> list[dict[str, Any]]:
        """Return the refunds of the channel's own book."""
        book = await self.counter.channel.control("book", mchid=self.counter.account.merchant_number)
        found: list[dict[str, Any]] = book["refunds"]
        return found

    async def open_cases(self) -> list[str]:
        async with self.database.view(self.counter.tenant) as session:
            return sorted(case.reason for case in await cases.open_cases(session))

    async def clearing_fen(self) -> int:
        """Return what the book says lies at the channel."""
        async with self.database.view(self.counter.tenant) as session:
            trial = await reports.trial_balance(session, self.counter.office.site.community_id)
            assert (await auditing.audit(session, self.counter.office.site.community_id)).breaches == ()
        assert trial.debit_fen == trial.credit_fen
        return sum(line.balance_fen for line in trial.lines if line.type is AccountType.CLEARING)


def open_till(counter: Counter) -> Till:
    """Give the counter's worker the jobs of refunds."""
    counter.runner = runner_of(counter, counter.office.site.worker_database)
    return Till(counter=counter)


def runner_of(counter: Counter, database: Database, pace: Pace | None = None) -> Runner:
    tasks = RefundTasks(counter.providers, PUBLIC_URL, secrets.token_bytes)
    return Runner(
        database=database,
        handlers={**counter.runner.handlers, **tasks.handlers()},
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
        pace=pace or Pace(),
    )
