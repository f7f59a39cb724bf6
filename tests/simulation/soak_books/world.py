"""The world of one seed: the shop of the sweep on a fresh database, a channel beside it, dice, faults and an auditor.

A deed is a command with ids of its own, so that whoever got no answer gives it again. Faults: the process dies before
or after a commit, the database refuses one, two clients give the same command at once, a client gives it twice, the
worker dies between two commits, and the channel notifies twice, late or never. Meters are read by gateways whose
batches come late, again, out of order or altered.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from uuid import UUID

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import IntegrityError

from cloud.estate import service as estate
from cloud.kit.actor import Actor, system_actor
from cloud.kit.errors import BusyError
from cloud.kit.httpapi import install_error_handlers
from cloud.payments import service as payments
from cloud.payments.cashier import Cashier
from cloud.payments.endpoints import build_notify_router
from cloud.payments.inbox import Inbox, InboxMetrics
from cloud.payments.merchants import MerchantAccount
from cloud.payments.providers import Providers
from cloud.payments.tasks import PaymentTasks
from cloud.refunds.tasks import RefundTasks
from common.errors import RefusalError
from common.ids import TenantId
from tests.cloud.charges.street import build_street
from tests.cloud.payments.counter import CHANNEL_URLS, PUBLIC_URL, add_merchant
from tests.cloud.sweep.ground import Fate, Fault, PowerCutError, open_ground
from tests.cloud.sweep.shop import BOX, NOW, Shop, furnish
from tests.simulation.soak_books.auditor import Auditor, Breach
from tests.simulation.soak_books.wiring import Wiring, wire
from tests.simulation.wechat.in_process import InProcessChannel
from tests.support.postgres import TEMPLATE, TestServer
from tests.support.randomness import seeded, seeded_bytes

FAULT_SHARE = 0.45
ATTEMPTS_MAX = 8
DRAINS_MAX = 40
_COMMITS = 4
_DEATHS = {"client dies before a commit": Fault.DIES_BEFORE, "client dies after a commit": Fault.DIES_AFTER}
_FAULTS = (*_DEATHS, "a commit is refused", "two clients at once", "given twice")
Command = Callable[[], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class World:
    """Everything that one seed drives."""

    seed: int
    shop: Shop
    fate: Fate
    channel: InProcessChannel
    account: MerchantAccount
    cashier: Cashier
    http: httpx.AsyncClient
    auditor: Auditor
    wiring: Wiring
    dice: Random
    done: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    memory: dict[str, list[UUID]] = field(default_factory=dict)
    banked_fen: int = 0
    calm: bool = False

    def new_id(self) -> UUID:
        """Return an id that the seed alone decides."""
        return UUID(bytes=self.dice.randbytes(16), version=4)

    def remember(self, kind: str, one: UUID) -> None:
        """Keep the id of a thing for later deeds."""
        self.memory.setdefault(kind, []).append(one)

    def some(self, kind: str) -> UUID | None:
        """Return one of the things of a kind."""
        known = self.memory.get(kind, [])
        return self.dice.choice(known) if known else None

    async def do(self, name: str, command: Command) -> bool:
        """Give a command as clients do, with or without a fault; return whether it was acknowledged."""
        kind = self.dice.choice(_FAULTS) if self.dice.random() < FAULT_SHARE and not self.calm else ""
        self.faults[kind] += bool(kind)
        if kind in _DEATHS:
            self._doom(_DEATHS[kind])
        elif kind == "a commit is refused":
            self._doom(Fault.REFUSED)
        if kind == "two clients at once":
            async with asyncio.TaskGroup() as clients:
                told = [clients.create_task(self._given(name, command)) for _ in range(2)]
            answered = any(task.result() for task in told)
        else:
            answered = await self._given(name, command)
            if kind == "given twice":
                await self._given(name, command)
        self.fate.commit = 0
        self.done[name] += answered
        return answered

    async def _given(self, name: str, command: Command) -> bool:
        for _ in range(ATTEMPTS_MAX):
            try:
                await command()
            except (PowerCutError, BusyError):
                self.fate.commit = 0
            except IntegrityError as error:
                # A race of two; the API answers it as a conflict. Alone it would be a defect.
                if not error.orig or not any(word in str(error.orig) for word in ("unique", "exclusion")):
                    raise
                self.refused[f"{name}: race"] += 1
            except RefusalError as refusal:
                self.refused[f"{name}: {type(refusal).__name__}"] += 1
                return False
            else:
                return True
        raise AssertionError(f"{name} was never answered")

    def _doom(self, fault: Fault) -> None:
        self.fate.fault, self.fate.seen = fault, 0
        self.fate.commit = self.dice.randint(1, _COMMITS)

    async def work(self) -> None:
        """Let the worker do what is due, dying now and then between two commits."""
        if not self.calm and self.dice.random() < FAULT_SHARE:
            self._doom(self.dice.choice((Fault.DIES_BEFORE, Fault.DIES_AFTER)))
        for _ in range(DRAINS_MAX):
            try:
                await self.shop.ground.work()
            except (PowerCutError, BusyError, BaseExceptionGroup):
                self.faults["worker dies between commits"] += 1
            else:
                if not self.shop.ground.due():
                    break
            self.fate.commit = 0
            self.shop.ground.work_is_due()
        self.fate.commit = 0

    async def tell(self) -> None:
        """Let the channel deliver what is due, and its refunds arrive."""
        told = await self.channel.control("book", mchid=self.account.merchant_number)
        for one in told["refunds"]:
            if one["state"] == "PROCESSING":
                await self.channel.control("finish-refund", number=one["number"])
        await self.channel.channel.messenger.deliver_due(self.http)

    def asked(self, question: str) -> UUID | None:
        """Return the id that a question to the database names, drawn by the dice where it says `salt`."""
        return self.auditor.one(question, f"{self.dice.random()}")

    async def against_the_channel(self) -> list[Breach]:
        """Return where the channel's book of payments and refunds is not ours."""
        told = await self.channel.control("book", mchid=self.account.merchant_number)
        paid = {one["number"]: one["fen"] for one in told["trades"] if one["state"] in {"SUCCESS", "REFUND"}}
        back = {one["number"]: one["fen"] for one in told["refunds"] if one["state"] == "SUCCESS"}
        return self.auditor.differs(paid, back)

    def breaches(self) -> list[Breach]:
        """Return what the auditor finds."""
        return [*self.auditor.breaches(), *self.auditor.asked_by(self.wiring.breaches)]

    def unbilled(self) -> list[Breach]:
        """Return the usage of settled months that no bill has, once everything has come."""
        return self.auditor.asked_by(self.wiring.unbilled)


