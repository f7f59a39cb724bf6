"""The pages of papers: issue one by a button, watch it being sealed, fetch the file.

/papers/<kind>/<id>              issue the paper about a bill, receipt, refund, deposit or settlement (form)
/papers/<paper>                  the paper, whether it is sealed, and its file
/papers/<paper>/state            the same as a fragment, asked for while the seal is still missing
/papers/<paper>/file             the PDF
/pay/<token>/paper               the bill's paper for whoever holds the bill: no name of a person is on it
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from cloud.documents import service
from cloud.documents.endpoints import file_answer, issue_for, seen
from cloud.documents.kinds import KINDS, PaperKind
from cloud.documents.values import Paper
from cloud.identity.callers import SignedIn
from cloud.kit.actor import Actor
from cloud.payments import links
from cloud.payments.links import PayLink
from cloud.web import pay_code
from cloud.web.frame import Frame, page_router, see_other
from common.ids import TenantId


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of papers."""
    router = page_router()
    _add_own(router, frame)
    _add_link(router, frame)
    return router


def _add_own(router: APIRouter, frame: Frame) -> None:
    press = frame.parts.press

    @router.post("/papers/{kind}/{subject_id}")
    async def issue(kind: PaperKind, subject_id: UUID, caller: SignedIn) -> Response:
        """Issue the paper about a thing, or lead to the one that was issued."""
        found = await issue_for(press, caller, kind, subject_id)
        return see_other(f"/papers/{found.paper_id}")

    @router.get("/papers/{paper_id}")
    async def paper(request: Request, paper_id: UUID, caller: SignedIn) -> Response:
        """Show a paper and whether it is sealed."""
        found = await seen(press, caller, paper_id)
        shown = await _shown(frame, caller.tenant, found, f"/papers/{paper_id}")
        return frame.page(request, "papers/paper.html", caller=caller, **shown)

    @router.get("/papers/{paper_id}/state")
    async def state(request: Request, paper_id: UUID, caller: SignedIn) -> Response:
        """Tell whether a paper is sealed."""
        found = await seen(press, caller, paper_id)
        shown = await _shown(frame, caller.tenant, found, f"/papers/{paper_id}")
        return frame.page(request, "papers/state.html", caller=caller, **shown)

    @router.get("/papers/{paper_id}/file")
    async def file(paper_id: UUID, caller: SignedIn) -> Response:
        """Return the PDF."""
        await seen(press, caller, paper_id)
        return file_answer(await service.file_of(press, caller.tenant, paper_id))


def _add_link(router: APIRouter, frame: Frame) -> None:
    press = frame.parts.press

    @router.post("/pay/{token}/paper")
    async def issue(token: str) -> Response:
        """Issue the bill's paper, or lead to the one that was issued."""
        link = await links.find(frame.database, token)
        actor = Actor(kind="system", id=link.link_id, name="pay link")
        await service.issue(press, link.tenant, actor, PaperKind.BILL, link.bill_id)
        return see_other(f"/pay/{token}/paper")

    async def issued(token: str) -> tuple[PayLink, Paper]:
        link = await links.find(frame.database, token)
        async with frame.database.view(link.tenant) as session:
            return link, await service.about(session, PaperKind.BILL, link.bill_id)

    @router.get("/pay/{token}/paper")
    async def paper(request: Request, token: str) -> Response:
        """Show the bill's paper and whether it is sealed."""
        link, found = await issued(token)
        shown = await _shown(frame, link.tenant, found, f"/pay/{token}/paper")
        return frame.page(request, "papers/paper.html", caller=None, **shown)

    @router.get("/pay/{token}/paper/state")
    async def state(request: Request, token: str) -> Response:
        """Tell whether the bill's paper is sealed."""
        link, found = await issued(token)
        shown = await _shown(frame, link.tenant, found, f"/pay/{token}/paper")
        return frame.page(request, "papers/state.html", caller=None, **shown)

    @router.get("/pay/{token}/paper/file")
    async def file(token: str) -> Response:
        """Return the PDF of the bill."""
        link, found = await issued(token)
        return file_answer(await service.file_of(press, link.tenant, found.paper_id))


async def _shown(frame: Frame, tenant: TenantId, paper: Paper, base: str) -> dict[str, Any]:
    async with frame.database.view(tenant) as session:
        sealed = await service.is_sealed(session, paper.paper_id)
    address = f"{frame.parts.public_url.rstrip('/')}/v/{paper.token}"
    return {
        "paper": paper,
        "title": KINDS[paper.kind],
        "sealed": sealed,
        "base": base,
        "address": address,
        "code": pay_code.svg(address),
    }
