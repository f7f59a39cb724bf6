"""Work in the background that has stopped: what it was, what it met, and a button that lets it be tried again.

/stopped-jobs                  what waits for a person, the longest first
/stopped-jobs/<id>/again       let one be tried again (form)

Only for who manages the whole company: a job names no community.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from cloud.identity.caller import Caller
from cloud.identity.callers import require_everywhere
from cloud.identity.policy import Permission
from cloud.kit import stopped_jobs
from cloud.kit.httpapi import Paging, paging
from cloud.web.frame import Frame, page_router, see_other
from cloud.web.job_words import JOB_KINDS
from cloud.web.listing import listing
from cloud.web.manager_words import worded

Keeper = Annotated[Caller, Depends(require_everywhere(Permission.MANAGE_USERS))]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of stopped work."""
    router = page_router()

    @router.get("/stopped-jobs")
    async def shown(request: Request, caller: Keeper, wanted: Annotated[Paging, Depends(paging)]) -> Response:
        """Show what has stopped."""
        async with frame.database.view(caller.tenant) as session:
            found = await stopped_jobs.stopped(session, offset=wanted.offset, limit=wanted.limit + 1)
        rows = listing(found, wanted)
        return frame.page(request, "manager/stopped_jobs.html", caller=caller, rows=rows, work=worded(JOB_KINDS))

    @router.post("/stopped-jobs/{job_id}/again")
    async def again(job_id: UUID, caller: Keeper) -> Response:
        """Let one be tried again."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await stopped_jobs.try_again(unit, job_id)
        return see_other("/stopped-jobs", done="job-again")

    return router
