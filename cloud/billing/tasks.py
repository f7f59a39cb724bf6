"""The work of billing that is done by the worker, and the jobs that the events of billing become."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import structlog

from cloud.billing import runs, service
from cloud.billing.documents import Rater
from cloud.billing.events import RunRequested
from cloud.billing.service import RunScope
from cloud.kit.jobs import NewJob
from cloud.kit.runner import Handler, JobContext
from common.ids import CommunityId

BILL_RUN = "bill_run"
_log = structlog.get_logger()


def bill_run_job(event: RunRequested) -> NewJob:
    """Return the job of an approved run; runs of one community follow each other."""
    return NewJob(
        kind=BILL_RUN,
        key=f"bill_run:{event.community_id}:{event.cycle}:{event.period_start.isoformat()}:{event.attempt}",
        payload={
            "community_id": str(event.community_id),
            "cycle": event.cycle,
            "period_start": event.period_start.isoformat(),
            "known_at": event.known_at.isoformat(),
        },
        partition=f"bill_run:{event.community_id}",
    )


def bill_run_handler(rate: Rater) -> Handler:
    """Return the handler that drains the obligations of an approved run, one commit a chunk."""

    async def run_bills(context: JobContext) -> None:
        payload = context.job.payload
        scope = RunScope(
            community_id=CommunityId(UUID(payload["community_id"])),
            cycle=payload["cycle"],
            period_start=date.fromisoformat(payload["period_start"]),
        )
        known_at = datetime.fromisoformat(payload["known_at"])
        async with context.unit() as unit:
            await service.oblige_payers(unit, scope)
        after: runs.Place | None = None
        while True:
            async with context.unit() as unit:
                report = await runs.run_chunk(unit, rate, scope, known_at=known_at, after=after)
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
