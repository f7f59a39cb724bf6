"""The public pages that say whether a paper is genuine and still holds, without a name, a room or an account on them.

/v            upload a file to have it checked
/v/<code>     where the code on a paper leads: number, date, amount and standing, to compare with what is printed
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Request, Response

from cloud.documents import checking
from cloud.documents.kinds import CHECKS, HOLDS, KINDS, Check, Holds
from cloud.web.frame import Frame, page_router


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages for checking papers."""
    router = page_router()

    @router.get("/v")
    async def start(request: Request) -> Response:
        """Ask for a file."""
        return _page(request, verdict=None)

    @router.post("/v")
    async def check(request: Request, file: Annotated[bytes, File()]) -> Response:
        """Say what is to be said of a file."""
        return _page(request, verdict=await checking.of_file(frame.database, file))

    @router.get("/v/{token}")
    async def by_code(request: Request, token: str) -> Response:
        """Show what anybody may know of the paper with a code."""
        found = await checking.by_token(frame.database, token)
        return frame.page(
            request,
            "papers/public.html",
            caller=None,
            found=found,
            token=token,
            kinds=KINDS,
            holds=HOLDS,
            current=Holds.CURRENT,
        )

    def _page(request: Request, verdict: object) -> Response:
        return frame.page(
            request,
            "papers/check.html",
            caller=None,
            verdict=verdict,
            checks=CHECKS,
            kinds=KINDS,
            holds=HOLDS,
            genuine=Check.GENUINE,
            current=Holds.CURRENT,
        )

    return router
