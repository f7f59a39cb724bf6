"""Reconciliation over HTTP: how the days stand, a bill fetched again, a break closed by name."""

from __future__ import annotations

from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.payments import merchants
from cloud.reconciliation import schemas, service, tasks
from common.civil import Period
from common.errors import RefusalError

DAYS_MAX = 92
Reconciler = Annotated[Caller, Depends(require(Permission.RECONCILE))]


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of reconciliation."""
    router = APIRouter(prefix="/reconciliation", tags=["reconciliation"])

    @router.get("/days")
    async def days(first: date, last: date, caller: Reconciler) -> list[schemas.DayOut]:
        """List how the compared days of a span stand, both days included, the newest first."""
        if not first <= last < first + timedelta(days=DAYS_MAX):
            raise RefusalError(f"ask for 1 to {DAYS_MAX} days, the first one first")
        async with database.view(caller.tenant) as session:
            found = await service.day_reports(session, Period(first, last + timedelta(days=1)))
        return [schemas.DayOut.of(report) for report in found]

    @router.get("/merchant-accounts/{merchant_account_id}/days/{day}")
    async def one_day(merchant_account_id: UUID, day: date, caller: Reconciler) -> schemas.DayOut:
        """Return how one day of a merchant account stands."""
        async with database.view(caller.tenant) as session:
            return schemas.DayOut.of(await service.day_report(session, merchant_account_id, day))

    @router.post("/merchant-accounts/{merchant_account_id}/days/{day}/fetch", status_code=HTTPStatus.ACCEPTED)
    async def fetch(merchant_account_id: UUID, day: date, caller: Reconciler) -> None:
        """Have a day's bill fetched again; a file that differs becomes a new version."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            account = await merchants.merchant_account(unit.session, merchant_account_id)
            unit.enqueue(tasks.fetch_job(account.merchant_account_id, day, f"asked:{unit.new_id()}"))
            unit.record("asked for", "statement_file", account.merchant_account_id, after={"day": day.isoformat()})

    @router.post("/breaks/{break_id}/close", status_code=HTTPStatus.NO_CONTENT)
    async def close(break_id: UUID, body: schemas.ReasonIn, caller: Reconciler) -> None:
        """Close a break by name, with its explanation."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await service.close_break(unit, break_id, reason=body.reason)

    return router
