"""How the API speaks: refusals as problem documents (RFC 9457), bounded bodies, pages of rows.

One handler renders every family of `kit/errors.py`; endpoints raise and never build an error answer themselves.
422 is kept for input that cannot be read, so ordinary conflicts alarm nobody. A broken invariant answers 500 without
a word about the inside, is counted, and stands in the log once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar

import psycopg
import structlog
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.kit import errors
from common.errors import FaultsError, GatehouseError, RefusalError

BODY_BYTES_MAX = 1 << 20
PAGE_SIZE_MAX = 200
PROBLEM = "application/problem+json"

# The nearest ancestor of an error's class decides; the order here does not matter.
_STATUS: dict[type[GatehouseError], HTTPStatus] = {
    RefusalError: HTTPStatus.BAD_REQUEST,
    FaultsError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.MalformedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    errors.ForbiddenError: HTTPStatus.FORBIDDEN,
    errors.TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.BusyError: HTTPStatus.SERVICE_UNAVAILABLE,
}
# What an endpoint's own checks let through when two requests race, or when an id in the body names nothing.
_CLASHES = {
    "23505": "this is taken already",
    "23P01": "this overlaps with what is stored already",
    "23503": "this refers to something that does not exist, or is still referred to",
}
_log = structlog.get_logger()
Row = TypeVar("Row")


def status_of(error: GatehouseError) -> HTTPStatus:
    """Return the HTTP status of a refusal; anything that is not a refusal is a fault of ours."""
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def clash_of(error: Exception) -> errors.ConflictError | None:
    """Return the refusal that a violated constraint amounts to when two requests raced, or None for any other."""
    original = error.orig if isinstance(error, IntegrityError) else None
    if not isinstance(original, psycopg.Error) or original.sqlstate not in _CLASHES:
        return None
    return errors.ConflictError(f"{_CLASHES[original.sqlstate]}; look again and then retry")


def problem(status: HTTPStatus, detail: str, **members: Any) -> JSONResponse:
    """Return a problem document."""
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail, **members}
    headers = {"Retry-After": "1"} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse(body, status_code=status, media_type=PROBLEM, headers=headers)


def install_error_handlers(app: FastAPI) -> None:
    """Let the application answer every refusal with a problem document."""

    async def refuse(request: Request, error: Exception) -> JSONResponse:
        del request
        if not isinstance(error, RefusalError):
            raise error
        faults = [str(fault) for fault in error.faults] if isinstance(error, FaultsError) else None
        return problem(status_of(error), str(error), **({} if faults is None else {"faults": faults}))

    async def malformed(request: Request, error: Exception) -> JSONResponse:
        del request
        found = error.errors() if isinstance(error, RequestValidationError) else []
        faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in found]
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the request cannot be read", faults=faults)

    async def plain(request: Request, error: Exception) -> JSONResponse:
        del request
        if not isinstance(error, HTTPException):
            raise error
        return problem(HTTPStatus(error.status_code), error.detail)

    async def clash(request: Request, error: Exception) -> JSONResponse:
        refusal = clash_of(error)
        if refusal is None:
            raise error
        return await refuse(request, refusal)

    app.add_exception_handler(IntegrityError, clash)
    app.add_exception_handler(RefusalError, refuse)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, plain)


def route_of(scope: Scope) -> str:
    """Return the template of the matched route, which names no id, for logs and metrics."""
    # A router that is included under a prefix keeps its own short path; the whole one stands in FastAPI's context.
    matched = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return str(getattr(matched, "path", "unmatched"))


async def answer_fault(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a fault of ours with a problem document, without a word about the inside."""
    answer = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "this is a fault of ours; nothing was changed")
    await answer(scope, receive, send)


class LastResort:
    """Middleware: answer a fault of ours, as a problem document or as told, and log it once."""

    def __init__(self, app: ASGIApp, answer: ASGIApp = answer_fault) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and stand behind it."""
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            _log.exception("request_failed", method=scope["method"], route=route_of(scope), exc_info=error)
            await self._answer(scope, receive, send)


class BodyLimit:
    """Refuse a request body above a bound, by its announced length or while it arrives."""

    def __init__(self, app: ASGIApp, limit: int = BODY_BYTES_MAX, limits: Sequence[tuple[str, int]] = ()) -> None:
        self._app = app
        self._limit = limit
        self._limits = tuple(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what arrives."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > limit:
            await self._refuse(limit)(scope, receive, send)
            return
        try:
            await self._app(scope, _counted(receive, limit), send)
        except errors.TooLargeError:
            await self._refuse(limit)(scope, receive, send)

    def _limit_of(self, path: str) -> int:
        return next((limit for prefix, limit in self._limits if path.startswith(prefix)), self._limit)

    def _refuse(self, limit: int) -> JSONResponse:
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request body here has at most {limit} bytes")


def _counted(receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise errors.TooLargeError(f"a request body here has at most {limit} bytes")
        return message

    return counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Which rows of a list to answer: `offset` from the start, at most `limit`."""

    offset: int
    limit: int


def paging(
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 50,
) -> Paging:
    """Read the paging of a request: a FastAPI dependency."""
    return Paging(offset=offset, limit=limit)


class Page(BaseModel, Generic[Row]):
    """A part of a list; `next_offset` is null at its end."""

    rows: list[Row]
    next_offset: int | None


def page_of(rows: Sequence[Row], wanted: Paging) -> Page[Row]:
    """Return a page from up to `limit + 1` rows that were fetched from `offset` on."""
    more = len(rows) > wanted.limit
    return Page(rows=list(rows[: wanted.limit]), next_offset=wanted.offset + wanted.limit if more else None)
