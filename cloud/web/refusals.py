"""How pages refuse: every refusal, unreadable form and fault of ours as a page, or as a problem document for programs.

A stranger who asks for a page is sent to the sign-in page and comes back from there. A part of a page that htmx asks
for is answered as a short note, which `gatehouse.js` shows above the page.
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from cloud.kit.errors import UnauthenticatedError
from cloud.kit.httpapi import clash_of, problem, status_of
from cloud.web.frame import Frame, see_other
from cloud.web.messages import headline
from cloud.web.navigation import SIGN_IN
from cloud.web.refusal_words import chinese_of
from cloud.web.security import SAFE_METHODS
from common.errors import FaultsError, RefusalError

_OURS = "this is a fault of ours; nothing was changed"


class Refusals:
    """Answers what went wrong, in the form that the asker reads."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def install(self, app: FastAPI) -> None:
        """Let an application of pages answer refusals this way."""
        app.add_exception_handler(RefusalError, self.refused)
        app.add_exception_handler(RequestValidationError, self.unreadable)
        app.add_exception_handler(HTTPException, self.unknown)
        app.add_exception_handler(IntegrityError, self.clashed)

    async def refused(self, request: Request, error: Exception) -> Response:
        """Answer a refusal; one that asks for a sign-in leads there."""
        if not isinstance(error, RefusalError):
            raise error
        if isinstance(error, UnauthenticatedError) and _reads_pages(request):
            return _to_sign_in(request)
        faults = [str(fault) for fault in error.faults] if isinstance(error, FaultsError) else []
        return self._answer(request, status_of(error), str(error).partition("\n")[0], faults)

    async def unreadable(self, request: Request, error: Exception) -> Response:
        """Answer a form or an address that cannot be read, with every field that is wrong."""
        found = error.errors() if isinstance(error, RequestValidationError) else []
        faults = [f"{fault['loc'][-1]}: {fault['msg']}" for fault in found]
        return self._answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, "look at what was filled in", faults)

    async def unknown(self, request: Request, error: Exception) -> Response:
        """Answer for an address that leads nowhere."""
        if not isinstance(error, HTTPException):
            raise error
        return self._answer(request, HTTPStatus(error.status_code), error.detail, [])

    async def clashed(self, request: Request, error: Exception) -> Response:
        """Answer the loser of a race for the same row."""
        refusal = clash_of(error)
        if refusal is None:
            raise error
        return await self.refused(request, refusal)

    async def fault_of_ours(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for a fault of ours, as an ASGI application."""
        request = Request(scope, receive)
        await self._answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, _OURS, [])(scope, receive, send)

    def _answer(self, request: Request, status: HTTPStatus, detail: str, faults: list[str]) -> Response:
        if not _reads_pages(request):
            return problem(status, detail, **({"faults": faults} if faults else {}))
        template = "refusal_note.html" if _is_part(request) else "refusal.html"
        return self._frame.page(
            request,
            template,
            caller=None,
            status=status,
            refusal_status=status,
            refusal_headline=headline(status),
            detail=detail,
            detail_zh=chinese_of(detail),
            faults=faults,
        )


def _to_sign_in(request: Request) -> Response:
    back = request.url.path
    if request.url.query:
        back += f"?{request.url.query}"
    query = {"next": back} if request.method in SAFE_METHODS and back != "/" else {}
    if _is_part(request):
        address = f"{SIGN_IN}?{urlencode(query)}" if query else SIGN_IN
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": address})
    return see_other(SIGN_IN, **query)


def _is_part(request: Request) -> bool:
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"


def _reads_pages(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") or request.headers.get("hx-request") == "true"
