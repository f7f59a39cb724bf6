"""From a request to its caller: the middleware that recognises a session, and the dependencies that ask for one.

    SignedIn                                                                   somebody, as an annotation
    Cashier = Annotated[Caller, Depends(require(Permission.TAKE_CASH))]        somebody who may, at module level

`require` checks the permission in the community that the path names as `community_id`, or anywhere when it names
none; then the endpoint itself calls `caller.require(permission, community)` once it knows the community. What belongs
to no community, such as an account at a provider, asks for `require_everywhere`.

A session arrives as a cookie (pages) or a bearer token (programs). With a cookie, a request that changes something
must come from our own pages: its Origin, when the browser sends one, is our host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud.identity import service
from cloud.identity.caller import Caller
from cloud.identity.credentials import Token, parse_token
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import ForbiddenError, MalformedError, UnauthenticatedError
from common.ids import CommunityId

SESSION_COOKIE = "gatehouse_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = "bearer "
_bearer_scheme = HTTPBearer(auto_error=False, description="the token that POST /session answers")


class Authentication:
    """Middleware: let every request find its caller, looked up at most once and only when asked for."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self._app = app
        self._database = database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the means to find its caller."""
        if scope["type"] == "http":
            connection = HTTPConnection(scope)

            async def recognise() -> Caller | None:
                return await _caller_of(self._database, connection, scope["method"])

            scope.setdefault("state", {})["recognise"] = recognise
        await self._app(scope, receive, send)


def token_of(connection: HTTPConnection) -> Token | None:
    """Return the session token that a request carries, in its header or else in its cookie."""
    return parse_token(_bearer_of(connection) or connection.cookies.get(SESSION_COOKIE, ""))


def _bearer_of(connection: HTTPConnection) -> str:
    header = connection.headers.get("authorization", "")
    return header[len(_BEARER) :].strip() if header.lower().startswith(_BEARER) else ""


async def _caller_of(database: Database, connection: HTTPConnection, method: str) -> Caller | None:
    token = token_of(connection)
    if token is None:
        return None
    by_cookie = not _bearer_of(connection)
    if by_cookie and method not in _SAFE_METHODS and not _from_our_pages(connection):
        raise ForbiddenError("this request does not come from our own pages; open the page again")
    async with database.view(token.tenant) as session:
        return await service.recognise(session, token)


def _from_our_pages(connection: HTTPConnection) -> bool:
    origin = connection.headers.get("origin")
    if origin is None:
        return connection.headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}
    return urlsplit(origin).netloc == connection.headers.get("host")


async def visitor(request: Request) -> Caller | None:
    """Return the caller of a request, or None for a stranger: for pages that greet both."""
    recognise: Callable[[], Awaitable[Caller | None]] = request.state.recognise
    return await recognise()


async def caller(
    request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer_scheme)] = None
) -> Caller:
    """Return the signed-in caller of a request: a FastAPI dependency.

    Raises:
        UnauthenticatedError: nobody is signed in.
    """
    del bearer  # named so that the API's own description shows how to sign in
    found = await visitor(request)
    if found is None:
        raise UnauthenticatedError("sign in first")
    return found


SignedIn = Annotated[Caller, Depends(caller)]


def require(permission: Permission) -> Callable[[Request, Caller], Caller]:
    """Return a FastAPI dependency: a caller who holds the permission in the community of the path, or anywhere."""

    def demand(request: Request, found: SignedIn) -> Caller:
        found.require(permission, _community_of(request))
        return found

    return demand


def require_everywhere(permission: Permission) -> Callable[[Caller], Caller]:
    """Return a FastAPI dependency: a caller who holds the permission in the whole company, not in parts of it."""

    def demand(found: SignedIn) -> Caller:
        found.require(permission)
        if not found.scope(permission).everywhere:
            raise ForbiddenError("this is the whole company's; ask somebody who works in all of it")
        return found

    return demand


def _community_of(request: Request) -> CommunityId | None:
    named = request.path_params.get("community_id")
    if named is None:
        return None
    try:
        return CommunityId(UUID(str(named)))
    except ValueError as error:
        raise MalformedError("community_id is not an id") from error
