"""A hall whose payer agreed to automatic deduction at one channel, and the short ways a test uses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry

from cloud.kit.jobs import NewJob
from cloud.kit.runner import Handler, JobMetrics, Runner
from cloud.mandates import debits, service, tasks
from cloud.mandates.clerk import MandateClerk
from cloud.mandates.tasks import MandateTasks
from cloud.mandates.values import Debit, Mandate, MandateWish
from cloud.payments import service as payments
from cloud.payments.channel import Channel
from cloud.payments.channels.deductions import Agreement
from cloud.payments.channels.times import BEIJING
from cloud.payments.tasks import PaymentTasks
from tests.cloud.billing.conftest import Office
from tests.cloud.payments.counter import PUBLIC_URL
from tests.cloud.payments.halls import Hall, open_hall
from tests.support.randomness import seeded_bytes

LIMIT_FEN = 50_000
DAY = 25


@dataclass(slots=True, kw_only=True)
class Purse:
    """Who agreed, where he agreed, and who takes."""

    hall: Hall
    clerk: MandateClerk
    channel: Channel = Channel.ALIPAY

    async def wish(self, flat: int = 0, limit_fen: int = LIMIT_FEN) -> MandateWish:
        """Return what a payer wants to agree to."""
        office = self.hall.counter.office
        return MandateWish(
            mandate_id=UUID(int=700 + flat),
            account_id=await office.account(office.site.flats[flat]),
            merchant_account_id=self.hall.accounts[self.channel].merchant_account_id,
            limit_fen=limit_fen,
            day_of_month=DAY,
        )

    async def asked(self, flat: int = 0, limit_fen: int = LIMIT_FEN) -> Mandate:
        """Let a payer ask for the page where he signs, and open it."""
        counter = self.hall.counter
        wish = await self.wish(flat, limit_fen)
        async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
            mandate = await service.ask(unit, wish, seeded_bytes(13 + flat))
        page = await self.clerk.sign_page(counter.tenant, mandate)
        if self.channel is Channel.ALIPAY:  # its page is what makes the agreement known; WeChat was asked for the page
            assert (await self.hall.alipay.http.get(page)).status_code == 200
        return mandate

    async def signed(self, flat: int = 0, limit_fen: int = LIMIT_FEN) -> Mandate:
        """Let a payer sign, and ask the channel."""
        mandate = await self.asked(flat, limit_fen)
        await self.act("sign-agreement", external=mandate.number)
        return await self.checked(mandate)

    async def act(self, act: str, **fields: Any) -> dict[str, Any]:
        """Let the channel or its payer do something."""
        told: dict[str, Any] = await self.hall.simulator(self.channel).control(act, **fields)
        return told

    async def checked(self, mandate: Mandate) -> Mandate:
        """Ask the channel where a mandate stands."""
        counter = self.hall.counter
        return await self.clerk.check(counter.tenant, counter.office.site.actor, mandate.mandate_id)

    async def at_channel(self, mandate: Mandate) -> Agreement:
        """Return where a mandate stands at the channel."""
        told = await self.hall.counter.providers.agreements(self.hall.accounts[self.channel]).query(mandate.number)
        assert isinstance(told, Agreement)
        return told

    async def mandate(self, mandate_id: UUID) -> Mandate:
        """Return a mandate."""
        async with self.hall.counter.database.view(self.hall.counter.tenant) as session:
            return await service.mandate(session, mandate_id)

    async def debits(self, mandate: Mandate) -> tuple[Debit, ...]:
        """Return what was announced by a mandate."""
        async with self.hall.counter.database.view(self.hall.counter.tenant) as session:
            return await debits.debits_of(session, [mandate.mandate_id])

    async def look(self) -> None:
        """Look at every mandate, as each morning."""
        counter = self.hall.counter
        now = counter.office.clock.now()
        async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
            unit.enqueue(NewJob(kind=tasks.LOOK, key=f"look:{now.isoformat()}", payload={}))
            unit.record("looked at", "mandate", UUID(int=0))
        await counter.work()

    async def on(self, day: int, month: int = 2, hour: int = 10) -> None:
        """Let it be an hour of Beijing on a day, and do the work that is due then and ten seconds later."""
        clock = self.hall.counter.office.clock
        clock.set(datetime(2026, month, day, hour, 1, tzinfo=BEIJING).astimezone(UTC))
        await self.hall.counter.work()
        clock.advance(seconds=10)
        await self.hall.counter.work()

    async def told(self) -> Debit:
        """Let it be the day of the notice, look, and return the one announced amount."""
        await self.on(18, hour=9)
        await self.look()
        (debit,) = await self.debits(await self.mandate(UUID(int=700)))
        return debit

    async def paid(self, flat: int = 0) -> list[int]:
        """Return what was booked for a flat."""
        return [one.amount_fen for one in await self.hall.counter.payments(flat)]


@asynccontextmanager
async def open_purse(office: Office, folder: Path, channel: Channel) -> AsyncIterator[Purse]:
    """Open a hall with bills, and a worker that takes by mandates."""
    async with open_hall(office, folder) as hall:
        counter = hall.counter
        await counter.bill(0, 12_345, 20_000)
        site = office.site
        handlers: Mapping[str, Handler] = {
            payments.ASK: PaymentTasks(counter.providers).ask,
            **MandateTasks(counter.providers, PUBLIC_URL, seeded_bytes(11)).handlers(),
        }
        counter.runner = Runner(
            database=site.worker_database, handlers=handlers, metrics=JobMetrics(CollectorRegistry()), name="worker"
        )
        clerk = MandateClerk(counter.database, counter.providers, PUBLIC_URL, seeded_bytes(12))
        yield Purse(hall=hall, clerk=clerk, channel=channel)
