"""The work of billing that is done by the worker, and the jobs that the events of billing become."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID

import structlog

from cloud.billing import dues, offsets, repricing, runs, service
from cloud.billing.documents import PastRater, Rater
from cloud.billing.events import BillsIssued, PricesCorrected, RunRequested
from cloud.billing.runs import Preparer
from cloud.billing.service import RunScope
from cloud.kit import jobqueue
from cloud.kit.bulk import measure_young
from cloud.kit.jobs import NewJob
from cloud.kit.runner import Handler, JobContext
from cloud.kit.schedules import Schedule
from common.ids import AccountId, BillId, CommunityId

BILL_RUN = "billing.run"
PRICE_CORRECTION = "billing.price_correction"
USE_AHEAD = "billing.use_ahead"
PUBLISH_DUES = "billing.dues"
DUES_DAILY = Schedule(name="dues", kind=PUBLISH_DUES, at=time(0, 10))
_log = structlog.get_logger()


def run_keys(community_id: CommunityId, cycle: str, period_start: date) -> str:
    """Return how the keys of the jobs of a period's runs begin."""
    return f"bill_run:{community_id}:{cycle}:{period_start.isoformat()}:"


def price_correction_key(price_correction_id: UUID) -> str:
    """Return the key of the job that books a change of prices."""
    return f"price_correction:{price_correction_id}"


def bill_run_job(event: RunRequested) -> NewJob:
    """Return the job of an approved run; runs of one community follow each other."""
    return NewJob(
        kind=BILL_RUN,
        key=f"{run_keys(event.community_id, event.cycle, event.period_start)}{event.attempt}",
        payload={
            "community_id": str(event.community_id),
            "cycle": event.cycle,
            "period_start": event.period_start.isoformat(),
            "known_at": event.known_at.isoformat(),
        },
        partition=f"bill_run:{event.community_id}",
    )


def bill_run_handler(rate: Rater, prepare: Preparer | None = None) -> Handler:
    """Return the handler that drains the obligations of an approved run, one commit a chunk.

    Args:
        rate: rates households by value.
        prepare: readies a community's period to be rated by column; None where prices are not data of the company.
    """

    async def run_bills(context: JobContext) -> None:
        payload = context.job.payload
        scope = RunScope(
            community_id=CommunityId(UUID(payload["community_id"])),
            cycle=payload["cycle"],
            period_start=date.fromisoformat(payload["period_start"]),
        )
        async with context.unit() as unit:
            await service.oblige_payers(unit, scope)
        known_at = datetime.fromisoformat(payload["known_at"])
        async with context.view() as session:
            rater = await runs.rater_for(session, scope, known_at, rate=rate, prepare=prepare)
        after: runs.Place | None = None
        measured = False
        while True:
            async with context.unit() as unit:
                measured = measured or await measure_young(unit.session, runs.WRITTEN)
                accounts_max = runs.CHUNK_ACCOUNTS if measured else runs.FIRST_ACCOUNTS
                report = await runs.run_chunk(unit, rater, scope, after=after, accounts_max=accounts_max)
            if report.after is None:
                break
            after = report.after
            _log.info(
                "bills_issued",
                community=str(scope.community_id),
                issued=report.issued,
                waiting=report.waiting,
                exceptions=report.exceptions,
            )

    return run_bills


def price_correction_job(event: PricesCorrected) -> NewJob:
    """Return the job of an approved change of prices; it and the runs of its community follow each other."""
    return NewJob(
        kind=PRICE_CORRECTION,
        key=price_correction_key(event.price_correction_id),
        payload={
            "community_id": str(event.community_id),
            "price_correction_id": str(event.price_correction_id),
        },
        partition=f"bill_run:{event.community_id}",
    )


def price_correction_handler(rate: PastRater) -> Handler:
    """Return the handler that books an approved change of prices, one commit a chunk; `rate` rates by value."""

    async def correct_prices(context: JobContext) -> None:
        payload = context.job.payload
        community_id = CommunityId(UUID(payload["community_id"]))
        price_correction_id = UUID(payload["price_correction_id"])
        async with context.view() as session:
            change = await repricing.ready(session, community_id, price_correction_id)
        more = change is not None
        while change is not None and more:
            async with context.unit() as unit:
                more = await repricing.book_chunk(unit, rate, change, price_correction_id)

    return correct_prices


def use_ahead_job(event: BillsIssued) -> NewJob:
    """Return the job that lets what was paid ahead settle the documents just issued."""
    return NewJob(
        kind=USE_AHEAD,
        key=f"use_ahead:{event.bill_ids[0]}",
        payload={
            "community_id": str(event.community_id),
            "account_ids": [str(account_id) for account_id in event.account_ids],
            "bill_id": str(event.bill_ids[0]),
        },
    )


async def use_ahead(context: JobContext) -> None:
    """Let what accounts have paid ahead settle their open lines, and finish, in one commit."""
    payload = context.job.payload
    async with context.finishing_unit() as unit:
        await offsets.settle_from_ahead(
            unit,
            CommunityId(UUID(payload["community_id"])),
            [AccountId(UUID(account_id)) for account_id in payload["account_ids"]],
            BillId(UUID(payload["bill_id"])),
        )


def dues_job_of_bills(event: BillsIssued) -> NewJob:
    """Return the job that tells the kiosks of new bills."""
    return dues_job(event.bill_ids[0])


def dues_job(change_id: UUID) -> NewJob:
    """Return the job that tells the kiosks of a change, named by the document or payment that made it."""
    return NewJob(kind=PUBLISH_DUES, key=f"dues:{change_id}", partition="dues")


async def publish_dues(context: JobContext) -> None:
    """Hand every gateway the dues as of now, and finish, in one commit.

    A snapshot holds everything, so of many changes that wait (a morning of payments) the first one publishes for all.
    """
    async with context.finishing_unit() as unit:
        await jobqueue.absorb(unit.session, context.job, unit.now)
        await dues.publish_everywhere(unit)
