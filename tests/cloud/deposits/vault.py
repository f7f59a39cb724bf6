"""A vault: the till with a merchant account and a cash box of the deposit fund, and people who bring and ask back."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from cloud import flow
from cloud.billing import service as billing
from cloud.billing.documents import OpenLine
from cloud.deposits import deductions, service, tasks
from cloud.deposits.deductions import Proposal
from cloud.deposits.rules import ConditionKind, DepositKind, ReturnState
from cloud.deposits.values import Deduction, Deposit, NewDeposit
from cloud.kit.actor import Actor
from cloud.kit.events import Routes
from cloud.kit.jobs import NewJob
from cloud.kit.secretbox import SecretBox
from cloud.ledger import auditing, reports
from cloud.ledger.accounts import AccountType, Book
from cloud.payments import booking, desk, merchants
from cloud.payments.channel import Channel
from cloud.payments.merchants import NewMerchantAccount
from cloud.payments.service import Way
from cloud.payments.values import Attempt
from cloud.tariffs.charge import FundClass
from common.ids import PaymentId
from tests.cloud.refunds.till import BOSS, CLERK, Till, new_id
from tests.simulation.wechat.in_process import API_KEY, APP_ID

DEPOSIT_MCHID = "1900000110"
ROUTES: Routes = flow.ROUTES


@dataclass(slots=True, kw_only=True)
class Vault:
    """What a deposit meets, and the short ways a test uses."""

    till: Till

    @property
    def book(self) -> Book:
        counter = self.till.counter
        return Book(
            community_id=counter.office.site.community_id, legal_entity_id=counter.entity, fund_class=FundClass.DEPOSIT
        )

    def unit(self, actor: Actor = CLERK) -> Any:
        return self.till.database.unit(self.till.counter.tenant, actor)

    async def open(self, amount_fen: int = 1_000, **more: Any) -> Deposit:
        """Open a deposit of the first flat."""
        counter = self.till.counter
        words: dict[str, Any] = {"kind": DepositKind.RENOVATION, "purpose": "kitchen", "objection_days": 7}
        new = NewDeposit(
            deposit_id=new_id(),
            account_id=await counter.office.account(counter.office.site.flats[0]),
            legal_entity_id=counter.entity,
            amount_fen=amount_fen,
            **(words | more),
        )
        async with self.unit() as unit:
            return await service.open_deposit(unit, new)

    async def start(self, deposit: Deposit) -> Attempt:
        counter = self.till.counter
        return await counter.cashier.start(
            counter.tenant, CLERK, service.intent_for(deposit), Way.usual(Channel.WECHAT)
        )

    async def held(self, amount_fen: int = 1_000, **more: Any) -> Deposit:
        """Open a deposit, bring it online and let the worker hold it."""
        deposit = await self.open(amount_fen, **more)
        await self.till.counter.settle(await self.start(deposit))
        return await self.state(deposit)

    async def state(self, deposit: Deposit) -> Deposit:
        async with self.till.database.view(self.till.counter.tenant) as session:
            return await service.deposit(session, deposit.deposit_id)

    async def meet(self, deposit: Deposit, kind: ConditionKind = ConditionKind.INSPECTION_PASSED) -> Deposit:
        """Meet a condition, let the worker work, and return how the deposit stands."""
        async with self.unit() as unit:
            await service.meet(unit, deposit.deposit_id, kind, evidence="inspected, nothing broken")
        await self.till.counter.work()
        return await self.state(deposit)

    async def lines(self) -> tuple[OpenLine, ...]:
        counter = self.till.counter
        account_id = await counter.office.account(counter.office.site.flats[0])
        async with self.till.database.view(counter.tenant) as session:
            return await billing.open_lines(session, account_id)

    async def propose(self, deposit: Deposit, amount_fen: int, actor: Actor = CLERK) -> Deduction:
        (line,) = await self.lines()
        proposal = Proposal(line=line.ref, amount_fen=amount_fen, evidence="a broken tile, photographed")
        async with self.unit(actor) as unit:
            return await deductions.propose(unit, deposit.deposit_id, proposal)

    async def apply(self, deduction: Deduction, actor: Actor = BOSS) -> None:
        async with self.unit(actor) as unit:
            await deductions.apply(unit, deduction.deduction_id)
        await self.till.counter.work()

    async def day(self, days: int) -> None:
        """Let days pass and the daily look happen."""
        clock = self.till.counter.office.clock
        clock.advance(days=days)
        today = clock.now().date().isoformat()
        async with self.unit() as unit:
            unit.enqueue(NewJob(kind=tasks.LOOK, key=f"look:{today}", payload={"day": today}))
            unit.record("looked", "deposit", UUID(int=1))
        await self.till.counter.work()

    async def ledger_fen(self) -> int:
        """Return what the ledger holds of deposits: always the sum of what the deposits hold."""
        counter = self.till.counter
        async with self.till.database.view(counter.tenant) as session:
            trial = await reports.trial_balance(session, counter.office.site.community_id)
            standing = await service.deposits_in(session, counter.office.site.community_id)
            assert (await auditing.audit(session, counter.office.site.community_id)).breaches == ()
        held_fen = sum(line.balance_fen for line in trial.lines if line.type is AccountType.DEPOSIT_HELD)
        assert held_fen == sum(deposit.held_fen for deposit in standing)
        assert trial.debit_fen == trial.credit_fen
        return held_fen

    async def ahead_fen(self) -> int:
        """Return what lies ahead in the deposit fund: money that came for nothing that was due."""
        return await self.till.counter.ahead_fen()

    def going_back(self, deposit: Deposit) -> list[tuple[int, ReturnState]]:
        return [(one.amount_fen, one.state) for one in deposit.returns]


async def open_vault(till: Till) -> Vault:
    """Add a merchant account of the deposit fund and the jobs of deposits."""
    counter = till.counter
    await counter.bill(0, 400)
    key = await counter.channel.register(DEPOSIT_MCHID)
    told = await counter.channel.control("keys")
    new = NewMerchantAccount(
        legal_entity_id=counter.entity,
        fund_class=FundClass.DEPOSIT,
        channel=Channel.WECHAT,
        label="押金",
        merchant_number=DEPOSIT_MCHID,
        app_id=APP_ID,
        merchant_serial=key.serial,
        private_key_pem=key.pem.decode(),
        api_key=API_KEY,
        channel_keys=told["keys"],
    )
    async with till.database.unit(counter.tenant, BOSS) as unit:
        await merchants.add_merchant_account(unit, SecretBox(bytes(range(32))), new, secrets.token_urlsafe(24))
    counter.runner = replace(
        counter.runner,
        handlers={
            **counter.runner.handlers,
            tasks.HOLD: tasks.hold,
            tasks.NOTE_REFUND: tasks.note_refund,
            tasks.LOOK: tasks.look,
        },
    )
    return Vault(till=till)


async def open_box(vault: Vault, fund_class: FundClass, clerk: Actor = CLERK) -> tuple[UUID, UUID]:
    """Add a cash box of a fund, open the clerk's shift at it, and return both."""
    async with vault.unit(clerk) as unit:
        box_id = await desk.add_cash_box(unit, replace(vault.book, fund_class=fund_class), fund_class.value)
        shift = await desk.open_shift(unit, box_id, opening_fen=0)
    return box_id, shift.cash_shift_id


async def payment_of(vault: Vault, payment_id: PaymentId) -> Any:
    async with vault.till.database.view(vault.till.counter.tenant) as session:
        return await booking.payment(session, payment_id)
