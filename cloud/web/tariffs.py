"""Prices of a community: each charge item, each tariff with what holds today, and the whole history of revisions.

Both times are shown: from which day a revision holds, and since when it is known. The document stands as recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

import yaml
from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate.values import Community
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.errors import NotFoundError
from cloud.tariffs import service as tariffs
from cloud.tariffs.book import PriceBook
from cloud.web.frame import Frame, chosen, communities_of, page_router
from cloud.web.listing import csv_file
from cloud.web.rendering import instant
from common.civil import civil_day
from common.ids import TariffId
from common.tariff.revision import KnownRevision, NoRevisionError, RevisionRef

Viewer = Annotated[Caller, Depends(require(Permission.CHANGE_TARIFFS))]
CommunityCode = Annotated[str | None, Query(max_length=80)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffRow:
    """A tariff, the revision that holds today if any does, and all revisions, the newest knowledge first."""

    code: str
    today: RevisionRef | None
    revisions: tuple[KnownRevision, ...]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of prices."""
    router = page_router()

    @router.get("/tariffs")
    async def prices(request: Request, caller: Viewer, community: CommunityCode = None) -> Response:
        """Show the charge items and tariffs of a community."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.CHANGE_TARIFFS)
            one = chosen(communities, community)
            book = await tariffs.price_book(session, one.id, frame.now())
        rows = _rows(book, civil_day(frame.now(), one.zone))
        items = sorted(book.items.values(), key=lambda item: item.code)
        return frame.page(
            request,
            "manager/tariffs.html",
            caller=caller,
            communities=communities,
            community=one,
            items=items,
            rows=rows,
        )

    @router.get("/tariffs/revisions.csv")
    async def file(caller: Viewer, community: CommunityCode = None) -> Response:
        """Answer every revision of every tariff as a file."""
        async with frame.database.view(caller.tenant) as session:
            one = chosen(await communities_of(session, caller, Permission.CHANGE_TARIFFS), community)
            book = await tariffs.price_book(session, one.id, frame.now())
        return csv_file(
            "tariff-revisions.csv",
            ("价格 tariff", "生效 from", "版本 rev", "记录于 known since", "摘要 digest"),
            (
                (row.code, known.ref.effective_from.isoformat(), known.ref.rev, _known(known, one), known.ref.body_sha)
                for row in _rows(book, civil_day(frame.now(), one.zone))
                for known in row.revisions
            ),
        )

    @router.get("/tariffs/history")
    async def history(
        request: Request,
        caller: Viewer,
        community: Annotated[str, Query(max_length=80)],
        code: Annotated[str, Query(max_length=80)],
    ) -> Response:
        """Show every revision of one tariff with its document."""
        async with frame.database.view(caller.tenant) as session:
            one = chosen(await communities_of(session, caller, Permission.CHANGE_TARIFFS), community)
            row, documents = await _history(session, one, code, frame)
        return frame.page(request, "manager/tariff.html", caller=caller, community=one, row=row, documents=documents)

    return router


async def _history(
    session: AsyncSession, community: Community, code: str, frame: Frame
) -> tuple[TariffRow, dict[str, str]]:
    book = await tariffs.price_book(session, community.id, frame.now())
    rows = _rows(book, civil_day(frame.now(), community.zone))
    row = next((row for row in rows if row.code == code), None)
    if row is None:
        raise NotFoundError("there is no such tariff")
    shas = sorted({known.ref.body_sha for known in row.revisions if known.ref.body_sha})
    bodies = await tariffs.revision_bodies(session, community.id, shas)
    return row, {
        sha: yaml.safe_dump(dict(body), allow_unicode=True, sort_keys=False, width=100) for sha, body in bodies.items()
    }


def _rows(book: PriceBook, today: date) -> tuple[TariffRow, ...]:
    rows = [
        TariffRow(
            code=revisions[0].ref.tariff_code,
            today=_holding(book, tariff_id, today),
            revisions=tuple(sorted(revisions, key=_newest, reverse=True)),
        )
        for tariff_id, revisions in book.revisions.items()
    ]
    return tuple(sorted(rows, key=lambda row: row.code))


def _newest(known: KnownRevision) -> tuple[datetime, date, int]:
    return known.recorded_at, known.ref.effective_from, known.ref.rev


def _holding(book: PriceBook, tariff_id: TariffId, today: date) -> RevisionRef | None:
    try:
        return book.revision_on(tariff_id, today)
    except NoRevisionError:
        return None


def _known(known: KnownRevision, community: Community) -> str:
    return instant(known.recorded_at, community.zone)
