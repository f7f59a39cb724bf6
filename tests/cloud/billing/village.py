"""A community with three months of bills, the first of them paid, whose prices change for the past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text

from cloud.billing import corrections, repricing, runs, service
from cloud.billing.adjusting import Adjustment
from cloud.billing.corrections import CorrectionScope
from cloud.billing.lines import LineDraft
from cloud.billing.repriced_sums import PricePreview
from cloud.billing.repricing import PriceScope
from cloud.billing.runs import rater_for
from cloud.billing.service import MONTHLY, RunScope
from cloud.estate import service as estate
from cloud.kit.actor import Actor, system_actor
from cloud.kit.db import Database
from cloud.kit.postgres import SUPERUSER
from cloud.ledger import postings
from cloud.ledger import service as ledger
from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft
from cloud.ledger.postings import Allocation
from cloud.rating.column_run import prepare
from cloud.rating.service import rate_period
from cloud.tariffs import service as tariffs
from cloud.tariffs.service import RevisionDraft
from common.civil import Period, midnight
from common.ids import ChargeItemId, CommunityId, LegalEntityId, PremisesId, TenantId
from tests.bench.billing_town import NOW, ZONE, Filler, History, document, price_community, tiered
from tests.support.clock import SettableClock
from tests.support.postgres import TestServer

MONTHS = tuple(date(2026, month, 1) for month in (1, 2, 3, 4))
PERIODS = tuple(Period(start, end) for start, end in pairwise(MONTHS))
STARTS = date(2025, 12, 1)
HISTORY = History(starts=STARTS, days=MONTHS, periods=PERIODS)
HOUSEHOLDS = 9
Said = tuple[Period, tuple[LineDraft, ...]]
CHEAPER = document("service", "m2", charges=[{"key": "service", "quantity": "area", "per": "month", "price": "2.05"}])
OTHER_TIERS = tiered("electricity", "kWh", ["300", "900"], ["0.4183", "0.6383", "0.8883"], accumulate={"over": "year"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Village:
    """A community with three months of bills, the first of them paid by everybody."""

    database: Database
    worker: Database
    tenant: TenantId
    actor: Actor
    community_id: CommunityId
    premises: tuple[PremisesId, ...]
    items: dict[str, ChargeItemId]
    clock: SettableClock

    async def reprice(self, price: Mapping[str, Any], since: date) -> None:
        """Record a price that was decided for the past."""
        self.clock.set(self.clock.now() + timedelta(hours=1))
        async with self.database.unit(self.tenant, self.actor) as unit:
            draft = RevisionDraft(
                community_id=self.community_id,
                document=price,
                effective_from=since,
                basis_document="decree",
                decided_by="committee",
            )
            await tariffs.record_revision(unit, draft)
        self.clock.set(self.clock.now() + timedelta(hours=1))

    def scope(self, *codes: str, first_day: date = MONTHS[0]) -> PriceScope:
        items = frozenset(self.items[code] for code in codes)
        return PriceScope(community_id=self.community_id, charge_items=items, first_day=first_day)

    async def opened(self, scope: PriceScope) -> UUID:
        async with self.database.unit(self.tenant, self.actor) as unit:
            return await repricing.open_price_correction(unit, scope, reason="decree of the city")

    async def previewed(self, correction: UUID) -> PricePreview:
        async with self.database.view(self.tenant) as session:
            return await repricing.preview(session, rate_period, self.community_id, correction, self.clock.now())

    async def approve(self, correction: UUID, sha: bytes) -> None:
        async with self.database.unit(self.tenant, self.actor) as unit:
            await repricing.approve(unit, rate_period, self.community_id, correction, preview_sha=sha)

    async def book(self, correction: UUID) -> None:
        """Book an approved change, as the worker does."""
        async with self.worker.view(self.tenant) as session:
            change = await repricing.ready(session, self.community_id, correction)
        more = change is not None
        while change is not None and more:
            async with self.worker.unit(self.tenant, self.actor) as unit:
                more = await repricing.book_chunk(unit, rate_period, change, correction)

    async def foretold(self, scope: PriceScope) -> dict[object, Adjustment]:
        """Return what the by-value road would issue."""
        asked = CorrectionScope(
            community_id=self.community_id,
            premises=frozenset(self.premises),
            first_day=scope.first_day,
            charge_items=scope.charge_items,
        )
        async with self.database.view(self.tenant) as session:
            found = await corrections.computed(session, rate_period, asked, self.clock.now())
        return {one.account.account_id: one for one in found.adjustments}

    async def issued(self) -> dict[object, Said]:
        """Return the adjustments of each account as they stand."""
        found: dict[object, Said] = {}
        async with self.database.view(self.tenant) as session:
            accounts = [one.account_id for one in await service.accounts_in(session, self.community_id)]
            for summary in await service.bills_of(session, accounts):
                if summary.kind == "adjustment":
                    view = await service.bill(session, summary.bill_id)
                    found[summary.account_id] = (summary.period, tuple(one.line for one in view.lines))
        return found

    async def sequences(self) -> set[int]:
        """Return the sequences of adjustments that there are."""
        async with self.database.view(self.tenant) as session:
            return set(await session.scalars(text("select seq from bill where kind = 'adjustment'")))

    async def count(self, table: str) -> int:
        async with self.database.view(self.tenant) as session:
            return int(await session.scalar(text(f"select count(*) from {table}")) or 0)  # noqa: S608 - our own names


async def build_village(
    server: TestServer,
    database_name: str,
    database: Database,
    worker_database: Database,
    tenant: TenantId,
    clock: SettableClock,
) -> Village:
    """Fill the community, run three months, and let everybody pay the first."""
    async with database.view(tenant) as session:
        (entity, *_) = await estate.entity_names(session)
    clock.set(midnight(STARTS, ZONE))
    place = await price_community(database, tenant, LegalEntityId(entity), 1)
    with psycopg.connect(server.server.conninfo(role=SUPERUSER, database=database_name)) as connection:
        Filler(connection, tenant, HISTORY).fill(place, HOUSEHOLDS)
        rows = connection.execute("select premises_id from premises order by premises_id").fetchall()
    clock.set(NOW)
    actor = system_actor("village")
    async with database.view(tenant) as session:
        items = {one.code: one.charge_item_id for one in await tariffs.charge_items(session, place.community_id)}
    for period in PERIODS:
        scope = RunScope(community_id=place.community_id, cycle=MONTHLY, period_start=period.start)
        async with worker_database.view(tenant) as session:
            rater = await rater_for(session, scope, NOW, rate=rate_period, prepare=prepare)
        async with worker_database.unit(tenant, actor) as unit:
            await runs.run_chunk(unit, rater, scope, after=None)
    found = Village(
        database=database,
        worker=worker_database,
        tenant=tenant,
        actor=actor,
        community_id=place.community_id,
        premises=tuple(PremisesId(row[0]) for row in rows),
        items=items,
        clock=clock,
    )
    await _pay_the_first_month(found)
    return found


async def _pay_the_first_month(village: Village) -> None:
    async with village.database.unit(village.tenant, village.actor) as unit:
        for account in await service.accounts_in(unit.session, village.community_id):
            lines = await service.open_lines(unit.session, account.account_id)
            paid = [line for line in lines if line.period == PERIODS[0]]
            book = Book(
                community_id=village.community_id,
                legal_entity_id=paid[0].legal_entity_id,
                fund_class=paid[0].fund_class,
            )
            settled = [Allocation(account_id=account.account_id, line=one.ref, fen=one.open_fen) for one in paid]
            payment = unit.new_id()
            journal = JournalDraft(
                idem_key=f"payment:{payment}",
                kind="payment",
                community_id=village.community_id,
                business_date=NOW.date(),
                document=DocumentRef(kind=DocumentKind.PAYMENT, document_id=payment),
                transfers=postings.payment_received(
                    postings.clearing(book, UUID(int=1)), settled, payer=account.account_id
                ),
            )
            await ledger.post(unit, journal)
