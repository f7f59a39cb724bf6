"""A counter with a bill that is paid, a press over it, and a worker that seals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from cloud.billing import service as billing
from cloud.documents import service, tasks
from cloud.documents.kinds import PaperKind
from cloud.documents.printer import Printer
from cloud.documents.service import Press
from cloud.documents.values import Paper, PaperFile
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.runner import JobMetrics, Runner
from cloud.kit.secretbox import SecretBox
from common.ids import BillId, TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.documents.tokens import KEYS, Drawer
from tests.cloud.payments.counter import PUBLIC_URL, Counter, open_counter
from tests.simulation.wechat.in_process import InProcessChannel
from tests.support.clock import SettableClock
from tests.support.randomness import seeded_bytes


@dataclass(slots=True, kw_only=True)
class Stationer:
    """The press over a counter, and the short ways a test uses."""

    counter: Counter
    press: Press
    sealer: Runner

    @property
    def tenant(self) -> TenantId:
        return self.counter.tenant

    @property
    def actor(self) -> Actor:
        return self.counter.office.site.actor

    async def bill(self) -> BillId:
        """Bill the flats and return the first one's bill."""
        await self.counter.bill(0, 20_340, 500, 700)
        account_id = await self.counter.office.account(self.counter.office.site.flats[0])
        async with self.press.database.view(self.tenant) as session:
            return (await billing.bills_of(session, [account_id]))[0].bill_id

    async def issue(self, kind: PaperKind, subject_id: UUID) -> Paper:
        return await service.issue(self.press, self.tenant, self.actor, kind, subject_id)

    async def file(self, paper: Paper) -> PaperFile:
        return await service.file_of(self.press, self.tenant, paper.paper_id)

    async def sealed(self, paper: Paper) -> bytes:
        """Let the worker seal, and return the sealed file."""
        await self.sealer.drain()
        found = await self.file(paper)
        assert found.sealed
        return found.content


@pytest.fixture(scope="session")
def printer() -> Iterator[Printer]:
    made = Printer()
    yield made
    made.close()


@pytest.fixture(scope="session")
def drawer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawer]:
    """Give a token with a key of each kind; see `tokens.py` for why there is one for all tests."""
    made = Drawer(tmp_path_factory.mktemp("token") / "drawer")
    for label, key in KEYS.items():
        made.add(label, key)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOFTHSM2_CONF", str(made.config))
        yield made


@pytest_asyncio.fixture
async def office(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor, clock: SettableClock
) -> Office:
    site = await b.build_site(database, worker_database, tenant, actor, flats=3)
    return Office(site, clock)


@pytest_asyncio.fixture
async def channel(tmp_path: Path, clock: SettableClock) -> AsyncIterator[InProcessChannel]:
    opened = InProcessChannel(tmp_path / "wechat", clock.now, hurry=1_000_000)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def stationer(office: Office, channel: InProcessChannel, printer: Printer) -> AsyncIterator[Stationer]:
    async with open_counter(office, channel) as counter:
        site = office.site
        press = Press(database=site.database, printer=printer, public_url=PUBLIC_URL, random_bytes=seeded_bytes(11))
        sealer = Runner(
            database=site.worker_database,
            handlers=tasks.handlers(press, SecretBox(bytes(range(32)))),
            metrics=JobMetrics(CollectorRegistry()),
            name="sealer",
        )
        yield Stationer(counter=counter, press=press, sealer=sealer)
