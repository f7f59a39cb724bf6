"""Reconciliation on pages: how each day of each merchant account stands, what is not explained, and who explains it.

    /reconciliation                            two weeks of days, the newest first
    /reconciliation.csv                        the same as a file
    /reconciliation/<merchant account>/<day>   both totals, the breaks with what to do first, closing one with a reason

A day shows 100.00 % only when no break is open; a share is cut, never rounded up to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.payments import merchants
from cloud.payments import service as payments
from cloud.payments.channel import Channel
from cloud.payments.merchants import MerchantAccount
from cloud.payments.rules import AttemptState
from cloud.reconciliation import legs, service, tasks, uploads
from cloud.reconciliation.service import DayReport
from cloud.web.frame import Frame, page_router, see_other
from cloud.web.listing import Cell, csv_file
from cloud.web.money_words import ACTIONS, BREAKS, FLOWS
from cloud.web.rendering import ZONE, yuan
from common.civil import Period, civil_day

DAYS = 14
_DAY = timedelta(days=1)
_BASIS_POINTS = 100
Reconciler = Annotated[Caller, Depends(require(Permission.RECONCILE))]
_HEADER = (
    "merchant account",
    "day",
    "version",
    "book rows",
    "book yuan",
    "channel rows",
    "channel yuan",
    "open breaks",
    "explained %",
)


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of reconciliation."""
    router = page_router()
    _add_days(router, frame)
    _add_day(router, frame)
    return router


def explained(report: DayReport) -> str:
    """Return how much of a day is explained, in per cent with two decimals."""
    points = report.figures.explained_basis_points
    return f"{points // _BASIS_POINTS}.{points % _BASIS_POINTS:02d}"


def _add_days(router: APIRouter, frame: Frame) -> None:
    @router.get("/reconciliation")
    async def days(request: Request, caller: Reconciler, last: date | None = None) -> Response:
        """Show two weeks of days."""
        span = _span(frame, last)
        async with frame.database.view(caller.tenant) as session:
            reports = await service.day_reports(session, span)
            accounts = await _accounts(session)
        return frame.page(
            request,
            "money/days.html",
            caller=caller,
            reports=reports,
            accounts=accounts,
            explained=explained,
            terminals=[account for account in accounts.values() if account.channel is Channel.POS],
            span=span,
            earlier=span.start - _DAY,
            later=None if last is None else span.end + timedelta(days=DAYS - 1),
        )

    @router.get("/reconciliation.csv")
    async def days_file(caller: Reconciler, last: date | None = None) -> Response:
        """Answer the days as a file."""
        async with frame.database.view(caller.tenant) as session:
            reports = await service.day_reports(session, _span(frame, last))
            accounts = await _accounts(session)
        return csv_file("reconciliation.csv", _HEADER, [_row(report, accounts) for report in reports])


def _add_day(router: APIRouter, frame: Frame) -> None:
    @router.get("/reconciliation/{merchant_account_id}/{day}")
    async def one_day(request: Request, merchant_account_id: UUID, day: date, caller: Reconciler) -> Response:
        """Show a day with every break."""
        async with frame.database.view(caller.tenant) as session:
            report = await service.day_report(session, merchant_account_id, day)
            account = await merchants.merchant_account(session, merchant_account_id)
            funds = await legs.fund_day(session, merchant_account_id, day)
            attempts = await payments.attempts_numbered(session, [broken.number for broken in report.breaks])
        return frame.page(
            request,
            "money/day.html",
            caller=caller,
            report=report,
            account=account,
            explained=explained(report),
            breaks=sorted(report.breaks, key=lambda broken: (broken.closed_at is not None, broken.opened_at)),
            receipts={n: a.attempt_id for n, a in attempts.items() if a.state is AttemptState.PAID},
            words=BREAKS,
            funds=funds,
            flow_words=FLOWS,
            actions=ACTIONS,
        )

    @router.post("/reconciliation/{merchant_account_id}/file")
    async def bring(
        merchant_account_id: UUID,
        caller: Reconciler,
        day: Annotated[date, Form()],
        file: Annotated[UploadFile, File()],
    ) -> Response:
        """Take an acquirer's file of a day."""
        raw = await file.read()
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await uploads.bring(unit, frame.parts.secret_box, merchant_account_id, day, raw)
        return see_other("/reconciliation", done="bank-imported")

    @router.post("/reconciliation/{merchant_account_id}/{day}/fetch")
    async def fetch(merchant_account_id: UUID, day: date, caller: Reconciler) -> Response:
        """Have the day's statement fetched again."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            account = await merchants.merchant_account(unit.session, merchant_account_id)
            unit.enqueue(tasks.fetch_job(account.merchant_account_id, day, f"asked:{unit.new_id()}"))
            unit.record("asked for", "statement_file", account.merchant_account_id, after={"day": day.isoformat()})
        return see_other(f"/reconciliation/{merchant_account_id}/{day}", done="statement-asked")

    @router.post("/reconciliation/{merchant_account_id}/{day}/breaks/{break_id}")
    async def close(
        merchant_account_id: UUID,
        day: date,
        break_id: UUID,
        caller: Reconciler,
        reason: Annotated[str, Form(max_length=500)] = "",
    ) -> Response:
        """Close a break by name, with its explanation."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await service.close_break(unit, break_id, reason=reason)
        return see_other(f"/reconciliation/{merchant_account_id}/{day}", done="break-closed")


def _span(frame: Frame, last: date | None) -> Period:
    end = civil_day(frame.now(), ZONE) if last is None else last
    return Period(end - timedelta(days=DAYS - 1), end + _DAY)


async def _accounts(session: AsyncSession) -> dict[UUID, MerchantAccount]:
    return {account.merchant_account_id: account for account in await merchants.merchant_accounts(session)}


def _row(report: DayReport, accounts: dict[UUID, MerchantAccount]) -> Sequence[Cell]:
    return (
        accounts[report.merchant_account_id].label,
        report.day.isoformat(),
        report.version,
        report.book_rows,
        yuan(report.book_fen),
        report.channel_rows,
        yuan(report.channel_fen),
        report.figures.open_breaks,
        explained(report),
    )
