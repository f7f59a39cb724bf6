"""A house of money for the soak: a private database, a site, every channel with a merchant account, and one worker."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from prometheus_client import CollectorRegistry

from cloud import flow
from cloud.estate import service as estate
from cloud.identity.credentials import Passwords
from cloud.kit.actor import Actor, system_actor
from cloud.kit.db import Database
from cloud.kit.events import router
from cloud.kit.roles import APP, WORKER
from cloud.kit.runner import JobMetrics, Runner
from cloud.kit.secretbox import SecretBox
from cloud.ledger.accounts import Book
from cloud.payments import desk
from cloud.reconciliation import transfers
from cloud.refunds import service as refunds
from cloud.refunds.rules import Policy
from cloud.services import Outside, build_services
from cloud.tariffs.charge import FundClass
from common.ids import TenantId, TimeOrderedIds
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.payments.counter import CHANNEL_URLS, PUBLIC_URL
from tests.cloud.payments.halls import Hall, open_hall
from tests.cloud.payments.test_collection import add_terminal
from tests.support import api
from tests.support.clock import SettableClock
from tests.support.postgres import test_server
from tests.support.randomness import seeded_bytes

FLATS = 40
BILLED_FEN = 1_000_000_000


@dataclass(slots=True, kw_only=True)
class Soak:
    """Everything the load drives."""

    hall: Hall
    clock: SettableClock
    tenant: TenantId
    cashier: Actor
    shift: UUID
    bank: UUID
    box: SecretBox
    conninfo: Callable[[str], str]

    @property
    def database(self) -> Database:
        """Return the database as the application sees it."""
        return self.hall.counter.database


@asynccontextmanager
async def open_soak(folder: Path, seed: int, *, durable: bool = False) -> AsyncIterator[Soak]:
    """Open the house over a fresh database, one that waits for the disk when asked."""
    clock = SettableClock(datetime(2026, 1, 1, tzinfo=UTC))
    ids = TimeOrderedIds(clock.now, seeded_bytes(seed))
    with test_server(durable=durable) as server, server.fresh_database() as name:
        opened = [
            Database(server.server.conninfo(role=role, database=name), clock=clock, ids=ids, route=router(flow.ROUTES))
            for role in (APP, WORKER)
        ]
        try:
            tenant = TenantId(ids.new())
            async with opened[0].unit(tenant, system_actor("set-up")) as unit:
                await estate.create_tenant(unit, code="soak", name="浸泡物业")
            cashier = Actor(kind="user", id=UUID(int=1), name="cashier")
            site = await b.build_site(opened[0], opened[1], tenant, cashier, flats=FLATS)
            async with open_hall(Office(site, clock), folder) as hall:
                yield await _furnished(
                    hall, clock, tenant, lambda role: server.server.conninfo(role=role, database=name)
                )
        finally:
            for database in opened:
                await database.close()


async def _furnished(hall: Hall, clock: SettableClock, tenant: TenantId, conninfo: Callable[[str], str]) -> Soak:
    """Bill every flat, add terminal, cash box and bank account, allow refunds by rule, and give the worker all work."""
    counter, box = hall.counter, SecretBox(bytes(range(32)))
    cashier = counter.office.site.actor
    await counter.bill(0, *([BILLED_FEN] * FLATS))
    await add_terminal(counter)
    community_id = counter.office.site.community_id
    book = Book(community_id=community_id, legal_entity_id=counter.entity, fund_class=FundClass.OPERATING)
    async with counter.database.unit(tenant, cashier) as unit:
        drawer = await desk.add_cash_box(unit, book, "前台")
        shift = await desk.open_shift(unit, drawer, opening_fen=0)
        bank = await transfers.add_bank_account(unit, book, bank="工商银行", number="6222000011112222")
        limits = Policy(
            automatic_fen=10**9,
            automatic_day_fen=10**12,
            automatic_age_days=365,
            two_persons_fen=10**9,
            deposit_automatic_fen=10**9,
        )
        await refunds.set_policy(unit, community_id, limits)
    services = build_services(
        Outside(
            database=counter.office.site.worker_database,
            registry=CollectorRegistry(),
            http=hall.wechat.http,
            secret_box=box,
            passwords=Passwords(api.CHEAP),
            signing_key_file=Path(hall.alipay._folder) / "signing.key",
            public_url=PUBLIC_URL,
            secure_cookies=False,
            channel_urls=CHANNEL_URLS,
        )
    )
    counter.runner = Runner(
        database=counter.office.site.worker_database,
        handlers=flow.handlers(services),
        together=flow.together(services),
        metrics=JobMetrics(CollectorRegistry()),
        name=f"soak {secrets.token_hex(2)}",
    )
    return Soak(
        hall=hall,
        clock=clock,
        tenant=tenant,
        cashier=cashier,
        shift=shift.cash_shift_id,
        bank=bank,
        box=box,
        conninfo=conninfo,
    )
