"""The audit log: who did what to which thing, over the whole company, with a filter and as a file.

Only for who manages users everywhere: an audit row names no community, so a part of it cannot be shown.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from cloud.identity.caller import Caller
from cloud.identity.callers import require_everywhere
from cloud.identity.policy import Permission
from cloud.insights import operations
from cloud.insights.operations import AuditQuestion
from cloud.kit.httpapi import Paging, paging
from cloud.web.audit_words import DEEDS, THINGS
from cloud.web.frame import Frame, page_router
from cloud.web.listing import CSV_ROWS_MAX, csv_file, listing
from cloud.web.rendering import ZONE, instant
from common.civil import midnight

ONE_DAY = timedelta(days=1)


def question(
    actor: Annotated[str, Query(max_length=80)] = "",
    action: Annotated[str, Query(max_length=80)] = "",
    thing: Annotated[str, Query(max_length=80)] = "",
    since: Annotated[date | None, Query()] = None,
    through: Annotated[date | None, Query()] = None,
) -> AuditQuestion:
    """Read the filter of the log: a FastAPI dependency."""
    return AuditQuestion(
        actor=actor.strip() or None,
        action=action.strip() or None,
        object_kind=thing.strip() or None,
        since=None if since is None else midnight(since, ZONE),
        until=None if through is None else midnight(through + ONE_DAY, ZONE),
    )


Auditor = Annotated[Caller, Depends(require_everywhere(Permission.MANAGE_USERS))]
Asked = Annotated[AuditQuestion, Depends(question)]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of the audit log."""
    router = page_router()

    @router.get("/audit")
    async def log(
        request: Request, caller: Auditor, asked: Asked, wanted: Annotated[Paging, Depends(paging)]
    ) -> Response:
        """Show deeds, the newest first."""
        async with frame.database.view(caller.tenant) as session:
            found = await operations.audit_log(session, asked, offset=wanted.offset, limit=wanted.limit + 1)
        return frame.page(
            request,
            "manager/audit.html",
            caller=caller,
            rows=listing(found, wanted),
            asked=asked,
            deeds=DEEDS,
            things=THINGS,
            since=request.query_params.get("since", ""),
            through=request.query_params.get("through", ""),
        )

    @router.get("/audit/log.csv")
    async def file(caller: Auditor, asked: Asked) -> Response:
        """Answer the newest deeds as a file."""
        async with frame.database.view(caller.tenant) as session:
            found = await operations.audit_log(session, asked, offset=0, limit=CSV_ROWS_MAX)
        return csv_file(
            "audit.csv",
            (
                "时间 at",
                "类别 kind",
                "操作人 actor",
                "动作 action",
                "对象 thing",
                "编号 id",
                "之前 before",
                "之后 after",
            ),
            (
                (
                    instant(one.at),
                    one.actor_kind,
                    one.actor_name,
                    one.action,
                    one.object_kind,
                    str(one.object_id),
                    one.before,
                    one.after,
                )
                for one in found
            ),
        )

    return router
