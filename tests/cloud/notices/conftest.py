"""A counter whose worker reminds and tells, and a bill that falls due."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest_asyncio
from prometheus_client import CollectorRegistry

from cloud.billing import service as billing
from cloud.billing.documents import BillSummary
from cloud.kit import outbox
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobMetrics, Runner
from cloud.kit.secretbox import SecretBox
from cloud.notices import addresses, courier, repository, service, tasks
from cloud.notices import provider_accounts as accounts
from cloud.notices.carriers import Carriers, MessageUrls
from cloud.notices.courier import Courier
from cloud.notices.kinds import Language, NoticeKind, Way
from cloud.notices.providers.values import Template
from cloud.notices.service import Notice
from cloud.notices.tables import DeliveryRow
from common.ids import PartyId, TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.payments.counter import Counter, open_counter
from tests.simulation.messages import sms
from tests.simulation.wechat.in_process import InProcessChannel
from tests.support.clock import SettableClock


@dataclass(slots=True, kw_only=True)
class Herald:
    """A counter with a bill due on a day, and the short ways a test uses."""

    counter: Counter
    teller: Runner
    bill: BillSummary
    box: SecretBox
    courier: Courier
    gateway: sms.SmsSimulator

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

    async def wants_texts(self, number: str = "138 0013 8000") -> None:
        """Open the company's account at the gateway and let the reader choose texts."""
        counter = self.counter
        async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
            await accounts.open_account(unit, self.box, text_account(), frozenset())
            await addresses.set_address(unit, self.box, self.party, Way.SMS, number)

    async def delivery(self) -> DeliveryRow:
        (notice,) = await self.told()
        async with self.counter.database.view(self.counter.tenant) as session:
            row = await repository.delivery(session, notice.notice_id)
        assert row is not None
        return row

    async def later(self, **pause: int) -> DeliveryRow:
        self.clock.advance(**pause)
        await self.teller.drain()
        return await self.delivery()

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
        box, gateway = SecretBox(bytes(range(32))), sms.SmsSimulator(0)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app=gateway.app()))
        nonces = iter(range(1_000_000))

        def gateway_now_s() -> int:
            gateway.now_s = int(clock.now().timestamp())
            return gateway.now_s

        carriers = Carriers(
            http, MessageUrls(sms="http://sms.test"), box, gateway_now_s, lambda: f"nonce-{next(nonces)}"
        )
        bringer = Courier(worker_database, box, carriers)
        handlers = {
            **tasks.HANDLERS,
            outbox.DELIVER: outbox.deliver_by({**tasks.SENDERS, **tasks.couriers(bringer)}),
            courier.RETRY: bringer.retry_job,
            courier.LOOK: bringer.look_job,
        }
        teller = Runner(
            database=worker_database, handlers=handlers, metrics=JobMetrics(CollectorRegistry()), name="teller"
        )
        yield Herald(counter=counter, teller=teller, bill=bill, box=box, courier=bringer, gateway=gateway)
        await http.aclose()
    await channel.close()


def text_account() -> accounts.NewAccount:
    """Return the account at the simulated gateway of texts, with a template for each reminder."""
    kinds = (NoticeKind.DUE_SOON, NoticeKind.DUE_TODAY, NoticeKind.OVERDUE, NoticeKind.OVERDUE_LONG)
    return accounts.NewAccount(
        way=Way.SMS,
        login=sms.KEY_ID,
        secret=sms.SECRET,
        sender=sms.SIGN_NAME,
        templates=tuple(Template(kind=kind, language=Language.ZH, code=sms.TEMPLATE, fields=()) for kind in kinds),
    )
