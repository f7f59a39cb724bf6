"""Tables taken in on a page: the template, every fault at once, taking in whole, taking back whole.

/imports     the templates, the form with "check" and "take in", what was found, and what was taken in so far
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response, UploadFile
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.imports import service
from cloud.imports.endpoints import FAULTS_SHOWN_MAX, template_file, upload_of
from cloud.imports.kinds import ImportKind
from cloud.imports.service import ImportPreview
from cloud.web.frame import Frame, chosen, communities_of, page_router, see_other
from common.errors import ensure
from common.ids import CommunityId

Importer = Annotated[Caller, Depends(require(Permission.IMPORT_TABLES))]
KINDS: dict[ImportKind, tuple[str, str]] = {
    ImportKind.ESTATE: ("房屋与业主", "Premises and owners"),
    ImportKind.METERS: ("表具", "Meters"),
    ImportKind.OPENINGS: ("期初余额", "Opening balances"),
    ImportKind.READINGS: ("历史读数", "Past readings"),
}
COUNTS: dict[str, tuple[str, str]] = {
    "premises": ("房屋", "premises"),
    "owners": ("业主", "owners"),
    "buildings": ("楼栋", "buildings"),
    "meters": ("表具", "meters"),
    "openings": ("余额", "balances"),
    "readings": ("读数", "readings"),
}
ensure(set(KINDS) == set(ImportKind), "every kind of import has words")


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of imports."""
    router = page_router()
    _add_list(router, frame)
    _add_deeds(router, frame)
    return router


def _add_list(router: APIRouter, frame: Frame) -> None:
    @router.get("/imports")
    async def listed(
        request: Request, caller: Importer, community: Annotated[str | None, Query(max_length=80)] = None
    ) -> Response:
        """Show the templates, the form, and what was taken in so far."""
        async with frame.database.view(caller.tenant) as session:
            one = chosen(await communities_of(session, caller, Permission.IMPORT_TABLES), community)
            return await _shown(frame, request, caller, session, one)

    @router.get("/imports/{community_id}/templates/{kind}")
    async def empty(community_id: UUID, kind: ImportKind, caller: Importer) -> Response:
        """Answer an empty spreadsheet to be filled in."""
        async with frame.database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
        return template_file(kind)


async def _shown(
    frame: Frame,
    request: Request,
    caller: Caller,
    session: AsyncSession,
    community: Community,
    found: tuple[ImportKind, ImportPreview] | None = None,
) -> Response:
    return frame.page(
        request,
        "manager/imports.html",
        caller=caller,
        communities=await communities_of(session, caller, Permission.IMPORT_TABLES),
        community=community,
        runs=await service.imports(session, community.id),
        kinds=KINDS,
        counts=COUNTS,
        found=found,
        shown_max=FAULTS_SHOWN_MAX,
        import_id=frame.database.new_id(),
    )


def _add_deeds(router: APIRouter, frame: Frame) -> None:
    @router.post("/imports/{community_id}/check")
    async def check(
        request: Request, community_id: UUID, kind: Annotated[ImportKind, Form()], file: UploadFile, caller: Importer
    ) -> Response:
        """Show every fault of a file, or what taking it in would make."""
        upload = await upload_of(community_id, kind, file)
        async with frame.database.view(caller.tenant) as session:
            community = await estate.community(session, upload.community_id)
            found = await service.preview(session, upload, frame.now())
            return await _shown(frame, request, caller, session, community, (kind, found))

    @router.post("/imports/{community_id}/apply")
    async def apply(
        community_id: UUID,
        kind: Annotated[ImportKind, Form()],
        import_id: Annotated[UUID, Form()],
        file: UploadFile,
        caller: Importer,
    ) -> Response:
        """Take a file in, all of it or nothing."""
        upload = await upload_of(community_id, kind, file)
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            community = await estate.community(unit.session, upload.community_id)
            await service.apply(unit, import_id, upload)
        return see_other("/imports", done="import-applied", community=community.code)

    @router.post("/imports/{community_id}/{import_id}/undo")
    async def undo(community_id: UUID, import_id: UUID, caller: Importer) -> Response:
        """Take a whole import back."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            community = await estate.community(unit.session, CommunityId(community_id))
            await service.require_in(unit.session, import_id, community.id)
            await service.undo(unit, import_id)
        return see_other("/imports", done="import-undone", community=community.code)