@asynccontextmanager
async def open_world(server: TestServer, folder: Path, seed: int) -> AsyncIterator[World]:
    """Open the world of a seed on a database of its own, dropped afterwards."""
    fate, dice = Fate(), seeded(seed)
    async with open_ground(server, folder, (TEMPLATE, 1 + seed), NOW.replace(month=1, day=1), fate) as (name, ground):
        tenant = TenantId(ground.database.new_id())
        async with ground.database.unit(tenant, system_actor("set-up")) as unit:
            await estate.create_tenant(unit, code="soak", name="浸泡物业")
        actor = Actor(kind="user", id=tenant, name="manager")
        shop = await furnish(ground, await build_street(ground.database, tenant, actor, ground.clock))
        wiring = await wire(shop.street, ground.database)
        channel = InProcessChannel(folder / f"wechat-{seed}", ground.clock.now, hurry=1_000_000)
        auditor = Auditor(ground.superuser)
        account = await add_merchant(ground.database, tenant, channel, BOX, shop.street.entity)
        nonces = seeded_bytes(seed + 1)
        providers = Providers(channel.http, CHANNEL_URLS, BOX, channel.machine_s, lambda: nonces(16).hex())
        own = {payments.ASK: PaymentTasks(providers).ask, **RefundTasks(providers, PUBLIC_URL, nonces).handlers()}
        ground.runner = replace(ground.runner, handlers={**ground.runner.handlers, **own})
        app = FastAPI()
        install_error_handlers(app)
        inbox = Inbox(ground.database, providers, BOX, InboxMetrics(CollectorRegistry()))
        app.include_router(build_notify_router(inbox))
        cashier = Cashier(ground.database, providers, PUBLIC_URL, seeded_bytes(seed))
        try:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PUBLIC_URL) as http:
                yield World(
                    seed=seed,
                    shop=shop,
                    fate=fate,
                    channel=channel,
                    account=account,
                    cashier=cashier,
                    http=http,
                    auditor=auditor,
                    wiring=wiring,
                    dice=dice,
                )
        finally:
            auditor.close()
            await channel.close()
    server.server.drop_database(name)
