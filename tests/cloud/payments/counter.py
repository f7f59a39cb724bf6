"""A counter: an office with a merchant account, the channel in the same process, and a worker for what is due."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.httpapi import install_error_handlers
from cloud.kit.runner import JobMetrics, Runner
from cloud.kit.secretbox import SecretBox
from cloud.payments import booking, merchants, service
from cloud.payments.cashier import Cashier
from cloud.payments.channel import Channel
from cloud.payments.endpoints import build_notify_router
from cloud.payments.inbox import Inbox, InboxMetrics
from cloud.payments.merchants import MerchantAccount, NewMerchantAccount
from cloud.payments.providers import ChannelUrls, Providers
from cloud.payments.service import Way
from cloud.payments.tasks import PaymentTasks
from cloud.payments.values import Attempt, IntentRequest, Payment
from cloud.reconciliation import tasks
from cloud.reconciliation.tasks import ReconciliationTasks
from cloud.tariffs.charge import FundClass
from common.ids import BillId, LegalEntityId, TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.simulation.wechat.in_process import API_KEY, APP_ID, BASE_URL, InProcessChannel
from tests.support.randomness import seeded_bytes

MCHID = "1900000109"
PLAN = "12535"
PUBLIC_URL = "http://house.test"
CHANNEL_URLS = ChannelUrls(wechat=BASE_URL, alipay="http://alipay.test", unionpay="http://unionpay.test")


@dataclass(slots=True, kw_only=True)
class Counter:
    """Everything a payment meets, and the short ways a test uses."""

    office: Office
    entity: LegalEntityId
    channel: InProcessChannel
    providers: Providers
    cashier: Cashier
    account: MerchantAccount
    runner: Runner
    registry: CollectorRegistry
    http: httpx.AsyncClient
    item: b.Item

    @property
    def tenant(self) -> TenantId:
        return self.office.site.tenant

    @property
    def database(self) -> Database:
        return self.office.site.database

    async def bill(self, month: int, *amounts: int) -> None:
        """Bill the flats for a month, one amount each."""
        for flat, fen in zip(self.office.site.flats, amounts, strict=False):
            self.office.set(flat, self.item, month, fen)
        await self.office.bill_month(month)

    async def request(
        self,
        flat: int = 0,
        *,
        amount_fen: int | None = None,
        bill_ids: Sequence[BillId] = (),
        collection_id: UUID | None = None,
    ) -> IntentRequest:
        return IntentRequest(
            intent_id=UUID(bytes=secrets.token_bytes(16)),
            account_id=await self.office.account(self.office.site.flats[flat]),
            legal_entity_id=self.entity,
            fund_class=FundClass.OPERATING,
            bill_ids=tuple(bill_ids),
            amount_fen=amount_fen,
            collection_id=collection_id,
        )

    async def start(self, flat: int = 0, **wish: Any) -> Attempt:
        """Begin a payment of a flat."""
        request = await self.request(flat, **wish)
        return await self.cashier.start(self.tenant, self.office.site.actor, request, Way.usual(Channel.WECHAT))

    async def scan(self, attempt: Attempt, **wish: Any) -> dict[str, Any]:
        """Let the payer scan and pay; the channel announces it, delivery is `deliver`'s."""
        return await self.channel.control("pay", number=attempt.order_number, **wish)

    async def deliver(self) -> None:
        """Deliver the notifications that are due."""
        await self.channel.channel.messenger.deliver_due(self.http)

    async def work(self) -> int:
        """Let the worker run everything that is due."""
        return await self.runner.drain()

    async def settle(self, attempt: Attempt, **wish: Any) -> None:
        """Scan, notify, and let the worker book."""
        await self.scan(attempt, **wish)
        await self.deliver()
        await self.work()

    async def state(self, attempt: Attempt) -> Attempt:
        async with self.database.view(self.tenant) as session:
            return await service.attempt(session, attempt.attempt_id)

    async def payments(self, flat: int = 0) -> tuple[Payment, ...]:
        account_id = await self.office.account(self.office.site.flats[flat])
        async with self.database.view(self.tenant) as session:
            return await booking.payments_of(session, account_id)

    async def open_fen(self, flat: int = 0) -> int:
        return sum(await self.office.open_fen(self.office.site.flats[flat]))

    async def ahead_fen(self, flat: int = 0) -> int:
        return await self.office.ahead_fen(self.office.site.flats[flat])

    def counted(self, outcome: str) -> float:
        return self.registry.get_sample_value("gatehouse_payment_notifications_total", {"outcome": outcome}) or 0


async def add_merchant(
    database: Database, tenant: TenantId, channel: InProcessChannel, box: SecretBox, entity: LegalEntityId
) -> MerchantAccount:
    key = await channel.register(MCHID)
    told = await channel.control("keys")
    new = NewMerchantAccount(
        legal_entity_id=entity,
        fund_class=FundClass.OPERATING,
        channel=Channel.WECHAT,
        label="物业费",
        merchant_number=MCHID,
        app_id=APP_ID,
        merchant_serial=key.serial,
        private_key_pem=key.pem.decode(),
        api_key=API_KEY,
        deduction_plan=PLAN,
        channel_keys=told["keys"],
    )
    async with database.unit(tenant, Actor(kind="user", id=UUID(int=1), name="manager")) as unit:
        account_id = await merchants.add_merchant_account(unit, box, new, secrets.token_urlsafe(24))
    async with database.view(tenant) as session:
        return await merchants.merchant_account(session, account_id)


@asynccontextmanager
async def open_counter(office: Office, channel: InProcessChannel) -> AsyncIterator[Counter]:
    """Add a merchant account to an office and open the counter over it."""
    site = office.site
    box = SecretBox(bytes(range(32)))
    async with site.database.unit(site.tenant, site.actor) as unit:
        entity = await estate.add_legal_entity(unit, kind=EntityKind.COMPANY, name="花园物业有限公司")
    account = await add_merchant(site.database, site.tenant, channel, box, entity)
    providers = Providers(channel.http, CHANNEL_URLS, box, channel.machine_s, lambda: secrets.token_hex(16))
    registry = CollectorRegistry()
    inbox = Inbox(site.database, providers, box, InboxMetrics(registry))
    app = FastAPI()
    install_error_handlers(app)
    app.include_router(build_notify_router(inbox))
    reconciliation = ReconciliationTasks(providers, box)
    runner = Runner(
        database=site.worker_database,
        handlers={
            service.ASK: PaymentTasks(providers).ask,
            tasks.BEGIN: reconciliation.begin,
            tasks.FETCH: reconciliation.fetch,
            tasks.COMPARE: reconciliation.compare,
            tasks.RECHECK: reconciliation.recheck,
        },
        metrics=JobMetrics(registry),
        name="worker",
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PUBLIC_URL) as http:
        yield Counter(
            office=office,
            entity=entity,
            channel=channel,
            providers=providers,
            cashier=Cashier(site.database, providers, PUBLIC_URL, seeded_bytes(7)),
            account=account,
            runner=runner,
            registry=registry,
            http=http,
            item=b.Item(code="service", number=2, entity=entity),
        )
