"""Correcting a reading: choose premises, meter and day, enter the register, see every affected bill, approve.

The preview is the correction itself, done in a unit of work that is given up at its end: nothing is written before
approval, and approval does all of it in one commit, reading and documents together. It repeats the hash of the
preview, so that what is issued is what was seen; sent twice, the second finds nothing to change and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import corrections
from cloud.billing.corrections import Cause, CorrectionPreview, CorrectionScope
from cloud.estate import service as estate
from cloud.estate.values import Community, Premises
from cloud.fleet import service as fleet
from cloud.fleet.values import InstalledMeter
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.insights import operations
from cloud.kit.db import Unit
from cloud.kit.errors import MalformedError, NotFoundError
from cloud.kit.httpapi import Paging, paging
from cloud.metering import service as metering
from cloud.metering.corrections import Correction, revise_reading
from cloud.metering.registers import BILLED_QUANTITY, RegisterQuestion
from cloud.metering.usage import RegisterRef
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.listing import listing
from cloud.web.manager_words import UNITS
from common.civil import Period, civil_day, midnight
from common.ids import CaseId, CommunityId, MeterId, PremisesId
from common.measure.quantity import parse_quantity
from common.reading.reading import Quality

ONE_DAY = timedelta(days=1)
ROOMS_SHOWN = 20

Corrector = Annotated[Caller, Depends(require(Permission.CORRECT))]
Wanted = Annotated[Paging, Depends(paging)]
CommunityCode = Annotated[str | None, Query(max_length=80)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a register showed at the midnight that begins a day, and why the old value was wrong."""

    community: Community
    meter: InstalledMeter
    day: date
    value_milli: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A correction as its form carries it."""

    community: str
    meter_id: UUID
    day: date
    value: str
    reason: str


def entry(
    community: Annotated[str, Form(max_length=80)],
    meter_id: Annotated[UUID, Form()],
    day: Annotated[date, Form()],
    value: Annotated[str, Form(max_length=24)],
    reason: Annotated[str, Form(min_length=1, max_length=500)],
) -> Entry:
    """Read the form of a correction: a FastAPI dependency."""
    return Entry(community=community, meter_id=meter_id, day=day, value=value.strip(), reason=reason.strip())


Entered = Annotated[Entry, Depends(entry)]


class _GivenUp(Exception):  # noqa: N818 - not an error: it ends a unit of work that must not commit
    pass


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of corrections."""
    router = page_router()
    _add_search(router, frame)
    _add_correction(router, frame)
    _add_drop(router, frame)
    return router


def _add_search(router: APIRouter, frame: Frame) -> None:
    @router.get("/corrections")
    async def start(
        request: Request,
        caller: Corrector,
        wanted: Wanted,
        community: CommunityCode = None,
        room: Annotated[str, Query(max_length=80)] = "",
    ) -> Response:
        """Offer the meters of the premises searched for, and list the corrections so far."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.CORRECT)
            one = chosen(communities, community)
            today = civil_day(frame.now(), one.zone)
            rooms = await _rooms(session, one.id, room.strip(), today)
            meters = await fleet.installed_meters(session, one.id, Period(today, today + ONE_DAY))
            done = await operations.corrections(session, one.id, offset=wanted.offset, limit=wanted.limit + 1)
        return frame.page(
            request,
            "manager/corrections.html",
            caller=caller,
            communities=communities,
            community=one,
            room=room,
            rooms=rooms,
            meters=_by_room(meters),
            shared=[meter for meter in meters if meter.premises_id is None],
            rows=listing(done, wanted),
        )

    @router.get("/corrections/reading")
    async def form(
        request: Request,
        caller: Corrector,
        meter_id: UUID,
        community: Annotated[str, Query(max_length=80)],
        day: date | None = None,
    ) -> Response:
        """Show what a register is said to be on a day, and take what it really was."""
        async with frame.database.view(caller.tenant) as session:
            one = chosen(await communities_of(session, caller, Permission.CORRECT), community)
            on = day or civil_day(frame.now(), one.zone).replace(day=1)
            meter = await _meter(session, one.id, MeterId(meter_id), on)
            values = await _meter_values(frame, session, one, meter, on)
        return frame.page(request, "manager/correction_reading.html", caller=caller, entered=None, **values)


def _add_correction(router: APIRouter, frame: Frame) -> None:
    @router.post("/corrections/preview")
    async def preview(request: Request, caller: Corrector, entered: Entered) -> Response:
        """Show every document that the correction would issue; nothing is written."""
        wish = await _wish(frame, caller, entered)
        found = await _tried(frame, caller, wish)
        async with frame.database.view(caller.tenant) as session:
            values = await _meter_values(frame, session, wish.community, wish.meter, wish.day)
            rooms = await estate.premises_in(session, wish.community.id, day=wish.day)
        return frame.page(
            request,
            "manager/correction_preview.html",
            caller=caller,
            entered=entered,
            wish=wish,
            found=found,
            rooms={room.id: room.label for room in rooms},
            **values,
        )

    @router.post("/corrections/approval")
    async def approve(
        caller: Corrector,
        entered: Entered,
        preview_sha: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
    ) -> Response:
        """Write the reading and issue the documents as previewed."""
        wish = await _wish(frame, caller, entered)
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            case_id = await _opened(unit, wish)
            issued = await corrections.apply(unit, frame.parts.rate, case_id, preview_sha=bytes.fromhex(preview_sha))
        done = "correction-applied" if issued else "correction-empty"
        return see_other("/corrections", done=done, community=wish.community.code)


def _add_drop(router: APIRouter, frame: Frame) -> None:
    @router.post("/corrections/{community_id}/{case_id}/drop")
    async def drop(community_id: UUID, case_id: UUID, caller: Corrector) -> Response:
        """Drop a correction that was opened elsewhere and is not wanted."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await corrections.require_in(unit.session, CaseId(case_id), CommunityId(community_id))
            await corrections.drop(unit, CaseId(case_id))
            one = await estate.community(unit.session, CommunityId(community_id))
        return see_other("/corrections", done="correction-dropped", community=one.code)


