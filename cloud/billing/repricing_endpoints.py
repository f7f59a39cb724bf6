"""Changes of prices for the past over HTTP: open, look at the sums, approve, and see how far the worker is."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from cloud.billing import repricing
from cloud.billing.documents import PastRater
from cloud.billing.repriced_sums import PricePreview
from cloud.billing.repricing import ITEMS_MAX, PriceCorrection, PriceScope
from cloud.billing.schemas import Reason, Sha
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from common.ids import ChargeItemId, CommunityId

Corrector = Annotated[Caller, Depends(require(Permission.CORRECT))]
_PATH = "/communities/{community_id}/price-corrections"


class PriceCorrectionIn(BaseModel):
    """Which charge items are rated again since a day, and the decision behind it."""

    model_config = ConfigDict(extra="forbid")
    charge_items: Annotated[list[UUID], Field(min_length=1, max_length=ITEMS_MAX)]
    first_day: date
    reason: Reason


class ApprovalIn(BaseModel):
    """The hash of the preview that was seen."""

    model_config = ConfigDict(extra="forbid")
    preview_sha: Sha


class PriceCorrectionOut(BaseModel):
    """A change of prices and how far it is booked; amounts in fen."""

    price_correction_id: UUID
    charge_items: list[UUID]
    first_day: date
    reason: str
    state: str
    opened_at: datetime
    premises: int
    premises_done: int
    documents: int
    net_fen: int

    @classmethod
    def of(cls, found: PriceCorrection) -> PriceCorrectionOut:
        """Return what is answered for a change of prices."""
        return cls(
            price_correction_id=found.price_correction_id,
            charge_items=sorted(found.scope.charge_items),
            first_day=found.scope.first_day,
            reason=found.reason,
            state=found.state,
            opened_at=found.opened_at,
            premises=found.premises,
            premises_done=found.premises_done,
            documents=found.documents,
            net_fen=found.net_fen,
        )


class PeriodSumsOut(BaseModel):
    """What is added and taken back in one period, in fen."""

    start: date
    end: date
    charged_fen: int
    credited_fen: int


class PricePreviewOut(BaseModel):
    """What a change of prices comes to; approval repeats `sha`."""

    documents: int
    lines: int
    net_fen: int
    periods: list[PeriodSumsOut]
    premises: int
    by_value: int
    exceptions: int
    sha: str

    @classmethod
    def of(cls, found: PricePreview) -> PricePreviewOut:
        """Return what is answered for a preview."""
        return cls(
            documents=found.documents,
            lines=found.lines,
            net_fen=found.net_fen,
            periods=[
                PeriodSumsOut(
                    start=one.period.start,
                    end=one.period.end,
                    charged_fen=one.charged_fen,
                    credited_fen=one.credited_fen,
                )
                for one in found.periods
            ],
            premises=found.premises,
            by_value=found.by_value,
            exceptions=found.exceptions,
            sha=found.sha.hex(),
        )


def build_router(database: Database, rate: PastRater) -> APIRouter:
    """Return the endpoints."""
    router = APIRouter(tags=["billing"])
    _add_questions(router, database, rate)
    _add_deeds(router, database, rate)
    return router


def _add_questions(router: APIRouter, database: Database, rate: PastRater) -> None:
    @router.get(_PATH)
    async def listed(community_id: UUID, caller: Corrector) -> list[PriceCorrectionOut]:
        """List the changes of prices of a community with their progress, the newest first."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await repricing.listed(session, CommunityId(community_id))
        return [PriceCorrectionOut.of(one) for one in found]

    @router.get(f"{_PATH}/{{price_correction_id}}")
    async def look(community_id: UUID, price_correction_id: UUID, caller: Corrector) -> PriceCorrectionOut:
        """Answer how far a change of prices is booked."""
        async with database.view(caller.tenant) as session:
            found = await repricing.look(session, CommunityId(community_id), price_correction_id)
        return PriceCorrectionOut.of(found)

    @router.get(f"{_PATH}/{{price_correction_id}}/preview")
    async def preview(community_id: UUID, price_correction_id: UUID, caller: Corrector) -> PricePreviewOut:
        """Answer what a change of prices comes to, by period; nothing is written."""
        now = database.clock.now()
        async with database.view(caller.tenant) as session:
            found = await repricing.preview(session, rate, CommunityId(community_id), price_correction_id, now)
        return PricePreviewOut.of(found)


def _add_deeds(router: APIRouter, database: Database, rate: PastRater) -> None:
    @router.post(_PATH, status_code=HTTPStatus.CREATED)
    async def start(community_id: UUID, body: PriceCorrectionIn, caller: Corrector) -> PriceCorrectionOut:
        """Open a change of prices for the past."""
        scope = PriceScope(
            community_id=CommunityId(community_id),
            charge_items=frozenset(ChargeItemId(item) for item in body.charge_items),
            first_day=body.first_day,
        )
        async with database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, scope.community_id)
            opened = await repricing.open_price_correction(unit, scope, reason=body.reason)
            found = await repricing.look(unit.session, scope.community_id, opened)
        return PriceCorrectionOut.of(found)

    @router.post(f"{_PATH}/{{price_correction_id}}/approval", status_code=HTTPStatus.ACCEPTED)
    async def approve(
        community_id: UUID, price_correction_id: UUID, body: ApprovalIn, caller: Corrector
    ) -> PriceCorrectionOut:
        """Approve a change of prices as previewed; the worker books it, and the progress is told."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            sha = bytes.fromhex(body.preview_sha)
            await repricing.approve(unit, rate, CommunityId(community_id), price_correction_id, preview_sha=sha)
            found = await repricing.look(unit.session, CommunityId(community_id), price_correction_id)
        return PriceCorrectionOut.of(found)

    @router.delete(f"{_PATH}/{{price_correction_id}}", status_code=HTTPStatus.NO_CONTENT)
    async def drop(community_id: UUID, price_correction_id: UUID, caller: Corrector) -> None:
        """Drop a change of prices that is not wanted."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await repricing.drop(unit, CommunityId(community_id), price_correction_id)
