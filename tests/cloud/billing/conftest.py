"""A site of four flats and the doings of its clerks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest_asyncio

from cloud.billing import corrections, runs, service
from cloud.billing.corrections import Cause, CorrectionScope
from cloud.billing.documents import BillSummary
from cloud.billing.service import RunScope
from cloud.estate import service as estate
from cloud.estate.kinds import PartyKind
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft
from cloud.tariffs.charge import FundClass
from common.civil import Period
from common.ids import AccountId, TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.village import Village, build_village
from tests.support.clock import SettableClock
from tests.support.postgres import TestServer


class Office:
    """What people do at a site, each deed in a unit of its own."""

    def __init__(self, site: b.Site, clock: SettableClock) -> None:
        self.site = site
        self.clock = clock
        self.book = b.PriceBook()
        self.chunk_accounts = runs.CHUNK_ACCOUNTS

    @property
    def rater(self) -> runs.RunRater:
        """Return what a run rates with: the book of the test, as known now."""
        return runs.RunRater(by_value=self.book, known_at=self.clock.now())

    async def period(self, month: int) -> RunScope:
        """Open the month's period and go to the day after it."""
        period = b.MONTHS[month]
        async with self.site.database.unit(self.site.tenant, self.site.actor) as unit:
            scope = await service.create_period(
                unit, self.site.community_id, period=period, due_on=period.end.replace(day=15)
            )
        self.clock.set(b.at(period.end))
        return scope

    async def run(self, scope: RunScope) -> list[runs.ChunkReport]:
        """Drain the scope as the worker does."""
        reports = []
        after: runs.Place | None = None
        while True:
            async with self.site.worker_database.unit(self.site.tenant, self.site.actor) as unit:
                report = await runs.run_chunk(
                    unit,
                    self.rater,
                    scope,
                    after=after,
                    accounts_max=self.chunk_accounts,
                )
            reports.append(report)
            if report.after is None:
                return reports
            after = report.after

    async def bill_month(self, month: int) -> list[runs.ChunkReport]:
        """Open and bill a month."""
        return await self.run(await self.period(month))

    async def account(self, flat: b.Flat) -> AccountId:
        """Return the account of a flat's payer."""
        async with self.site.database.view(self.site.tenant) as session:
            accounts = await service.accounts_of_premises(session, [flat[0]])
        (found,) = [account.account_id for account in accounts if account.party_id == flat[1]]
        return found

    async def open_fen(self, flat: b.Flat) -> list[int]:
        """Return what is open on the lines of a flat, what is due first at the front."""
        account_id = await self.account(flat)
        async with self.site.database.view(self.site.tenant) as session:
            return [line.open_fen for line in await service.open_lines(session, account_id)]

    async def ahead_fen(self, flat: b.Flat) -> int:
        """Return what a flat has paid ahead, in all books."""
        account_id = await self.account(flat)
        async with self.site.database.view(self.site.tenant) as session:
            return sum(a.available_fen for a in await ledger.ahead_balances(session, [account_id]))

    async def pay(self, flat: b.Flat, key: str, fund: FundClass = FundClass.OPERATING, entity: object = None) -> None:
        """Pay all open lines of one book of a flat in full."""
        account_id = await self.account(flat)
        book = Book(
            community_id=self.site.community_id,
            legal_entity_id=b.COMPANY if entity is None else b.COMMITTEE,
            fund_class=fund,
        )
        async with self.site.database.unit(self.site.tenant, self.site.actor) as unit:
            await service.lock_accounts(unit, [account_id])
            lines = [
                line
                for line in await service.open_lines(unit.session, account_id)
                if (line.legal_entity_id, line.fund_class) == (book.legal_entity_id, fund)
            ]
            parts = [postings.Allocation(account_id=account_id, line=line.ref, fen=line.open_fen) for line in lines]
            moves = postings.payment_received(postings.clearing(book, b.SHOP), parts, payer=account_id)
            draft = JournalDraft(
                idem_key=f"payment:{key}",
                kind="payment",
                community_id=self.site.community_id,
                business_date=self.clock.now().date(),
                document=DocumentRef(kind=DocumentKind.PAYMENT, document_id=unit.new_id()),
                transfers=moves,
            )
            await ledger.post(unit, draft)

    async def sell(self, flat: b.Flat, day: date) -> b.Flat:
        """Sell a flat to a new party and return the new payer."""
        async with self.site.database.unit(self.site.tenant, self.site.actor) as unit:
            buyer = await estate.add_party(unit, kind=PartyKind.ORGANISATION, name="buyer")
            await estate.sell(unit, premises_id=flat[0], from_party=flat[1], to_party=buyer, day=day)
        return flat[0], buyer

    async def correct(self, flats: Sequence[b.Flat], month: int) -> tuple[BillSummary, ...]:
        """Open, preview and apply a correction of some flats from a month on."""
        self.clock.advance(minutes=1)
        scope = CorrectionScope(
            community_id=self.site.community_id,
            premises=frozenset(premises_id for premises_id, _ in flats),
            first_day=b.MONTHS[month].start,
        )
        async with self.site.database.unit(self.site.tenant, self.site.actor) as unit:
            case_id = await corrections.open_correction(unit, scope, cause=Cause.READING, reason="misread")
        async with self.site.database.view(self.site.tenant) as session:
            preview = await corrections.preview(session, self.book, case_id, self.clock.now())
        async with self.site.database.unit(self.site.tenant, self.site.actor) as unit:
            return await corrections.apply(unit, self.book, case_id, preview_sha=preview.sha)

    def set(self, flat: b.Flat, item: b.Item, month: int, fen: int) -> None:
        """Let rating say an amount from now on."""
        self.book.set(flat, item, self.month(month), fen)

    @staticmethod
    def month(month: int) -> Period:
        """Return a month of the story."""
        return b.MONTHS[month]


@pytest_asyncio.fixture
async def office(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> Office:
    site = await b.build_site(database, worker_database, tenant, actor, flats=4)
    return Office(site, clock)


@pytest_asyncio.fixture
async def village(
    server: TestServer,
    database_name: str,
    database: Database,
    worker_database: Database,
    tenant: TenantId,
    clock: SettableClock,
) -> Village:
    """Return a community with three months of bills."""
    return await build_village(server, database_name, database, worker_database, tenant, clock)
