"""Move-out settlements over HTTP: look at the statement, settle, read it again."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.documents import Rater
from cloud.billing.endpoints import may_see
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.settlement import schemas, service
from common.ids import AccountId


def build_router(database: Database, rate: Rater) -> APIRouter:
    """Return the endpoints of settlements."""
    router = APIRouter(tags=["settlement"])

    @router.post("/accounts/{account_id}/settlement-previews")
    async def preview(account_id: UUID, body: schemas.MoveOutIn, caller: SignedIn) -> schemas.StatementOut:
        """Answer the statement that settling would give now; nothing is written."""
        caller.require(Permission.SETTLE)
        async with database.view(caller.tenant) as session:
            await require_settling(session, caller, account_id)
        found = await service.preview(database, caller.tenant, caller.actor, rate, body.value(account_id))
        return schemas.StatementOut.of(found)

    @router.post("/accounts/{account_id}/settlements", status_code=HTTPStatus.CREATED)
    async def settle(account_id: UUID, body: schemas.SettlementIn, caller: SignedIn) -> schemas.StatementOut:
        """Settle as previewed, in one step; the same again answers the same statement."""
        caller.require(Permission.SETTLE)
        async with database.unit(caller.tenant, caller.actor) as unit:
            await require_settling(unit.session, caller, account_id)
            sha = bytes.fromhex(body.preview_sha)
            found = await service.settle(unit, rate, body.value(account_id), preview_sha=sha)
        return schemas.StatementOut.of(found)

    @router.get("/settlements/{settlement_id}")
    async def one(settlement_id: UUID, caller: SignedIn) -> schemas.StatementOut:
        """Answer the statement of a settlement, to the company's people and to the party itself."""
        async with database.view(caller.tenant) as session:
            account, found = await service.settlement(session, settlement_id)
        may_see(caller, account)
        return schemas.StatementOut.of(found)

    return router


async def require_settling(session: AsyncSession, caller: Caller, account_id: UUID) -> None:
    """Go on only when the caller may settle in the account's community.

    Raises:
        NotFoundError: there is no such account.
        ForbiddenError: he may not.
    """
    account = await billing.account(session, AccountId(account_id))
    caller.require(Permission.SETTLE, account.community_id)
