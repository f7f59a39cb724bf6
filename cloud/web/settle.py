"""Moving out on a page: find the room, say the day and the dials, see the statement, settle, print it.

/settle                                 the parties of a room, and the statements given so far
/settle/{community}/accounts/{id}       the form; with a day, the statement that settling would give
/settle/{community}/{settlement}        a statement that was given
"""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.documents import Account
from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.fleet.values import InstalledMeter
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.errors import MalformedError, NotFoundError
from cloud.settlement import service
from cloud.settlement.values import FinalReading, MoveOut
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from common.civil import Period, civil_day
from common.errors import RefusalError
from common.ids import AccountId, CommunityId, MeterId
from common.money.amount import parse_scaled

Settler = Annotated[Caller, Depends(require(Permission.SETTLE))]
ROOMS_SHOWN = 20
DIAL = "dial-"
MILLI_DIGITS = 3


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of settlements."""
    router = page_router()
    _add_search(router, frame)
    _add_settling(router, frame)
    return router


def _add_search(router: APIRouter, frame: Frame) -> None:
    @router.get("/settle")
    async def search(
        request: Request,
        caller: Settler,
        community: Annotated[str | None, Query(max_length=80)] = None,
        room: Annotated[str, Query(max_length=80)] = "",
    ) -> Response:
        """Show the parties of a room, and the statements given so far."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.SETTLE)
            one = chosen(communities, community)
            today = civil_day(frame.now(), one.zone)
            rooms = []
            if room.strip():
                rooms = await estate.find_premises(
                    session, one.id, label_part=room.strip(), day=today, limit=ROOMS_SHOWN
                )
            accounts = await billing.accounts_of_premises(session, [place.id for place in rooms])
            parties = await estate.parties(session, {account.party_id for account in accounts})
            given = await service.settlements(session, one.id)
        labels = {place.id: place.label for place in rooms}
        return frame.page(
            request,
            "manager/settle.html",
            caller=caller,
            communities=communities,
            community=one,
            room=room,
            found=[(labels[one.premises_id], parties[one.party_id].name, one) for one in accounts],
            given=given,
        )

    @router.get("/settle/{community_id}/{settlement_id}")
    async def one(request: Request, community_id: UUID, settlement_id: UUID, caller: Settler) -> Response:
        """Show a statement that was given."""
        async with frame.database.view(caller.tenant) as session:
            account, statement = await service.settlement(session, settlement_id)
            if account.community_id != community_id:
                raise NotFoundError("there is no such settlement")
            room = (await estate.premises(session, account.premises_id, day=statement.gone_on)).label
        return frame.page(
            request,
            "manager/settlement.html",
            caller=caller,
            room=room,
            statement=statement,
            settlement_id=settlement_id,
        )


def _add_settling(router: APIRouter, frame: Frame) -> None:
    @router.get("/settle/{community_id}/accounts/{account_id}")
    async def form(
        request: Request, community_id: UUID, account_id: UUID, caller: Settler, gone_on: date | None = None
    ) -> Response:
        """Show the form; with a day, the statement that settling would give now."""
        async with frame.database.view(caller.tenant) as session:
            account = await _account(session, community_id, account_id)
            community = await estate.community(session, account.community_id)
            day = gone_on or civil_day(frame.now(), community.zone)
            room = (await estate.premises(session, account.premises_id, day=day)).label
            meters = await _meters(session, account, day)
        settlement_id = _named(request) or frame.database.new_id()
        statement = None
        if gone_on is not None:
            wish = _wish(request, settlement_id, account.account_id, gone_on)
            statement = await service.preview(frame.database, caller.tenant, caller.actor, frame.parts.rate, wish)
        return frame.page(
            request,
            "manager/settle_account.html",
            caller=caller,
            community=community,
            account=account,
            room=room,
            day=day,
            meters=meters,
            dials={meter.meter_id: request.query_params.get(f"{DIAL}{meter.meter_id}", "") for meter in meters},
            inspection=request.query_params.get("inspection", ""),
            settlement_id=settlement_id,
            statement=statement,
        )

    @router.post("/settle/{community_id}/accounts/{account_id}")
    async def settle(
        request: Request,
        community_id: UUID,
        account_id: UUID,
        caller: Settler,
        gone_on: Annotated[date, Form()],
        sha: Annotated[str, Form(pattern="^[0-9a-f]{64}$")],
    ) -> Response:
        """Settle as seen; the address holds what was entered."""
        settlement_id = _named(request)
        if settlement_id is None:
            raise MalformedError("look at the statement first, then settle")
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            account = await _account(unit.session, community_id, account_id)
            wish = _wish(request, settlement_id, account.account_id, gone_on)
            await service.settle(unit, frame.parts.rate, wish, preview_sha=bytes.fromhex(sha))
        return see_other(f"/settle/{community_id}/{settlement_id}", done="settled")


async def _account(session: AsyncSession, community_id: UUID, account_id: UUID) -> Account:
    account = await billing.account(session, AccountId(account_id))
    if account.community_id != community_id:
        raise NotFoundError("there is no such account")
    return account


async def _meters(session: AsyncSession, account: Account, day: date) -> list[InstalledMeter]:
    days = Period(date.fromordinal(day.toordinal() - 1), day)
    placed = await fleet.installed_meters(session, CommunityId(account.community_id), days)
    return [meter for meter in placed if meter.premises_id == account.premises_id]


def _named(request: Request) -> UUID | None:
    try:
        return UUID(request.query_params.get("settlement", ""))
    except ValueError:
        return None


def _wish(request: Request, settlement_id: UUID, account_id: AccountId, gone_on: date) -> MoveOut:
    """Return what the address says: the dials and what the inspection found."""
    readings = []
    for name, text in request.query_params.items():
        if name.startswith(DIAL) and text.strip():
            readings.append(_reading(name.removeprefix(DIAL), text.strip()))
    return MoveOut(
        settlement_id=settlement_id,
        account_id=account_id,
        gone_on=gone_on,
        readings=tuple(readings),
        inspection=request.query_params.get("inspection", ""),
    )


def _reading(meter: str, text: str) -> FinalReading:
    try:
        return FinalReading(meter_id=MeterId(UUID(meter)), value_milli=parse_scaled(text, MILLI_DIGITS, "reading"))
    except (RefusalError, ValueError) as error:
        raise MalformedError(f"{text!r} is no reading; write what the dial shows, such as 1234.5") from error
