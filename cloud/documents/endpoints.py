"""Papers over HTTP: issue, look, fetch; and without signing in, ask whether one is genuine and still holds."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from cloud.billing import service as billing
from cloud.billing.endpoints import may_see
from cloud.documents import checking, schemas, service
from cloud.documents.kinds import PaperKind
from cloud.documents.service import Press
from cloud.documents.sources import owner_of
from cloud.documents.values import Paper, PaperFile
from cloud.identity.caller import Caller
from cloud.identity.callers import SignedIn

PDF = "application/pdf"


def build_router(press: Press) -> APIRouter:
    """Return the endpoints of papers for people."""
    router = APIRouter(tags=["papers"])
    database = press.database

    @router.post("/papers/{kind}/{subject_id}", status_code=HTTPStatus.CREATED)
    async def issue(kind: PaperKind, subject_id: UUID, caller: SignedIn) -> schemas.PaperOut:
        """Issue the paper about a thing; the same again answers the same paper."""
        found = await issue_for(press, caller, kind, subject_id)
        async with database.view(caller.tenant) as session:
            sealed = await service.is_sealed(session, found.paper_id)
        return schemas.PaperOut.of(found, sealed=sealed)

    @router.get("/papers/{paper_id}")
    async def one(paper_id: UUID, caller: SignedIn) -> schemas.PaperOut:
        """Return a paper."""
        found = await seen(press, caller, paper_id)
        async with database.view(caller.tenant) as session:
            return schemas.PaperOut.of(found, sealed=await service.is_sealed(session, paper_id))

    @router.get("/papers/{paper_id}/pdf")
    async def pdf(paper_id: UUID, caller: SignedIn) -> Response:
        """Return the file of a paper; until it is sealed, every page says so."""
        await seen(press, caller, paper_id)
        return file_answer(await service.file_of(press, caller.tenant, paper_id))

    return router


def build_open_router(press: Press) -> APIRouter:
    """Return what anybody may ask who has a paper or its code."""
    router = APIRouter(tags=["verify"])
    database = press.database

    @router.get("/verify/{token}")
    async def standing(token: str) -> schemas.PublicOut:
        """Return what anybody may know of a paper, by its code."""
        return schemas.PublicOut.of(await checking.by_token(database, token))

    @router.get("/verify/{token}/certificates.pem")
    async def certificates(token: str) -> PlainTextResponse:
        """Return the certificates with which the paper's company seals, for checking without us."""
        return PlainTextResponse(await checking.certificates(database, token), media_type="application/x-pem-file")

    @router.post("/verify")
    async def check(request: Request) -> schemas.VerdictOut:
        """Tell whether the PDF in the body is genuine and whether what it says still holds."""
        return schemas.VerdictOut.of(await checking.of_file(database, await request.body()))

    return router


async def issue_for(press: Press, caller: Caller, kind: PaperKind, subject_id: UUID) -> Paper:
    """Issue a paper for somebody who may see what it is about.

    Raises:
        NotFoundError: there is no such thing, or not for him.
    """
    async with press.database.view(caller.tenant) as session:
        may_see(caller, await owner_of(session, kind, subject_id))
    return await service.issue(press, caller.tenant, caller.actor, kind, subject_id)


async def seen(press: Press, caller: Caller, paper_id: UUID) -> Paper:
    """Return a paper that somebody may see.

    Raises:
        NotFoundError: there is none, or not for him.
    """
    async with press.database.view(caller.tenant) as session:
        found = await service.paper(session, paper_id)
        may_see(caller, await billing.account(session, found.account_id))
    return found


def file_answer(file: PaperFile) -> Response:
    """Return a file to be kept by the browser under its name."""
    named = f"attachment; filename*=UTF-8''{quote(file.name)}"
    return Response(file.content, media_type=PDF, headers={"content-disposition": named, "cache-control": "no-store"})
