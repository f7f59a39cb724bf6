"""Late charges and relief over HTTP, for the company's people."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from cloud.arrears import late, schemas, service
from cloud.billing import service as billing
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn, require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import MalformedError, NotFoundError
from common.civil import civil_day
from common.ids import AccountId, CommunityId

Biller = Annotated[Caller, Depends(require(Permission.RUN_BILLS))]
Asker = Annotated[Caller, Depends(require(Permission.ASK_RELIEF))]
Granter = Annotated[Caller, Depends(require(Permission.GRANT_RELIEF))]


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of arrears."""
    router = APIRouter(tags=["arrears"])
    _add_late(router, database)
    _add_relief(router, database)
    return router


def _add_late(router: APIRouter, database: Database) -> None:
    @router.get("/communities/{community_id}/late-charges")
    async def preview(community_id: UUID, caller: Biller, through: date | None = None) -> schemas.LatePreviewOut:
        """Answer what overdue lines have come to through a day, and what would be charged now."""
        async with database.view(caller.tenant) as session:
            community = await estate.community(session, CommunityId(community_id))
            today = civil_day(database.clock.now(), community.zone)
            found = await late.preview(session, community.id, _past(through or today, today), database.clock.now())
        return schemas.LatePreviewOut.of(found)

    @router.post("/communities/{community_id}/late-charges", status_code=HTTPStatus.CREATED)
    async def charge(community_id: UUID, body: schemas.LateApprovalIn, caller: Biller) -> list[schemas.IssuedOut]:
        """Charge what was previewed; again it charges nothing."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            community = await estate.community(unit.session, CommunityId(community_id))
            through = _past(body.through, civil_day(unit.now, community.zone))
            issued = await late.charge(unit, community.id, through, preview_sha=bytes.fromhex(body.preview_sha))
        return [schemas.IssuedOut.of(bill) for bill in issued]


def _past(through: date, today: date) -> date:
    if through > today:
        raise MalformedError(f"{through} has not come; late charges are made through today at most")
    return through


def _add_relief(router: APIRouter, database: Database) -> None:
    @router.post("/accounts/{account_id}/reliefs", status_code=HTTPStatus.CREATED)
    async def ask(account_id: UUID, body: schemas.ReliefIn, caller: SignedIn) -> schemas.ReliefOut:
        """Ask to waive or write off parts of open lines; another person decides."""
        caller.require(Permission.ASK_RELIEF)
        async with database.unit(caller.tenant, caller.actor) as unit:
            account = await billing.account(unit.session, AccountId(account_id))
            caller.require(Permission.ASK_RELIEF, account.community_id)
            found = await service.ask(unit, body.value(account_id))
        return schemas.ReliefOut.of(found)

    @router.get("/communities/{community_id}/reliefs")
    async def listed(community_id: UUID, caller: Asker) -> list[schemas.ReliefOut]:
        """List what was asked for in a community, the newest first."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await service.reliefs(session, CommunityId(community_id))
        return [schemas.ReliefOut.of(one) for one in found]

    @router.post("/communities/{community_id}/reliefs/{relief_id}/decision")
    async def decide(
        community_id: UUID, relief_id: UUID, body: schemas.DecisionIn, caller: Granter
    ) -> schemas.ReliefOut:
        """Grant or refuse relief that somebody else asked for."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            found = await service.relief(unit.session, relief_id)
            if found.community_id != community_id:
                raise NotFoundError("there is no such relief")
            found = await service.decide(unit, relief_id, grants=body.grants, note=body.note)
        return schemas.ReliefOut.of(found)
