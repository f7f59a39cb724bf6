"""Closed periods and exports of a book over HTTP."""

from __future__ import annotations

import io
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict

from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import MalformedError
from cloud.ledger import exporting, periods
from cloud.ledger.periods import ClosedPeriod
from cloud.ledger.reports import Posting
from common.civil import Period
from common.ids import CommunityId

Reader = Annotated[Caller, Depends(require(Permission.SEE_PAYMENTS))]
Closer = Annotated[Caller, Depends(require(Permission.CLOSE_BOOKS))]


class PeriodIn(BaseModel):
    """The days to close; the end is the first day after them."""

    model_config = ConfigDict(extra="forbid")
    start: date
    end: date


class ClosedPeriodOut(BaseModel):
    """A closed period and the hash over its trial balance."""

    start: date
    end: date
    debit_fen: int
    sha: str
    closed_at: datetime

    @classmethod
    def of(cls, one: ClosedPeriod) -> ClosedPeriodOut:
        """Return what is answered for a closed period."""
        return cls(
            start=one.period.start,
            end=one.period.end,
            debit_fen=one.debit_fen,
            sha=one.sha.hex(),
            closed_at=one.closed_at,
        )


def build_router(database: Database) -> APIRouter:
    """Return the endpoints."""
    router = APIRouter(tags=["ledger"])

    @router.get("/communities/{community_id}/closed-periods")
    async def closed(community_id: UUID, caller: Reader) -> list[ClosedPeriodOut]:
        """List the closed periods of a book, the oldest first."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await periods.closed_periods(session, CommunityId(community_id))
        return [ClosedPeriodOut.of(one) for one in found]

    @router.post("/communities/{community_id}/closed-periods", status_code=HTTPStatus.CREATED)
    async def close(community_id: UUID, body: PeriodIn, caller: Closer) -> ClosedPeriodOut:
        """Close a period: seal its days and keep its trial balance; again it answers what was kept."""
        if body.start >= body.end:
            raise MalformedError("the period ends before it begins; the end is the first day after it")
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, CommunityId(community_id))
            found = await periods.close_period(unit, CommunityId(community_id), Period(body.start, body.end))
        return ClosedPeriodOut.of(found)

    @router.get("/communities/{community_id}/book.{form}")
    async def export(
        community_id: UUID, form: Literal["csv", "beancount"], caller: Reader, through: date | None = None
    ) -> Response:
        """Answer the book as a file, up to a business day inclusive."""
        async with database.view(caller.tenant) as session:
            community = await estate.community(session, CommunityId(community_id))
            postings = await exporting.postings_in(session, community.id, through)
        return book_file(postings, community.name, form)

    return router


def book_file(postings: tuple[Posting, ...], title: str, form: Literal["csv", "beancount"]) -> Response:
    """Return postings as a file to be saved."""
    out = io.StringIO(newline="")
    if form == "csv":
        exporting.write_csv(postings, out)
    else:
        exporting.write_beancount(postings, title, out)
    kind = "text/csv" if form == "csv" else "text/plain"
    headers = {"Content-Disposition": f'attachment; filename="book.{form}"'}
    return Response(out.getvalue(), media_type=f"{kind}; charset=utf-8", headers=headers)
