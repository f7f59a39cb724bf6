"""The load: payments by every means in a seeded order, each fault at one in twenty, refunds of one in seven.

A fault is wished for before the deed it spoils. Whatever happens, the payer pays once where he can; nothing is mended
by hand. Afterwards time passes until nothing is under way any more.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy import text

from cloud.kit.actor import Actor
from cloud.kit.errors import ConflictError
from cloud.payments import collection, desk, remittance
from cloud.payments.channel import ONLINE, Channel
from cloud.payments.collection import CardReceipt, CardSlip
from cloud.payments.desk import CashReceipt
from cloud.payments.rules import AttemptState
from cloud.payments.values import Attempt
from cloud.reconciliation import transfers
from cloud.refunds import service as refunds
from cloud.refunds.values import Refund, RefundRequest
from common.errors import RefusalError
from common.ids import PaymentId
from tests.simulation.soak.house import FLATS, Soak
from tests.support.randomness import seeded, seeded_bytes

FAULT_SHARE = 0.05
REFUND_SHARE = 1 / 7
PLACING = ("server_error", "rate_limited", "commit_then_error", "unsigned", "wrong_key")
NOTIFYING = (
    "notify_never",
    "notify_parallel",
    "notify_wrong_amount",
    "notify_wrong_merchant",
    "notify_wrong_order",
    "notify_forged",
    "notify_truncated",
)
REFUNDING = ("commit_then_error", "refund_pending")
_MEANS = ("scan", "scan", "scan", "shown", "cash", "card", "transfer")
_EVERY = 25
_PAUSES = (10, 30, 60, 300, 900, 3_600, 7_200, 7_200, 21_600, 21_600, 43_200)


class Load:
    """What is done, and what was told outside: the truth the audit compares our book with."""

    def __init__(self, house: Soak, seed: int) -> None:
        self.house = house
        self.faults: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.cash_fen = 0
        self.card_fen = 0
        self.transfer_fen = 0
        self._draw = seeded(seed)
        self._bytes = seeded_bytes(seed + 1)
        self._card = 0
        self._balance_fen = 0

    async def run(self, payments: int) -> None:
        """Make so many payments, refund some, and let time pass until everything is decided."""
        for number in range(payments):
            await self._pay(self._draw.choice(_MEANS), self._draw.randrange(100, 50_000))
            self.house.clock.advance(seconds=self._draw.randrange(1, 5))
            if number % _EVERY == _EVERY - 1:
                await self._settle()
                await self._refund_some()
        await self.quiet()

    async def quiet(self) -> None:
        """Let time pass in growing steps; notifications repeat, timers ask, refunds arrive."""
        for seconds in _PAUSES:
            self.house.clock.advance(seconds=seconds)
            await self._finish_refunds()
            await self._settle()

    async def _settle(self) -> None:
        for channel in sorted(ONLINE):
            await self.house.hall.deliver(channel)
        await self.house.hall.counter.work()

    async def _pay(self, means: str, fen: int) -> None:
        flat = self._draw.randrange(FLATS)
        self.done[means] += 1
        if means == "cash":
            await self._cash(flat, fen)
        elif means == "card":
            await self._swipe(flat, fen)
        elif means == "transfer":
            await self._transfer(flat, fen)
        else:
            await self._online(self._draw.choice(sorted(ONLINE)), flat, fen, shown=means == "shown")

    async def _online(self, channel: Channel, flat: int, fen: int, *, shown: bool) -> None:
        hall = self.house.hall
        spoiled = self._chosen(PLACING)
        for kind in spoiled:
            await hall.simulator(channel).control("mischief", kind=kind)
        if shown and self._fault("code_waits"):
            await hall.simulator(channel).control("mischief", kind="code_waits")
        attempt = await hall.start(channel, flat, shown=shown, amount_fen=fen)
        if spoiled:
            await hall.simulator(channel).control("calm")
        if not shown:
            await self._scan(channel, attempt)

    async def _scan(self, channel: Channel, attempt: Attempt) -> None:
        if attempt.state is AttemptState.FAILED or attempt.code_url is None:
            return
        hall, order = self.house.hall, attempt.order_number
        for kind in self._chosen(NOTIFYING):
            value = 3 if kind == "notify_parallel" else 1
            await hall.simulator(channel).control("mischief", kind=kind, order=order, value=value)
        if self._fault("close_then_pay"):
            self.house.clock.advance(hours=3)
            await self._settle()
            await hall.pay(channel, attempt, late=True)
            return
        await hall.pay(channel, attempt)

    async def _cash(self, flat: int, fen: int) -> None:
        receipt = CashReceipt(
            payment_id=self._payment_id(),
            account_id=(await self.house.hall.counter.request(flat)).account_id,
            tendered_fen=fen + 1_000,
            amount_fen=fen,
        )
        for _ in range(2 if self._fault("entered_twice") else 1):
            async with self.house.database.unit(self.house.tenant, self.house.cashier) as unit:
                await desk.record_cash(unit, self.house.shift, receipt)
        self.cash_fen += fen

    async def _swipe(self, flat: int, fen: int) -> None:
        self._card += 1
        receipt = CardReceipt(
            payment_id=self._payment_id(),
            account_id=(await self.house.hall.counter.request(flat)).account_id,
            amount_fen=fen,
            slip=CardSlip(
                terminal="10203040",
                batch=str(self._card // 100_000 + 1),
                voucher=str(self._card % 100_000 + 1),
                reference=f"26{self._card:010d}",
                card_tail="0001",
            ),
            collection_id=UUID(bytes=self._bytes(16)),
        )
        for _ in range(2 if self._fault("entered_twice") else 1):
            async with self.house.database.unit(self.house.tenant, self.house.cashier) as unit:
                await collection.take_card(unit, self.house.shift, receipt)
        self.card_fen += fen

    async def _transfer(self, flat: int, fen: int) -> None:
        house = self.house
        owner = (await house.hall.counter.request(flat)).account_id
        async with house.database.unit(house.tenant, house.cashier) as unit:
            code = await remittance.code_for(unit, owner, self._bytes)
        before, self._balance_fen = self._balance_fen, self._balance_fen + fen
        day = house.clock.now().date()
        raw = (
            f":20:S\n:60F:C{day:%y%m%d}CNY{_comma(before)}\n:61:{day:%y%m%d}C{_comma(fen)}NTRFNONREF"
            f"//B{self.done['transfer']:011d}\n:86:{code if not self._fault('no_code') else '物业费'}\n"
            f":62F:C{day:%y%m%d}CNY{_comma(self._balance_fen)}\n-\n"
        ).encode()
        for _ in range(2 if self._fault("imported_twice") else 1):
            try:
                async with house.database.unit(house.tenant, house.cashier) as unit:
                    await transfers.import_file(unit, house.box, house.bank, raw, "mt940")
            except ConflictError:
                self.done["file refused"] += 1
        self.transfer_fen += fen

    async def _refund_some(self) -> None:
        house = self.house
        for payment_id, channel, fen in await self._refundable(round(_EVERY * REFUND_SHARE)):
            order = self._chosen(REFUNDING)
            for kind in order:
                await house.hall.simulator(channel).control("mischief", kind=kind)
            wish = RefundRequest(
                refund_id=UUID(bytes=self._bytes(16)),
                payment_id=PaymentId(payment_id),
                amount_fen=self._draw.randrange(1, fen + 1),
                reason="多收退回",
            )
            try:
                async with house.database.unit(house.tenant, house.cashier) as unit:
                    asked = await refunds.request(unit, wish, self._bytes)
                await self._approve(asked)
                self.done["refund"] += 1
            except RefusalError:
                self.done["refund refused"] += 1
            await house.hall.counter.work()
            if order:
                await house.hall.simulator(channel).control("calm")

    async def _approve(self, refund: Refund) -> None:
        """Let as many persons approve as it needs, none of them who asked for it."""
        for person in range(refund.persons_needed):
            approver = Actor(kind="user", id=UUID(int=100 + person), name="approver")
            async with self.house.database.unit(self.house.tenant, approver) as unit:
                await refunds.judge(unit, refund.refund_id, approves=True)

    async def _refundable(self, count: int) -> list[tuple[UUID, Channel, int]]:
        query = text(
            "select payment_id, channel, amount_fen from payment where attempt_id is not null"
            " order by md5(payment_id::text || :salt) limit :count"
        )
        async with self.house.database.view(self.house.tenant) as session:
            rows = await session.execute(query, {"salt": self._bytes(4).hex(), "count": count})
            return [(row[0], Channel(row[1]), row[2]) for row in rows]

    async def _finish_refunds(self) -> None:
        for channel in sorted(ONLINE):
            simulator = self.house.hall.simulator(channel)
            told: dict[str, Any] = await simulator.control(
                "book", mchid=self.house.hall.accounts[channel].merchant_number
            )
            for refund in told["refunds"]:
                if refund["state"] == "PROCESSING":
                    await simulator.control("finish-refund", number=refund["number"])

    def _chosen(self, kinds: tuple[str, ...]) -> list[str]:
        return [kind for kind in kinds if self._fault(kind)]

    def _fault(self, kind: str) -> bool:
        struck = self._draw.random() < FAULT_SHARE
        self.faults[kind] += struck
        return struck

    def _payment_id(self) -> PaymentId:
        return PaymentId(UUID(bytes=self._bytes(16)))


def _comma(fen: int) -> str:
    return f"{fen // 100},{fen % 100:02d}"
