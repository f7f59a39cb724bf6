"""What people in front of a counter have: the whole application, and browsers of residents, cashiers and strangers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from cloud import flow
from cloud.api import build_api
from cloud.billing import service as billing
from cloud.billing.documents import BillSummary
from cloud.documents.printer import Printer
from cloud.documents.service import Press
from cloud.identity.credentials import Passwords
from cloud.identity.policy import RoleName
from cloud.kit.runner import JobMetrics, Runner
from cloud.kit.secretbox import SecretBox
from cloud.services import Outside, build_services
from cloud.tariffs.charge import ChargeBasis, Nature
from common.ids import AccountId
from tests.cloud.billing import builders as b
from tests.cloud.payments.counter import CHANNEL_URLS, Counter
from tests.cloud.web.browsing import reading, sign_in
from tests.support import api

_TAG = re.compile(r"<[^>]+>")


@dataclass(slots=True, kw_only=True)
class Front:
    """The application over a counter, and the short ways a test uses."""

    counter: Counter
    app: FastAPI
    press: Press
    people: int = 0

    @property
    def flats(self) -> tuple[b.Flat, ...]:
        return self.counter.office.site.flats

    async def bill_some_of_everything(self) -> None:
        """Bill the first month: three charges in the company's book, one of them an agency charge."""
        entity = self.counter.entity
        items = (
            (b.Item(code="物业费", number=2, basis=ChargeBasis.AREA, entity=entity), 20_340),
            (b.Item(code="电费", number=1, nature=Nature.AGENCY, tax_rate_micro=130_000, entity=entity), 8_735),
            (b.Item(code="水费", number=3, entity=entity), 4_125),
        )
        for flat in self.flats:
            for item, fen in items:
                self.counter.office.set(flat, item, 0, fen)
        await self.counter.office.bill_month(0)

    async def account(self, flat: int = 0) -> AccountId:
        return await self.counter.office.account(self.flats[flat])

    async def bills(self, flat: int = 0) -> tuple[BillSummary, ...]:
        account_id = await self.account(flat)
        async with self.counter.database.view(self.counter.tenant) as session:
            return await billing.bills_of(session, [account_id])

    @asynccontextmanager
    async def resident(self, flat: int = 0) -> AsyncIterator[httpx.AsyncClient]:
        """Open the browser of a flat's owner, signed in."""
        async with self.person(RoleName.RESIDENT, flat) as browser:
            yield browser

    @asynccontextmanager
    async def person(self, role: RoleName, flat: int | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """Open the browser of somebody with a role, signed in."""
        async with reading(self.app) as browser:
            await sign_in(browser, await self.code(role, flat))
            yield browser

    async def code(self, role: RoleName, flat: int | None = None) -> str:
        """Add somebody with a role and return the code that signs him in once."""
        self.people += 1
        login = f"{role.value}-{self.people}"
        party = None if flat is None else self.flats[flat][1]
        return await api.add_person(self.counter.database, self.counter.tenant, login, role, party=party)

    async def notified(self) -> None:
        """Deliver what the channel announces, and let the worker do what is due."""
        async with api.client(self.app) as channel:
            await self.counter.channel.channel.messenger.deliver_due(channel)
        await self.counter.work()


def open_front(counter: Counter, folder: Path, printer: Printer | None = None) -> Front:
    """Build the application and its worker over a counter."""
    services = build_services(
        Outside(
            database=counter.database,
            registry=CollectorRegistry(),
            http=counter.channel.http,
            secret_box=SecretBox(bytes(range(32))),
            passwords=Passwords(api.CHEAP),
            printer=printer or Printer(),
            signing_key_file=folder / "signing.key",
            public_url=api.HOST,
            secure_cookies=False,
            channel_urls=CHANNEL_URLS,
        )
    )
    worker = counter.office.site.worker_database
    counter.runner = Runner(
        database=worker,
        handlers=flow.handlers(replace(services, database=worker)),
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
    )
    return Front(counter=counter, app=build_api(services), press=services.press)


def words_of(page: httpx.Response, status: int = 200) -> str:
    """Return the text of a page without its tags, white space made single."""
    assert page.status_code == status, page.text
    return " ".join(_TAG.sub(" ", page.text).split())
