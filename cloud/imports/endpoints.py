"""Imports over HTTP: a template, a preview with every fault, taking a file in, taking it back."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Response, UploadFile
from pydantic import BaseModel

from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.imports import service
from cloud.imports.kinds import ImportKind, ImportState
from cloud.imports.service import ImportPreview, ImportRun, Upload
from cloud.imports.sheets import FILE_BYTES_MAX, template
from cloud.kit.db import Database
from common.ids import CommunityId

FAULTS_SHOWN_MAX = 1_000
FILE_NAME_MAX = 200
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Importer = Annotated[Caller, Depends(require(Permission.IMPORT_TABLES))]


class FaultOut(BaseModel):
    """One fault: where it is, what is wrong and how to mend it."""

    where: str
    what: str
    remedy: str


class ImportPreviewOut(BaseModel):
    """What taking the file in would make, or its faults; with a single fault nothing would be made."""

    rows: int
    fault_count: int
    faults: list[FaultOut]
    counts: dict[str, int]
    sha: str

    @classmethod
    def of(cls, found: ImportPreview) -> ImportPreviewOut:
        """Return what is answered for a preview."""
        return cls(
            rows=found.rows,
            fault_count=len(found.faults),
            faults=[
                FaultOut(where=fault.where, what=fault.what, remedy=fault.remedy)
                for fault in found.faults[:FAULTS_SHOWN_MAX]
            ],
            counts=dict(found.counts),
            sha=found.sha.hex(),
        )


class ImportOut(BaseModel):
    """An import as it stands."""

    import_id: UUID
    kind: ImportKind
    file_name: str
    rows: int
    state: ImportState
    applied_at: datetime
    undone_at: datetime | None

    @classmethod
    def of(cls, one: ImportRun) -> ImportOut:
        """Return what is answered for an import."""
        return cls(
            import_id=one.import_id,
            kind=one.kind,
            file_name=one.file_name,
            rows=one.rows,
            state=one.state,
            applied_at=one.applied_at,
            undone_at=one.undone_at,
        )


async def upload_of(community_id: UUID, kind: ImportKind, file: UploadFile) -> Upload:
    """Return a file that was sent, read no further than one byte past its bound."""
    return Upload(
        community_id=CommunityId(community_id),
        kind=kind,
        file_name=(file.filename or "table")[:FILE_NAME_MAX],
        content=await file.read(FILE_BYTES_MAX + 1),
    )


def template_file(kind: ImportKind) -> Response:
    """Return the template of a kind as a file to be saved."""
    headers = {"Content-Disposition": f'attachment; filename="{kind.value}.xlsx"'}
    return Response(template(kind), media_type=SPREADSHEET, headers=headers)


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of imports."""
    router = APIRouter(tags=["imports"])

    @router.get("/imports/{community_id}/templates/{kind}")
    async def empty(community_id: UUID, kind: ImportKind, caller: Importer) -> Response:
        """Answer an empty spreadsheet to be filled in."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
        return template_file(kind)

    @router.post("/imports/{community_id}/{kind}/previews")
    async def preview(community_id: UUID, kind: ImportKind, file: UploadFile, caller: Importer) -> ImportPreviewOut:
        """Answer every fault of a file, or what taking it in would make; nothing is written."""
        upload = await upload_of(community_id, kind, file)
        async with database.view(caller.tenant) as session:
            found = await service.preview(session, upload, database.clock.now())
        return ImportPreviewOut.of(found)

    @router.get("/imports/{community_id}")
    async def listed(community_id: UUID, caller: Importer) -> list[ImportOut]:
        """List the imports of a community, the newest first."""
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await service.imports(session, CommunityId(community_id))
        return [ImportOut.of(one) for one in found]

    @router.post("/imports/{community_id}/{kind}", status_code=HTTPStatus.CREATED)
    async def apply(
        community_id: UUID,
        kind: ImportKind,
        file: UploadFile,
        import_id: Annotated[UUID, Form()],
        caller: Importer,
    ) -> ImportOut:
        """Take a file in, all of it or nothing; the same import again is the same."""
        upload = await upload_of(community_id, kind, file)
        async with database.unit(caller.tenant, caller.actor) as unit:
            done = await service.apply(unit, import_id, upload)
        return ImportOut.of(done)

    @router.delete("/imports/{community_id}/{import_id}")
    async def undo(community_id: UUID, import_id: UUID, caller: Importer) -> ImportOut:
        """Take a whole import back."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await service.require_in(unit.session, import_id, CommunityId(community_id))
            done = await service.undo(unit, import_id)
        return ImportOut.of(done)

    return router
