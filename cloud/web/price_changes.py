"""A change of prices for the past: choose charge items and since when, see what it comes to, approve, watch it booked.

Nothing is written before approval but the wish itself. Approval repeats the hash of the preview; the worker then books
one adjustment for each account, chunk by chunk, and goes on from where it was if it is stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import repricing, service
from cloud.billing.repriced_sums import AccountSum
from cloud.billing.repricing import ITEMS_MAX, PriceScope
from cloud.billing.tasks import price_correction_key
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit import stopped_jobs
from cloud.kit.errors import MalformedError
from cloud.tariffs import service as tariffs
from cloud.tariffs.book import PriceBook
from cloud.tariffs.charge import ChargeItem
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.runs import STOP_POLLING
from common.ids import ChargeItemId, CommunityId
from common.tariff.revision import KnownRevision

Corrector = Annotated[Caller, Depends(require(Permission.CORRECT))]
_PATH = "/price-changes/{community_id}/{price_correction_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedItem:
    """A charge item with the revisions that price it, the newest knowledge first."""

    item: ChargeItem
    revisions: Sequence[KnownRevision]


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestRow:
    """A document that moves much: whose, and by how much in fen."""

    room: str
    fen: int


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of changes of past prices."""
    router = page_router()
    _add_start(router, frame)
    _add_one(router, frame)
    _add_deeds(router, frame)
    return router


def _add_start(router: APIRouter, frame: Frame) -> None:
    @router.get("/price-changes")
    async def start(
        request: Request, caller: Corrector, community: Annotated[str | None, Query(max_length=80)] = None
    ) -> Response:
        """Offer the charge items and the billed periods of a community, and list its changes of prices so far."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.CORRECT)
            one = chosen(communities, community)
            book = await tariffs.price_book(session, one.id, frame.now())
            periods = [found for found in await service.periods(session, one.id) if found.issued or found.waived]
            done = await repricing.listed(session, one.id)
        return frame.page(
            request,
            "manager/price_changes.html",
            caller=caller,
            communities=communities,
            community=one,
            items=_priced(book),
            periods=[found.period for found in reversed(periods)],
            names=_names(book.items.values()),
            rows=done,
        )

    @router.post("/price-changes/{community_id}")
    async def make(
        community_id: UUID,
        caller: Corrector,
        first_day: Annotated[date, Form()],
        reason: Annotated[str, Form(min_length=1, max_length=500)],
        items: Annotated[list[UUID] | None, Form(max_length=ITEMS_MAX)] = None,
    ) -> Response:
        """Open a change of prices; its page shows what it comes to."""
        if not items:
            raise MalformedError("choose at least one charge item")
        scope = PriceScope(
            community_id=CommunityId(community_id),
            charge_items=frozenset(ChargeItemId(item) for item in items),
            first_day=first_day,
        )
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await estate.community(unit.session, scope.community_id)
            opened = await repricing.open_price_correction(unit, scope, reason=reason.strip())
        return see_other(f"/price-changes/{community_id}/{opened}", done="price-change-opened")


def _add_one(router: APIRouter, frame: Frame) -> None:
    @router.get(_PATH)
    async def look(request: Request, community_id: UUID, price_correction_id: UUID, caller: Corrector) -> Response:
        """Show what a change of prices would come to now, or how far it is booked."""
        async with frame.database.view(caller.tenant) as session:
            one = await estate.community(session, CommunityId(community_id))
            change = await repricing.look(session, one.id, price_correction_id)
            items = await tariffs.charge_items(session, one.id)
            stopped = await stopped_jobs.why_stopped(session, price_correction_key(price_correction_id))
            found, largest = None, []
            if change.state == "open":
                found = await repricing.preview(session, frame.parts.rate, one.id, price_correction_id, frame.now())
                largest = await _largest(session, found.largest, change.scope.first_day)
        return frame.page(
            request,
            "manager/price_change.html",
            caller=caller,
            community=one,
            change=change,
            stopped=stopped,
            names=_names(items),
            found=found,
            largest=largest,
        )

    @router.get(f"{_PATH}/progress")
    async def progress(request: Request, community_id: UUID, price_correction_id: UUID, caller: Corrector) -> Response:
        """Show how far a change of prices is booked, as a part of its page; the status tells htmx when to stop."""
        async with frame.database.view(caller.tenant) as session:
            change = await repricing.look(session, CommunityId(community_id), price_correction_id)
            stopped = await stopped_jobs.why_stopped(session, price_correction_key(price_correction_id))
        response = frame.page(
            request, "manager/price_change_progress.html", caller=caller, change=change, stopped=stopped
        )
        response.status_code = HTTPStatus.OK if change.state == "approved" and stopped is None else STOP_POLLING
        return response


def _add_deeds(router: APIRouter, frame: Frame) -> None:
    @router.post(f"{_PATH}/approve")
    async def approve(
        community_id: UUID,
        price_correction_id: UUID,
        caller: Corrector,
        preview_sha: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
    ) -> Response:
        """Approve a change of prices as previewed; the worker books it."""
        sha = bytes.fromhex(preview_sha)
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            rate = frame.parts.rate
            await repricing.approve(unit, rate, CommunityId(community_id), price_correction_id, preview_sha=sha)
        return see_other(f"/price-changes/{community_id}/{price_correction_id}", done="price-change-approved")

    @router.post(f"{_PATH}/drop")
    async def drop(community_id: UUID, price_correction_id: UUID, caller: Corrector) -> Response:
        """Drop a change of prices that is not wanted."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await repricing.drop(unit, CommunityId(community_id), price_correction_id)
        return see_other(f"/price-changes/{community_id}/{price_correction_id}", done="price-change-dropped")


def _names(items: Iterable[ChargeItem]) -> dict[ChargeItemId, tuple[str, str]]:
    return {item.charge_item_id: (item.name_zh, item.name_en) for item in items}


def _priced(book: PriceBook) -> list[PricedItem]:
    """Return the charge items by code, each with its revisions, what was recorded last in front."""
    rows = []
    for item in sorted(book.items.values(), key=lambda item: item.code):
        tariff_ids = book.assignments.tariffs_of([item.charge_item_id])
        known = [one for tariff_id in tariff_ids for one in book.revisions.get(tariff_id, ())]
        known.sort(key=lambda one: (one.recorded_at, one.ref.effective_from, one.ref.rev), reverse=True)
        rows.append(PricedItem(item=item, revisions=known))
    return rows


async def _largest(session: AsyncSession, sums: Sequence[AccountSum], day: date) -> list[LargestRow]:
    rows = []
    for one in sums:
        account = await service.account(session, one.account_id)
        place = await estate.premises(session, account.premises_id, day=day)
        rows.append(LargestRow(room=place.label, fen=one.fen))
    return rows
