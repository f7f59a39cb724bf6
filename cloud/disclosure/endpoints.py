"""The sunshine ledger over HTTP: residents read their community's, the company's people book entries."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from cloud.charges.endpoints import own_premises
from cloud.disclosure import service
from cloud.disclosure.values import OWNERS_FUNDS, EntryKind, FundEntry, FundReport
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn, require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import MalformedError, NotFoundError
from common.civil import Period
from common.ids import ChargeItemId, CommunityId

Keeper = Annotated[Caller, Depends(require(Permission.CLOSE_BOOKS))]
Words = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class FundEntryIn(BaseModel):
    """Money that came into or went out of an owners' fund without a bill."""

    model_config = ConfigDict(extra="forbid")
    entry_id: UUID
    charge_item_id: UUID
    kind: EntryKind
    fen: Annotated[int, Field(gt=0, lt=1 << 50)]
    day: date
    words_zh: Words
    words_en: Words
    evidence: Words

    def value(self, community_id: CommunityId) -> FundEntry:
        """Return the entry as a value."""
        return FundEntry(
            entry_id=self.entry_id,
            community_id=community_id,
            charge_item_id=ChargeItemId(self.charge_item_id),
            kind=self.kind,
            fen=self.fen,
            day=self.day,
            words_zh=self.words_zh,
            words_en=self.words_en,
            evidence=self.evidence,
        )


class FundLineOut(BaseModel):
    """What one charge item brought, and what was spent."""

    name_zh: str
    name_en: str
    billed_fen: int
    other_income_fen: int
    spent_fen: int


class FundReportOut(BaseModel):
    """An owners' fund over a period."""

    fund: str
    start: date
    end: date
    before_fen: int
    income_fen: int
    spent_fen: int
    after_fen: int
    lines: list[FundLineOut]

    @classmethod
    def of(cls, one: FundReport) -> FundReportOut:
        """Return what is answered for a report."""
        return cls(
            fund=one.fund.value,
            start=one.period.start,
            end=one.period.end,
            before_fen=one.before_fen,
            income_fen=one.income_fen,
            spent_fen=one.spent_fen,
            after_fen=one.after_fen,
            lines=[
                FundLineOut(
                    name_zh=line.name_zh,
                    name_en=line.name_en,
                    billed_fen=line.billed_fen,
                    other_income_fen=line.other_income_fen,
                    spent_fen=line.spent_fen,
                )
                for line in one.lines
            ],
        )


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of the sunshine ledger."""
    router = APIRouter(tags=["sunshine ledger"])

    @router.get("/sunshine/{community_id}")
    async def read(community_id: UUID, start: date, end: date, caller: SignedIn) -> list[FundReportOut]:
        """Answer the owners' funds of a community over a period, to its residents and to the company's people."""
        if start >= end:
            raise MalformedError("the period ends before it begins; the end is the first day after it")
        async with database.view(caller.tenant) as session:
            if not caller.may(Permission.SEE_PAYMENTS, CommunityId(community_id)):
                caller.require(Permission.SEE_OWN)
                own, _ = await own_premises(session, caller)
                if community_id not in own:
                    raise NotFoundError("there is no such community")
            await estate.community(session, CommunityId(community_id))
            days = Period(start, end)
            found = [await service.report(session, CommunityId(community_id), fund, days) for fund in OWNERS_FUNDS]
        return [FundReportOut.of(one) for one in found]

    @router.post("/communities/{community_id}/fund-entries", status_code=HTTPStatus.CREATED)
    async def book(community_id: UUID, body: FundEntryIn, caller: Keeper) -> FundEntryIn:
        """Book money that came into or went out of an owners' fund, with words and evidence."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, CommunityId(community_id))
            await service.record(unit, body.value(CommunityId(community_id)))
        return body

    return router
