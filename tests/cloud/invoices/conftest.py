"""A bureau: a counter with bills, payments and refunds, whose worker hands invoices to a platform over real HTTP."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from cloud import flow
from cloud.billing import service as billing
from cloud.billing.documents import BillView
from cloud.cases import service as cases
from cloud.invoices import seller_accounts as accounts
from cloud.invoices import service
from cloud.invoices.issuers import Issuers
from cloud.invoices.providers.nuonuo import NuonuoUrls
from cloud.invoices.seller_accounts import NewInvoiceAccount
from cloud.invoices.tasks import InvoiceTasks
from cloud.invoices.values import Invoice, InvoiceKind, InvoiceWish, Title, TitleKind
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.events import Routes
from cloud.kit.runner import JobMetrics, Runner
from cloud.kit.secretbox import SecretBox
from cloud.payments.values import Payment
from common.ids import BillId, TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.payments.counter import open_counter
from tests.cloud.refunds.till import CLERK, Till, new_id, open_till
from tests.simulation.invoices.book import TaxBook
from tests.simulation.invoices.platform import APP_KEY, SECRET, TAX_NUMBER, TaxPlatform
from tests.simulation.wechat.in_process import InProcessChannel
from tests.support.browser import serving
from tests.support.clock import SettableClock

BOX = SecretBox(bytes(range(32)))
PERSON = Title(kind=TitleKind.PERSON, name="李小明", email="li@example.com")
COMPANY = Title(kind=TitleKind.COMPANY, name="湖畔餐饮有限公司", tax_number="91440300MA5BUYER00")


@dataclass(slots=True, kw_only=True)
class Bureau:
    """What an invoice meets, and the short ways a test uses."""

    till: Till
    platform: TaxPlatform
    issuers: Issuers

    @property
    def book(self) -> TaxBook:
        return self.platform.book

    @property
    def database(self) -> Database:
        return self.till.database

    @property
    def tenant(self) -> TenantId:
        return self.till.counter.tenant

    @property
    def clock(self) -> SettableClock:
        return self.till.counter.office.clock

    async def work(self) -> None:
        await self.till.counter.work()

    async def later(self, **pause: int) -> None:
        self.clock.advance(**pause)
        await self.work()

    async def open_account(self, **changes: object) -> UUID:
        fields: dict[str, object] = {
            "legal_entity_id": self.till.counter.entity,
            "tax_number": TAX_NUMBER,
            "app_key": APP_KEY,
            "secret": SECRET,
            "drawer": "王会计",
        }
        async with self.database.unit(self.tenant, CLERK) as unit:
            return await accounts.open_account(unit, BOX, NewInvoiceAccount(**(fields | changes)))  # type: ignore[arg-type]

    async def bill(self, n: int = 0) -> BillView:
        """Return a bill of the first flat, counted from the oldest."""
        account_id = await self.till.counter.office.account(self.till.counter.office.site.flats[0])
        async with self.database.view(self.tenant) as session:
            found = list(reversed(await billing.bills_of(session, [account_id])))
            return await billing.bill(session, found[n].bill_id)

    async def wish(self, title: Title = PERSON, **changes: object) -> InvoiceWish:
        bill_id = BillId((await self.bill()).summary.bill_id)
        wish = InvoiceWish(invoice_id=new_id(), bill_id=bill_id, legal_entity_id=self.till.counter.entity, title=title)
        return replace(wish, **changes)  # type: ignore[arg-type]

    async def ask(self, wish: InvoiceWish) -> Invoice:
        async with self.database.unit(self.tenant, CLERK) as unit:
            return await service.request(unit, BOX, wish)

    async def issued(self, title: Title = PERSON, kind: InvoiceKind = InvoiceKind.ORDINARY) -> Invoice:
        """Ask for an invoice over what was paid and let the platform issue it."""
        asked = await self.ask(await self.wish(title, kind=kind))
        await self.work()
        await self.later(minutes=1)
        return await self.state(asked)

    async def state(self, invoice: Invoice) -> Invoice:
        async with self.database.view(self.tenant) as session:
            return await service.invoice(session, invoice.invoice_id)

    async def invoices(self) -> tuple[Invoice, ...]:
        async with self.database.view(self.tenant) as session:
            return await service.of_bill(session, (await self.bill()).summary.bill_id)

    async def case_reasons(self) -> list[str]:
        async with self.database.view(self.tenant) as session:
            return sorted(case.reason for case in await cases.open_cases(session) if case.origin == "invoices")

    async def give_back(self, payment: Payment, fen: int) -> None:
        """Refund a part of a payment, granted by another person: its bill opens again."""
        await self.till.judge(await self.till.refund(payment, fen))
        await self.later(minutes=1)

    def standing_fen(self) -> int:
        """Return what stands invoiced in the platform's own book."""
        return int(self.book.standing() * Decimal(100))


@pytest.fixture
def routes() -> Routes:
    return flow.ROUTES


@pytest_asyncio.fixture
async def bureau(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock, tmp_path: Path
) -> AsyncIterator[Bureau]:
    site = await b.build_site(database, worker_database, tenant, actor, flats=1)
    channel = InProcessChannel(tmp_path / "wechat", clock.now, hurry=1_000_000)
    platform = TaxPlatform(lambda: int(clock.now().timestamp()))
    async with (
        open_counter(Office(site, clock), channel) as counter,
        serving(platform.app()) as address,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        till = open_till(counter)
        await till.set_policy()
        urls = NuonuoUrls(services=f"{address}/open/v1/services", token=f"{address}/accessToken")
        issuers = Issuers(http, urls, BOX, lambda: int(clock.now().timestamp()), lambda: secrets.token_hex(16).upper())
        counter.runner = Runner(
            database=worker_database,
            handlers={**counter.runner.handlers, **InvoiceTasks(issuers).handlers()},
            metrics=JobMetrics(CollectorRegistry()),
            name="worker",
        )
        made = Bureau(till=till, platform=platform, issuers=issuers)
        await made.open_account()
        yield made
    await channel.close()
