"""What every sweep begins from: a street with prices, debts, boxes with open shifts, a bank account, and rules.

It stands on 15 April 2026: every flat owes 1,000 yuan since 1 March, and March is there to be billed.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from cloud.billing import service as billing
from cloud.billing.documents import BillView
from cloud.billing.service import MONTHLY, RunScope
from cloud.charges.making import Price
from cloud.charges.rules import ChargeKind
from cloud.charges.values import Sharing
from cloud.kit.actor import Actor
from cloud.kit.db import Unit
from cloud.kit.secretbox import SecretBox
from cloud.ledger.accounts import Book
from cloud.payments import desk, merchants
from cloud.payments.channel import Channel
from cloud.payments.desk import CashReceipt
from cloud.payments.merchants import NewMerchantAccount
from cloud.payments.values import Payment
from cloud.reconciliation import transfers
from cloud.refunds import service as refunds
from cloud.refunds.rules import Policy
from cloud.tariffs.charge import ChargeBasis, ChargeItem, FundClass
from common.ids import AccountId, PaymentId
from tests.cloud.arrears.conftest import RULE
from tests.cloud.charges.street import MARCH, Street
from tests.cloud.sweep.ground import Ground

NOW = datetime(2026, 4, 15, 4, tzinfo=UTC)
DEBT_FEN = 100_000
CLERK = Actor(kind="user", id=UUID(int=0xC1), name="clerk")
KEEPER = Actor(kind="user", id=UUID(int=0xC2), name="keeper of deposits")
CHIEF = Actor(kind="user", id=UUID(int=0xB1), name="chief")
OTHER_CHIEF = Actor(kind="user", id=UUID(int=0xB2), name="other chief")
BOX = SecretBox(bytes(range(32)))
LIMITS = Policy(
    automatic_fen=10_000_000,
    automatic_day_fen=10_000_000,
    automatic_age_days=365,
    two_persons_fen=10_000_000,
    deposit_automatic_fen=10_000_000,
)
Facts = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Shop:
    """The street and the ids of what stands in it; bound to the ground of one trial."""

    ground: Ground
    street: Street
    accounts: tuple[AccountId, ...]
    debts: tuple[BillView, ...]
    adverts: ChargeItem
    levy: ChargeItem
    cash_box: UUID
    shift: UUID
    deposit_box: UUID
    deposit_shift: UUID
    bank: UUID

    def bound_to(self, ground: Ground) -> Shop:
        """Return the same shop on another ground."""
        return replace(self, ground=ground, street=replace(self.street, database=ground.database, clock=ground.clock))

    def unit(self, actor: Actor = CLERK) -> AbstractAsyncContextManager[Unit]:
        """Open a unit of work in somebody's name."""
        return self.ground.database.unit(self.street.tenant, actor)

    @property
    def march(self) -> RunScope:
        """Return the scope of the run of March."""
        return RunScope(community_id=self.street.community, cycle=MONTHLY, period_start=MARCH.start)

    async def pay(self, flat: int, fen: int, number: int = 1) -> Payment:
        """Take cash of a flat; the same number again is the same payment."""
        receipt = CashReceipt(
            payment_id=PaymentId(UUID(int=0xCA000 + number)),
            account_id=self.accounts[flat],
            tendered_fen=fen,
            amount_fen=fen,
        )
        async with self.unit() as unit:
            return await desk.record_cash(unit, self.shift, receipt)


Command = Callable[[Shop, Facts], Awaitable[None]]


async def furnish(ground: Ground, street: Street) -> Shop:
    """Make the charges, bill the debts, and add boxes, a terminal, a bank account and the rules of refunds."""
    levy = await street.make(street.charge())
    await street.make(street.charge("fee", basis=ChargeBasis.AREA, price=Price(amount_yuan="3.10")))
    late = street.charge(
        "late", kind=ChargeKind.LATE, basis=ChargeBasis.LATE, price=Price(document=RULE), tax_rate_micro=0
    )
    await street.make(late)
    adverts = await street.make(street.charge("adverts", kind=ChargeKind.COMMON_INCOME, tax_rate_micro=0))
    views = await street.issue(street.one_off(levy, DEBT_FEN, Sharing.EACH, due_on=date(2026, 3, 1)))
    order = {flat[0]: number for number, flat in enumerate(street.flats)}
    debts = sorted(views, key=lambda view: order[view.account.premises_id])
    async with street.database.unit(street.tenant, CLERK) as unit:
        await billing.create_period(unit, street.community, period=MARCH, due_on=date(2026, 4, 10))
        deposit_book = replace(street.book, fund_class=FundClass.DEPOSIT)
        cash_box, shift = await _box(unit, street.book, "前台")
        bank = await transfers.add_bank_account(unit, street.book, bank="工商银行", number="6222000011112222")
        await merchants.add_merchant_account(unit, BOX, _terminal(street), secrets.token_urlsafe(24))
        await refunds.set_policy(unit, street.community, LIMITS)
    async with street.database.unit(street.tenant, KEEPER) as unit:
        deposit_box, deposit_shift = await _box(unit, deposit_book, "押金箱")
    ground.clock.set(NOW)
    await ground.work()
    return Shop(
        ground=ground,
        street=street,
        accounts=tuple(view.account.account_id for view in debts),
        debts=tuple(debts),
        adverts=adverts,
        levy=levy,
        cash_box=cash_box,
        shift=shift,
        deposit_box=deposit_box,
        deposit_shift=deposit_shift,
        bank=bank,
    )


async def _box(unit: Unit, book: Book, name: str) -> tuple[UUID, UUID]:
    box_id = await desk.add_cash_box(unit, book, name)
    shift = await desk.open_shift(unit, box_id, opening_fen=0)
    return box_id, shift.cash_shift_id


def _terminal(street: Street) -> NewMerchantAccount:
    return NewMerchantAccount(
        legal_entity_id=street.entity,
        fund_class=FundClass.OPERATING,
        channel=Channel.POS,
        label="POS",
        merchant_number="821290058110097",
        app_id="",
        merchant_serial="",
    )
