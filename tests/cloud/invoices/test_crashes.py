"""A power cut before and after every commit of an invoice: afterwards it stands once, and nobody mended it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from cloud.invoices import service
from cloud.invoices.tasks import InvoiceTasks
from cloud.invoices.values import InvoiceState, InvoiceWish
from cloud.kit.events import Routes
from cloud.kit.runner import JobMetrics, Pace, Runner
from tests.cloud.invoices.conftest import BOX, Bureau
from tests.cloud.payments.test_crashes import DoomedDatabase, Fate, PowerCutError
from tests.cloud.refunds.till import CLERK

PART_FEN = 1_060


@pytest.fixture
def routes() -> Routes:
    return {}


async def bring(bureau: Bureau, wish: InvoiceWish, fate: Fate) -> None:
    """Ask for an invoice and work until it is issued, with a fate; what is already done is found done."""
    async with DoomedDatabase(bureau.database, fate).unit(bureau.tenant, CLERK) as unit:
        await service.request(unit, BOX, wish)
    worker = Runner(
        database=DoomedDatabase(bureau.till.counter.office.site.worker_database, fate),
        handlers=InvoiceTasks(bureau.issuers).handlers(),
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
        pace=Pace(lease=timedelta(milliseconds=1)),
    )
    for _ in range(2):
        await worker.drain()
        bureau.clock.advance(minutes=1)


async def given_up(bureau: Bureau, wish: InvoiceWish) -> None:
    """Let the platform be asked until it is plain that the invoice never came."""
    for _ in range(8):
        await bring(bureau, wish, Fate(commit=0, after=False))
        bureau.clock.advance(hours=7)
    (found,) = [one for one in await bureau.invoices() if one.invoice_id == wish.invoice_id]
    assert found.state is InvoiceState.REFUSED


@pytest.mark.timeout(200)
async def test_a_power_cut_at_any_commit_neither_loses_nor_doubles_an_invoice(bureau: Bureau) -> None:
    await bureau.till.counter.bill(0, 1_000_000)
    await bureau.till.pay(PART_FEN)
    fate = Fate(commit=0, after=False)
    await bring(bureau, await bureau.wish(), fate)
    assert fate.seen >= 4
    for done, (commit, after) in enumerate(
        ((commit, after) for commit in range(1, fate.seen + 1) for after in (False, True)), start=2
    ):
        await bureau.till.pay(PART_FEN)
        wish = await bureau.wish()
        with suppress(PowerCutError, BaseExceptionGroup):
            await bring(bureau, wish, Fate(commit=commit, after=after))
        for _ in range(2):
            await asyncio.sleep(0.01)
            await bring(bureau, wish, Fate(commit=0, after=False))
        if bureau.book.handed_over < done:  # cut before it was handed over: it is not sent, so it is asked for anew
            await given_up(bureau, wish)
            await bring(bureau, await bureau.wish(), Fate(commit=0, after=False))
        assert {one.state for one in await bureau.invoices()} <= {InvoiceState.ISSUED, InvoiceState.REFUSED}, (
            commit,
            after,
        )
        assert bureau.book.handed_over == done, (commit, after)
        assert bureau.standing_fen() == done * PART_FEN, (commit, after)
