"""A community of the bench town, small enough to look at every line; and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from sqlalchemy import text

from cloud.billing import runs, service
from cloud.billing.lines import BillDraft
from cloud.billing.runs import RunRater, rater_for
from cloud.billing.service import MONTHLY, RunScope
from cloud.estate import service as estate
from cloud.kit.actor import Actor, system_actor
from cloud.kit.db import Database
from cloud.kit.postgres import SUPERUSER
from cloud.rating.column_run import prepare
from cloud.rating.service import rate_period
from common.civil import midnight
from common.ids import AccountId, CommunityId, LegalEntityId, PremisesId, TenantId
from tests.bench.billing_town import NOW, PERIOD, STARTS, ZONE, Filler, price_community
from tests.support.clock import SettableClock
from tests.support.postgres import TestServer

HOUSEHOLDS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Hamlet:
    """A community of the bench town, small enough to look at every line."""

    database: Database
    worker_database: Database
    tenant: TenantId
    actor: Actor
    community_id: CommunityId
    premises: tuple[PremisesId, ...]
    clock: SettableClock

    @property
    def scope(self) -> RunScope:
        return RunScope(community_id=self.community_id, cycle=MONTHLY, period_start=PERIOD.start)

    async def foretold(self) -> dict[AccountId, BillDraft]:
        """Return what rating by value would issue."""
        async with self.database.view(self.tenant) as session:
            found = await runs.preview(session, rate_period, self.scope, self.clock.now())
        return {bill.account_id: bill for bill in found.bills}

    async def run(self) -> tuple[runs.ChunkReport, RunRater]:
        """Run the period in one chunk."""
        async with self.worker_database.view(self.tenant) as session:
            rater = await rater_for(session, self.scope, self.clock.now(), rate=rate_period, prepare=prepare)
        async with self.worker_database.unit(self.tenant, self.actor) as unit:
            return await runs.run_chunk(unit, rater, self.scope, after=None), rater

    async def issued(self) -> dict[AccountId, BillDraft]:
        """Return what stands on the bills, as drafts."""
        found: dict[AccountId, BillDraft] = {}
        async with self.database.view(self.tenant) as session:
            accounts = [account.account_id for account in await service.accounts_in(session, self.community_id)]
            for summary in await service.bills_of(session, accounts):
                view = await service.bill(session, summary.bill_id)
                lines = tuple(one.line for one in view.lines)
                found[summary.account_id] = BillDraft(account_id=summary.account_id, lines=lines)
        return found

    async def by_column(self) -> int:
        """Return how many bills were written by column: their lines keep no explanation of their own."""
        async with self.database.view(self.tenant) as session:
            statement = text("select count(distinct bill_id) from bill_line where trace = '{}'")
            return int((await session.execute(statement)).scalar_one())


async def build_hamlet(
    server: TestServer,
    database_name: str,
    database: Database,
    worker_database: Database,
    tenant: TenantId,
    clock: SettableClock,
) -> Hamlet:
    """Fill a community of the bench town."""
    async with database.view(tenant) as session:
        (entity, *_) = await estate.entity_names(session)
    clock.set(midnight(STARTS, ZONE))
    community = await price_community(database, tenant, LegalEntityId(entity), 1)
    with psycopg.connect(server.server.conninfo(role=SUPERUSER, database=database_name)) as connection:
        Filler(connection, tenant).fill(community, HOUSEHOLDS)
        rows = connection.execute("select premises_id from premises order by premises_id").fetchall()
    clock.set(NOW)
    return Hamlet(
        database=database,
        worker_database=worker_database,
        tenant=tenant,
        actor=system_actor("hamlet"),
        community_id=community.community_id,
        premises=tuple(PremisesId(row[0]) for row in rows),
        clock=clock,
    )
