"""Bill runs: the periods of a community, what a run would issue now with the exceptions first, approval, progress.

A preview writes nothing. Approval hands the run to the worker; the page asks every two seconds how far it is, until
the worker has put it down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import runs, service
from cloud.billing.lines import BillDraft
from cloud.billing.runs import RunPreview
from cloud.billing.service import MONTHLY, RunScope
from cloud.billing.tasks import run_keys
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.insights import operations
from cloud.kit import stopped_jobs
from cloud.kit.errors import MalformedError
from cloud.kit.httpapi import Paging, paging
from cloud.rating.lines import RatingException
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.listing import csv_file, part
from cloud.web.rendering import yuan
from common.civil import Period, civil_day, month_of, nth_period
from common.ids import CommunityId, PremisesId

DUE_AFTER = timedelta(days=14)
# An htmx poll stops when its answer has this status.
STOP_POLLING = 286

Biller = Annotated[Caller, Depends(require(Permission.RUN_BILLS))]
Wanted = Annotated[Paging, Depends(paging)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRow:
    """Something that could not be rated, with the room it is about."""

    room: str
    exception: RatingException


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRow:
    """A document that would be issued, with the room it is for."""

    room: str
    draft: BillDraft


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of bill runs."""
    router = page_router()
    _add_periods(router, frame)
    _add_run(router, frame)
    return router


def _add_periods(router: APIRouter, frame: Frame) -> None:
    @router.get("/runs")
    async def periods(
        request: Request, caller: Biller, community: Annotated[str | None, Query(max_length=80)] = None
    ) -> Response:
        """Show the billing periods of a community, the newest first, and offer the next."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.RUN_BILLS)
            one = chosen(communities, community)
            found = (await service.periods(session, one.id))[::-1]
        today = civil_day(frame.now(), one.zone)
        ahead = nth_period(found[0].period.end, 0) if found else month_of(today)
        return frame.page(
            request,
            "manager/runs.html",
            caller=caller,
            communities=communities,
            community=one,
            periods=found,
            ahead=ahead,
            ahead_due=ahead.end + DUE_AFTER,
        )

    @router.post("/runs/{community_id}")
    async def create(
        community_id: UUID,
        caller: Biller,
        start: Annotated[date, Form()],
        end: Annotated[date, Form()],
        due_on: Annotated[date, Form()],
    ) -> Response:
        """Create a billing period; the end is the first day after it."""
        if start >= end:
            raise MalformedError("the period ends before it begins; the end is the first day after it")
        if due_on < start:
            raise MalformedError("bills cannot be due before their period begins")
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            found = await estate.community(unit.session, CommunityId(community_id))
            await service.create_period(unit, found.id, period=Period(start, end), due_on=due_on)
        return see_other(f"/runs/{community_id}/{start.isoformat()}", done="period-created")


def _add_run(router: APIRouter, frame: Frame) -> None:
    @router.get("/runs/{community_id}/{start}")
    async def preview(request: Request, community_id: UUID, start: date, caller: Biller, wanted: Wanted) -> Response:
        """Show what a run would issue now, exceptions first."""
        async with frame.database.view(caller.tenant) as session:
            values = await _preview(frame, session, _scope(community_id, start))
        bills = part(values.pop("bills"), wanted)
        return frame.page(request, "manager/run.html", caller=caller, bills=bills, **values)

    @router.get("/runs/{community_id}/{start}/progress")
    async def progress(request: Request, community_id: UUID, start: date, caller: Biller) -> Response:
        """Show how far a run is, as a part of its page; the status tells htmx when to stop asking."""
        scope = _scope(community_id, start)
        async with frame.database.view(caller.tenant) as session:
            found = await service.progress(session, scope)
            running = await operations.run_under_way(session, scope.community_id, scope.cycle, start)
            stopped = await _why_stopped(session, scope)
        response = frame.page(
            request, "manager/run_progress.html", caller=caller, progress=found, running=running, stopped=stopped
        )
        response.status_code = HTTPStatus.OK if running else STOP_POLLING
        return response

    @router.get("/runs/{community_id}/{start}/exceptions.csv")
    async def exceptions(community_id: UUID, start: date, caller: Biller) -> Response:
        """Answer what could not be rated as a file."""
        async with frame.database.view(caller.tenant) as session:
            values = await _preview(frame, session, _scope(community_id, start))
        return csv_file(
            f"exceptions-{start.isoformat()}.csv",
            ("房屋 premises", "原因 kind", "说明 detail", "detail"),
            (
                (row.room, row.exception.kind, row.exception.detail_zh, row.exception.detail_en)
                for row in values["exceptions"]
            ),
        )

    @router.get("/runs/{community_id}/{start}/bills.csv")
    async def bills(community_id: UUID, start: date, caller: Biller) -> Response:
        """Answer the lines of all bills of the preview as a file."""
        async with frame.database.view(caller.tenant) as session:
            values = await _preview(frame, session, _scope(community_id, start))
        return csv_file(
            f"preview-{start.isoformat()}.csv",
            ("房屋 premises", "收费项 charge", "charge", "金额 amount"),
            (
                (row.room, line.charge.name_zh, line.charge.name_en, yuan(line.fen))
                for row in values["bills"]
                for line in row.draft.lines
            ),
        )

    @router.post("/runs/{community_id}/{start}/run")
    async def run(community_id: UUID, start: date, caller: Biller) -> Response:
        """Approve the run; the worker drains it."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await runs.request_run(unit, _scope(community_id, start))
        return see_other(f"/runs/{community_id}/{start.isoformat()}", done="run-approved")


async def _preview(frame: Frame, session: AsyncSession, scope: RunScope) -> dict[str, Any]:
    community = await estate.community(session, scope.community_id)
    progress = await service.progress(session, scope)
    running = await operations.run_under_way(session, scope.community_id, scope.cycle, scope.period_start)
    # A run under way changes what is due while we look: its page shows the progress alone.
    found = None if running else await runs.preview(session, frame.parts.rate, scope, frame.now())
    rooms = {one.id: one.label for one in await estate.premises_in(session, community.id, day=scope.period_start)}
    accounts = {
        account.account_id: rooms.get(account.premises_id, "—")
        for account in await service.accounts_in(session, community.id)
    }
    return {
        "community": community,
        "progress": progress,
        "running": running,
        "stopped": await _why_stopped(session, scope),
        "exceptions": [] if found is None else _exceptions(found, rooms),
        "bills": [] if found is None else _drafts(found, accounts),
        "waiting": [] if found is None else sorted(accounts[account_id] for account_id in found.waiting),
        "nothing": 0 if found is None else len(found.nothing_to_charge),
        "total_fen": 0 if found is None else found.total_fen,
    }


async def _why_stopped(session: AsyncSession, scope: RunScope) -> str | None:
    return await stopped_jobs.why_stopped(session, run_keys(scope.community_id, scope.cycle, scope.period_start))


def _exceptions(found: RunPreview, rooms: dict[PremisesId, str]) -> list[ExceptionRow]:
    rows = [
        ExceptionRow(room=rooms.get(one.premises_id, "—") if one.premises_id else "公摊 shared", exception=one)
        for one in found.exceptions
    ]
    return sorted(rows, key=lambda row: (row.exception.kind, row.room))


def _drafts(found: RunPreview, accounts: dict[Any, str]) -> list[DraftRow]:
    rows = [DraftRow(room=accounts[draft.account_id], draft=draft) for draft in found.bills]
    return sorted(rows, key=lambda row: row.room)


def _scope(community_id: UUID, start: date) -> RunScope:
    return RunScope(community_id=CommunityId(community_id), cycle=MONTHLY, period_start=start)
