"""The work list: open cases with age and owner, one case with its history, and what may be done with it.

Who sees which cases is decided as in the API: a case of another community looks like none at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from cloud.cases import service as cases
from cloud.cases.case import Case, CaseFilter, CaseKind, OwnerRole
from cloud.cases.endpoints import allowed_case
from cloud.estate.values import Community
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.httpapi import Paging, paging
from cloud.web.case_subjects import case_subjects
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from cloud.web.listing import CSV_ROWS_MAX, csv_file, listing
from cloud.web.rendering import instant
from common.ids import CaseId, CommunityId

Viewer = Annotated[Caller, Depends(require(Permission.SEE_CASES))]
Worker = Annotated[Caller, Depends(require(Permission.WORK_CASES))]
Wanted = Annotated[Paging, Depends(paging)]
Remark = Annotated[str, Form(min_length=1, max_length=2_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a filter asks for; an empty word asks for all."""

    community: str = ""
    kind: str = ""
    owner: str = ""


def choice(
    community: Annotated[str, Query(max_length=80)] = "",
    kind: Annotated[CaseKind | Literal[""], Query()] = "",
    owner: Annotated[OwnerRole | Literal[""], Query()] = "",
) -> Choice:
    """Read the filter of a work list: a FastAPI dependency."""
    return Choice(community=community, kind=kind, owner=owner)


Chosen = Annotated[Choice, Depends(choice)]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of cases."""
    router = page_router()
    _add_lists(router, frame)
    _add_case(router, frame)
    return router


def _add_lists(router: APIRouter, frame: Frame) -> None:
    @router.get("/cases")
    async def work_list(request: Request, caller: Viewer, wanted: Wanted, filtered: Chosen) -> Response:
        """Show the open cases, oldest first."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.SEE_CASES)
            found = await cases.work_list(
                session, _filter(caller, filtered, communities), offset=wanted.offset, limit=wanted.limit + 1
            )
            subjects = await case_subjects(session, found, frame.now())
        return frame.page(
            request,
            "manager/cases.html",
            caller=caller,
            rows=listing(found, wanted),
            subjects=subjects,
            communities=communities,
            names={community.id: community.name for community in communities},
            filtered=filtered,
            kinds=list(CaseKind),
            owners=list(OwnerRole),
            now=frame.now(),
        )

    @router.get("/cases/open.csv")
    async def file(caller: Viewer, filtered: Chosen) -> Response:
        """Answer the open cases as a file."""
        async with frame.database.view(caller.tenant) as session:
            communities = await communities_of(session, caller, Permission.SEE_CASES)
            found = await cases.work_list(session, _filter(caller, filtered, communities), limit=CSV_ROWS_MAX)
            subjects = await case_subjects(session, found, frame.now())
        names = {community.id: community.name for community in communities}
        now = frame.now()
        return csv_file(
            "cases.csv",
            (
                "小区 community",
                "类别 kind",
                "原因 reason",
                "归属 owner",
                "开始 opened",
                "天数 days",
                "对象 about",
                "说明 detail",
                "detail",
            ),
            (_row(case, names, subjects, now) for case in found),
        )


def _add_case(router: APIRouter, frame: Frame) -> None:
    @router.get("/cases/{case_id}")
    async def one(request: Request, case_id: UUID, caller: Viewer) -> Response:
        """Show one case with its history."""
        async with frame.database.view(caller.tenant) as session:
            found = await allowed_case(session, caller, case_id, Permission.SEE_CASES)
            history = await cases.case_history(session, CaseId(case_id))
            subjects = await case_subjects(session, [found], frame.now())
        return frame.page(
            request,
            "manager/case.html",
            caller=caller,
            case=found,
            subject=subjects[found.object_id],
            history=history,
            may_work=found.closed_at is None and caller.may(Permission.WORK_CASES, found.community_id),
            owners=list(OwnerRole),
            now=frame.now(),
        )

    @router.post("/cases/{case_id}/notes")
    async def note(case_id: UUID, caller: Worker, note: Remark) -> Response:
        """Add a remark."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await allowed_case(unit.session, caller, case_id, Permission.WORK_CASES)
            await cases.note_on_case(unit, CaseId(case_id), note=note)
        return see_other(f"/cases/{case_id}", done="noted")

    @router.post("/cases/{case_id}/assignment")
    async def assign(
        case_id: UUID,
        caller: Worker,
        owner_role: Annotated[OwnerRole, Form()],
        mine: Annotated[Literal["yes", ""], Form()] = "",
    ) -> Response:
        """Give a case to a role, or take it oneself."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await allowed_case(unit.session, caller, case_id, Permission.WORK_CASES)
            owner = caller.user_id if mine else None
            await cases.assign_case(unit, CaseId(case_id), owner_role=owner_role, owner_id=owner)
        return see_other(f"/cases/{case_id}", done="assigned")

    @router.post("/cases/{case_id}/closing")
    async def close(case_id: UUID, caller: Worker, reason: Remark) -> Response:
        """Close a case for a reason."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await allowed_case(unit.session, caller, case_id, Permission.WORK_CASES)
            await cases.close_case(unit, CaseId(case_id), reason=reason)
        return see_other("/cases", done="closed")


def _filter(caller: Caller, filtered: Choice, communities: tuple[Community, ...]) -> CaseFilter:
    scope = caller.scope(Permission.SEE_CASES)
    within = None if scope.everywhere else scope.communities
    if filtered.community:
        within = frozenset({chosen(communities, filtered.community).id})
    return CaseFilter(
        communities=within,
        kind=CaseKind(filtered.kind) if filtered.kind else None,
        owner_role=OwnerRole(filtered.owner) if filtered.owner else None,
    )


def _row(
    case: Case, names: Mapping[CommunityId, str], subjects: Mapping[UUID, str], now: datetime
) -> tuple[str | int | None, ...]:
    return (
        None if case.community_id is None else names.get(case.community_id),
        case.kind,
        case.reason,
        case.owner_role,
        instant(case.opened_at),
        case.age(now).days,
        subjects[case.object_id],
        case.detail_zh,
        case.detail_en,
    )
