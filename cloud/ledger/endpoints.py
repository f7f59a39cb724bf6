"""The book over HTTP, read only: trial balance, statement of a billing account, audit and proof."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.ledger import auditing, closing, reports, schemas
from common.ids import CommunityId

Reader = Annotated[Caller, Depends(require(Permission.SEE_PAYMENTS))]


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of the book."""
    router = APIRouter(tags=["ledger"])

    @router.get("/communities/{community_id}/trial-balance")
    async def trial_balance(community_id: UUID, caller: Reader, through: date | None = None) -> schemas.TrialBalanceOut:
        """Answer the trial balance of a community, up to a business date inclusive."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await reports.trial_balance(session, CommunityId(community_id), through)
        return schemas.TrialBalanceOut.of(found)

    @router.get("/communities/{community_id}/ledger-audit")
    async def audit(community_id: UUID, caller: Reader) -> schemas.AuditOut:
        """Walk the whole book of a community again and answer what cannot be right."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await auditing.audit(session, CommunityId(community_id))
        return schemas.AuditOut.of(found)

    @router.get("/communities/{community_id}/journals/{journal_id}/proof")
    async def proof(community_id: UUID, journal_id: UUID, caller: Reader) -> schemas.ProofOut:
        """Answer the proof that a journal is in the seal of its day."""
        async with database.view(caller.tenant) as session:
            found = await closing.proof(session, CommunityId(community_id), journal_id)
        return schemas.ProofOut.of(found)

    return router
