"""Cases over HTTP: the work list, one case with its history, and what may be done with it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases import schemas
from cloud.cases import service as cases
from cloud.cases.case import Case
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import NotFoundError
from cloud.kit.httpapi import Page, Paging, page_of, paging
from common.ids import CaseId

Viewer = Annotated[Caller, Depends(require(Permission.SEE_CASES))]
Worker = Annotated[Caller, Depends(require(Permission.WORK_CASES))]
Wanted = Annotated[Paging, Depends(paging)]


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of cases."""
    router = APIRouter(tags=["cases"])
    _add_reads(router, database)
    _add_writes(router, database)
    return router


def _add_reads(router: APIRouter, database: Database) -> None:
    @router.get("/cases")
    async def open_cases(caller: Viewer, wanted: Wanted) -> Page[schemas.CaseOut]:
        """List the open cases that the caller may see, oldest first."""
        scope = caller.scope(Permission.SEE_CASES)
        async with database.view(caller.tenant) as session:
            found = await cases.open_cases(
                session,
                None if scope.everywhere else scope.communities,
                offset=wanted.offset,
                limit=wanted.limit + 1,
            )
        now = database.clock.now()
        return page_of([schemas.CaseOut.of(one, now) for one in found], wanted)

    @router.get("/cases/{case_id}")
    async def one(case_id: UUID, caller: Viewer) -> schemas.CaseOut:
        """Answer one case."""
        async with database.view(caller.tenant) as session:
            found = await allowed_case(session, caller, case_id, Permission.SEE_CASES)
        return schemas.CaseOut.of(found, database.clock.now())

    @router.get("/cases/{case_id}/events")
    async def events(case_id: UUID, caller: Viewer) -> list[schemas.CaseEventOut]:
        """Answer what happened to a case, oldest first."""
        async with database.view(caller.tenant) as session:
            await allowed_case(session, caller, case_id, Permission.SEE_CASES)
            found = await cases.case_history(session, CaseId(case_id))
        return [schemas.CaseEventOut.of(event) for event in found]


def _add_writes(router: APIRouter, database: Database) -> None:
    @router.post("/cases/{case_id}/notes", status_code=HTTPStatus.NO_CONTENT)
    async def note(case_id: UUID, body: schemas.NoteIn, caller: Worker) -> None:
        """Add a remark."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await allowed_case(unit.session, caller, case_id, Permission.WORK_CASES)
            await cases.note_on_case(unit, CaseId(case_id), note=body.note)

    @router.post("/cases/{case_id}/assignment", status_code=HTTPStatus.NO_CONTENT)
    async def assign(case_id: UUID, body: schemas.AssignmentIn, caller: Worker) -> None:
        """Give a case to a role or a person."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await allowed_case(unit.session, caller, case_id, Permission.WORK_CASES)
            await cases.assign_case(unit, CaseId(case_id), owner_role=body.owner_role, owner_id=body.owner_id)

    @router.post("/cases/{case_id}/closing", status_code=HTTPStatus.NO_CONTENT)
    async def close(case_id: UUID, body: schemas.ClosingIn, caller: Worker) -> None:
        """Close a case for a reason."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await allowed_case(unit.session, caller, case_id, Permission.WORK_CASES)
            await cases.close_case(unit, CaseId(case_id), reason=body.reason)


async def allowed_case(session: AsyncSession, caller: Caller, case_id: UUID, permission: Permission) -> Case:
    """Return a case that the caller may reach; one of another community looks like none at all."""
    found = await cases.case(session, CaseId(case_id))
    scope = caller.scope(permission)
    if not scope.everywhere and (found.community_id is None or found.community_id not in scope):
        raise NotFoundError("there is no such case")
    return found
