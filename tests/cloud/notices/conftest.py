"""A counter whose worker reminds and tells, and a bill that falls due."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest_asyncio
from prometheus_client import CollectorRegistry

from cloud.billing import service as billing
from cloud.billing.documents import BillSummary
from cloud.kit import outbox
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobMetrics, Runner
from cloud.notices import service, tasks
from cloud.notices.service import Notice
from common.ids import PartyId, TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.payments.counter import Counter, open_counter
from tests.simulation.wechat.in_process import InProcessChannel
from tests.support.clock import SettableClock


@dataclass(slots=True, kw_only=True)
class Herald:
    """A counter with a bill due on a day, and the short ways a test uses."""

    counter: Counter
    teller: Runner
    bill: BillSummary

    @property
    def party(self) -> PartyId:
        return self.counter.office.site.flats[0][1]

    @property
    def clock(self) -> SettableClock:
        return self.counter.office.clock

    async def morning(self, days_after_due: int, hour: int = 10) -> None:
        """Go to a day counted from the due day, remind, and tell what is due to be told."""
        day = self.bill.due_on + timedelta(days=days_after_due)
        self.clock.set(datetime(day.year, day.month, day.day, hour, tzinfo=UTC))
        await self.remind(day)

    async def remind(self, day: date) -> None:
        counter = self.counter
        async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
            payload = {"day": day.isoformat()}
            unit.enqueue(NewJob(kind=tasks.REMIND, key=f"remind:{unit.new_id()}", payload=payload))
            unit.record("asked for", "notice", unit.new_id())
        await self.teller.drain()

    async def told(self) -> tuple[Notice, ...]:
        async with self.counter.database.view(self.counter.tenant) as session:
            return await service.notices_of(session, self.party)

    async def written(self) -> tuple[Notice, ...]:
        async with self.counter.database.view(self.counter.tenant) as session:
            return await service.notices_in(session, self.counter.office.site.community_id)


@pytest_asyncio.fixture
async def herald(
    database: Database,
    worker_database: Database,
    tenant: TenantId,
    actor: Actor,
    clock: SettableClock,
    tmp_path: Path,
) -> AsyncIterator[Herald]:
    site = await b.build_site(database, worker_database, tenant, actor, flats=1)
    office = Office(site, clock)
    channel = InProcessChannel(tmp_path / "wechat", clock.now, hurry=1_000_000)
    async with open_counter(office, channel) as counter:
        await counter.bill(0, 500)
        account_id = await office.account(site.flats[0])
        async with database.view(tenant) as session:
            (bill,) = await billing.bills_of(session, [account_id])
        handlers = {**tasks.HANDLERS, outbox.DELIVER: outbox.deliver_by(tasks.SENDERS)}
        teller = Runner(
            database=worker_database, handlers=handlers, metrics=JobMetrics(CollectorRegistry()), name="teller"
        )
        yield Herald(counter=counter, teller=teller, bill=bill)
    await channel.close()