async def _rooms(session: AsyncSession, community_id: CommunityId, wanted: str, today: date) -> list[Premises]:
    if not wanted:
        return []
    return await estate.find_premises(session, community_id, label_part=wanted, day=today, limit=ROOMS_SHOWN)


async def _wish(frame: Frame, caller: Caller, entered: Entry) -> Wish:
    async with frame.database.view(caller.tenant) as session:
        one = chosen(await communities_of(session, caller, Permission.CORRECT), entered.community)
        meter = await _meter(session, one.id, MeterId(entered.meter_id), entered.day)
    if entered.day > civil_day(frame.now(), one.zone):
        raise MalformedError("the day lies ahead; nobody can have read the register then")
    return Wish(
        community=one,
        meter=meter,
        day=entered.day,
        value_milli=parse_quantity(entered.value, UNITS[meter.resource]).milli,
        reason=entered.reason,
    )


async def _tried(frame: Frame, caller: Caller, wish: Wish) -> CorrectionPreview:
    """Return what the correction would issue; it is done in a unit of work that is given up."""
    found: list[CorrectionPreview] = []
    with suppress(_GivenUp):
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            case_id = await _opened(unit, wish)
            found.append(await corrections.preview(unit.session, frame.parts.rate, case_id, unit.now))
            raise _GivenUp
    return found[0]


async def _opened(unit: Unit, wish: Wish) -> CaseId:
    standing = await _register(unit.session, wish.community, wish.meter, wish.day, unit.now)
    read_at = midnight(wish.day, wish.community.zone) if standing is None else standing.read_at
    await revise_reading(
        unit,
        Correction(
            community_id=wish.community.id,
            meter_id=wish.meter.meter_id,
            quantity=BILLED_QUANTITY[wish.meter.resource],
            read_at=read_at.astimezone(UTC),
            value_milli=wish.value_milli,
            quality=Quality.MANUAL,
            reason=wish.reason,
        ),
    )
    scope = CorrectionScope(
        community_id=wish.community.id,
        premises=await _touched(unit.session, wish),
        first_day=wish.day - ONE_DAY,  # the register of a midnight also ends the day before it
    )
    return await corrections.open_correction(unit, scope, cause=Cause.READING, reason=wish.reason)


async def _touched(session: AsyncSession, wish: Wish) -> frozenset[PremisesId]:
    """Return whose bills a meter bears on: its premises, or everybody's when it counts for the public area."""
    if wish.meter.premises_id is not None:
        return frozenset({wish.meter.premises_id})
    everybody = await estate.premises_in(session, wish.community.id, day=wish.day)
    return frozenset(premises.id for premises in everybody)


async def _meter(session: AsyncSession, community_id: CommunityId, meter_id: MeterId, day: date) -> InstalledMeter:
    """Return a meter in its place on a day, or on the day before when it was removed just then."""
    placed = await fleet.installed_meters(session, community_id, Period(day - ONE_DAY, day + ONE_DAY))
    own = [meter for meter in placed if meter.meter_id == meter_id]
    if not own:
        raise NotFoundError(f"there is no such meter in this community on {day}")
    return own[-1]


async def _register(
    session: AsyncSession, community: Community, meter: InstalledMeter, day: date, known_at: datetime
) -> RegisterRef | None:
    question = RegisterQuestion(
        community_id=community.id,
        meters=frozenset({meter.meter_id}),
        quantities=frozenset({BILLED_QUANTITY[meter.resource]}),
        days=frozenset({day}),
        zone=community.zone,
        known_at=known_at,
    )
    book = await metering.register_book(session, question)
    return book.at(meter.meter_id, BILLED_QUANTITY[meter.resource], day)


async def _meter_values(
    frame: Frame, session: AsyncSession, community: Community, meter: InstalledMeter, day: date
) -> dict[str, Any]:
    room = None if meter.premises_id is None else (await estate.premises(session, meter.premises_id, day=day)).label
    return {
        "community": community,
        "meter": meter,
        "unit": UNITS[meter.resource],
        "room": room,
        "day": day,
        "standing": await _register(session, community, meter, day, frame.now()),
        "zone": community.zone,
    }


def _by_room(meters: list[InstalledMeter]) -> Mapping[PremisesId, list[InstalledMeter]]:
    found: dict[PremisesId, list[InstalledMeter]] = {}
    for meter in meters:
        if meter.premises_id is not None:
            found.setdefault(meter.premises_id, []).append(meter)
    return found
