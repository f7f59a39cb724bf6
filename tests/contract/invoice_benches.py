"""One bench for each platform of tax invoices: the product's client against its simulator over real HTTP."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import httpx

from cloud.invoices.providers.nuonuo import Nuonuo, NuonuoAccount, NuonuoUrls
from cloud.invoices.providers.values import BlueOrder, Issuer, Numbered, RedOrder
from cloud.invoices.values import InvoiceKind, InvoiceLine, RedReason, Title, TitleKind
from cloud.ledger.journals import LineRef
from common.ids import BillId
from tests.simulation.invoices.book import TaxBook
from tests.simulation.invoices.platform import APP_KEY, SECRET, TAX_NUMBER, TaxPlatform
from tests.support.browser import serving

START = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)
PERSON = Title(kind=TitleKind.PERSON, name="李小明", email="li@example.com")
COMPANY = Title(kind=TitleKind.COMPANY, name="湖畔餐饮有限公司", tax_number="91440300MA5BUYER00")
PLATFORMS = ("nuonuo",)


def line(n: int, fen: int, net_fen: int, rate_micro: int = 60_000) -> InvoiceLine:
    """Return a line of an invoice."""
    return InvoiceLine(
        n=n,
        line=LineRef(bill_id=BillId(UUID(int=1)), n=n),
        name="物业服务费",
        goods_code="3040801000000000000",
        rate_micro=rate_micro,
        fen=fen,
        net_fen=net_fen,
    )


LINES = (line(1, 10_600, 10_000), line(2, 1_00, 88, 130_000))


@dataclass(slots=True, kw_only=True)
class InvoiceBench:
    """A client, a stranger with another secret, and the simulator."""

    issuer: Issuer
    stranger: Issuer
    platform: TaxPlatform

    @property
    def book(self) -> TaxBook:
        return self.platform.book

    def order(self, number: str = "F2026030500000000001", **changes: object) -> BlueOrder:
        fields: dict[str, object] = {
            "number": number,
            "kind": InvoiceKind.ORDINARY,
            "title": PERSON,
            "lines": LINES,
            "remark": "",
            "at": START,
        }
        return BlueOrder(**(fields | changes))  # type: ignore[arg-type]

    async def issued(self, number: str = "F2026030500000000001", **changes: object) -> Numbered:
        await self.issuer.issue(self.order(number, **changes))
        found = await self.issuer.ask(number)
        assert isinstance(found, Numbered), found
        return found

    def red(self, blue: Numbered, number: str = "H2026030500000000001", **changes: object) -> RedOrder:
        fields: dict[str, object] = {
            "number": number,
            "blue_number": blue.number,
            "kind": InvoiceKind.ORDINARY,
            "title": PERSON,
            "reason": RedReason.RETURNED,
            "lines": LINES,
            "whole": True,
        }
        return RedOrder(**(fields | changes))  # type: ignore[arg-type]


@asynccontextmanager
async def open_invoice_bench(name: str) -> AsyncIterator[InvoiceBench]:
    """Open the bench of a platform."""
    assert name in PLATFORMS
    platform = TaxPlatform(lambda: int(START.timestamp()))
    async with serving(platform.app()) as address, httpx.AsyncClient(trust_env=False) as http:
        urls = NuonuoUrls(services=f"{address}/open/v1/services", token=f"{address}/accessToken")
        right, wrong = (_client(http, urls, secret) for secret in (SECRET, "another"))
        yield InvoiceBench(issuer=right, stranger=wrong, platform=platform)


def _client(http: httpx.AsyncClient, urls: NuonuoUrls, secret: str) -> Nuonuo:
    account = NuonuoAccount(app_key=APP_KEY, secret=secret, tax_number=TAX_NUMBER, seller="东方物业", drawer="王会计")
    return Nuonuo(http, urls, account, lambda: int(START.timestamp()), lambda: secrets.token_hex(16).upper())
