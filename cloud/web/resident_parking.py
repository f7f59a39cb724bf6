"""The page of a resident's parking: each night his vehicles stood in a lot, drawn over the hours, and what it cost.

    /my/parking          the statements of the last weeks, newest first

Whose premises they are decides; a statement never shows a plate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn
from cloud.identity.policy import Permission
from cloud.parking.night import SHOWN_NIGHTS, NightStatement, statements
from cloud.web.frame import Frame, page_router
from common.civil import civil_day

TICKS = 6
_WIDTH = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A time on the axis under a drawn stay, at its place from the left."""

    x: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A statement with its stay drawn: where the dark hours begin and end on the axis, and some times on it."""

    statement: NightStatement
    community: str
    hours: int
    minutes: int
    ticks: tuple[Tick, ...]
    night_from: int
    night_width: int


def build_pages(frame: Frame) -> APIRouter:
    """Return the page of a resident's parking."""
    router = page_router()

    @router.get("/my/parking")
    async def parking(request: Request, caller: SignedIn) -> Response:
        """Show the nights of the caller's own vehicles."""
        caller.require(Permission.SEE_OWN)
        async with frame.database.view(caller.tenant) as session:
            nights = await _nights(session, frame, caller)
        return frame.page(request, "resident/parking.html", caller=caller, nights=nights, width=_WIDTH)

    return router


async def _nights(session: AsyncSession, frame: Frame, caller: Caller) -> Sequence[Drawn]:
    if caller.party_id is None:
        return ()
    accounts = await billing.accounts_of_parties(session, [caller.party_id])
    drawn: list[Drawn] = []
    for community_id in sorted({account.community_id for account in accounts}):
        community = await estate.community(session, community_id)
        premises = [account.premises_id for account in accounts if account.community_id == community_id]
        since = civil_day(frame.database.clock.now(), community.zone) - timedelta(days=SHOWN_NIGHTS)
        found = await statements(session, community_id, since, premises)
        drawn += [draw(statement, community) for statement in found]
    return sorted(drawn, key=lambda one: one.statement.night, reverse=True)


def draw(statement: NightStatement, community: Community) -> Drawn:
    """Return a statement with its stay laid over the width of the graphic; the night lies between 22:00 and 06:00."""
    start, end = statement.entered.astimezone(community.zone), statement.until.astimezone(community.zone)
    span = max(end - start, timedelta(minutes=1))

    def place(instant: datetime) -> int:
        return round(_WIDTH * min(max((instant - start) / span, 0), 1))

    dusk = datetime.combine(statement.night - timedelta(days=1), datetime.min.time(), community.zone) + timedelta(
        hours=22
    )
    dawn = dusk + timedelta(hours=8)
    ticks = [start + span * n / TICKS for n in range(TICKS + 1)]
    return Drawn(
        statement=statement,
        community=community.name,
        hours=statement.minutes // 60,
        minutes=statement.minutes % 60,
        ticks=tuple(Tick(x=place(tick), text=f"{tick:%H:%M}") for tick in ticks),
        night_from=place(dusk),
        night_width=place(dawn) - place(dusk),
    )
