"""Signing in by password or one-time code, signing out, and where each role lands."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from cloud.identity import service as identity
from cloud.identity.caller import Caller
from cloud.identity.callers import SESSION_COOKIE, SignedIn, token_of, visitor
from cloud.identity.credentials import Token
from cloud.identity.endpoints import start_cookie
from cloud.kit.errors import UnauthenticatedError
from cloud.web.frame import Frame, page_router, see_other
from cloud.web.navigation import SIGN_IN, landing, local_path, places_for
from cloud.web.security import FORM_COOKIE

Typed = Annotated[str, Form(max_length=200)]
Visitor = Annotated[Caller | None, Depends(visitor)]
START = "/"


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of signing in and out."""
    router = page_router()
    _add_doors(router, frame)
    _add_sign_in(router, frame)
    return router


def _add_doors(router: APIRouter, frame: Frame) -> None:
    @router.get(START)
    async def start(caller: SignedIn) -> Response:
        """Lead everybody to his first place."""
        return see_other(landing(caller))

    @router.get("/no-role")
    async def no_role(request: Request, caller: SignedIn) -> Response:
        """Tell somebody without a role whom to ask."""
        return see_other(landing(caller)) if places_for(caller) else frame.page(request, "no_role.html", caller=caller)

    @router.post("/sign-out")
    async def sign_out(request: Request, caller: SignedIn) -> Response:
        """End this browser's session."""
        token = token_of(request)
        if token is not None:
            await identity.sign_out(frame.database, caller, token)
        response = see_other(SIGN_IN, done="signed-out")
        response.delete_cookie(SESSION_COOKIE)
        return response


def _add_sign_in(router: APIRouter, frame: Frame) -> None:
    @router.get(SIGN_IN)
    async def form(request: Request, caller: Visitor, next: str = START) -> Response:  # noqa: A002 - the address's word
        """Show the sign-in page; somebody who is signed in goes on at once."""
        goal = local_path(next) or START
        if caller is not None:
            return see_other(goal)
        return frame.page(request, "sign_in.html", caller=None, goal=goal, login="", refused=False)

    @router.post(SIGN_IN)
    async def sign_in(
        request: Request, login: Typed = "", password: Typed = "", code: Typed = "", goal: Typed = START
    ) -> Response:
        """Start a session, or say that this signs nobody in."""
        wanted = local_path(goal) or START
        try:
            token = await _token(frame, login, password, code)
        except UnauthenticatedError:
            return frame.page(
                request,
                "sign_in.html",
                caller=None,
                status=HTTPStatus.UNAUTHORIZED,
                goal=wanted,
                login=login,
                refused=True,
            )
        response = see_other(wanted)
        start_cookie(response, token, secure=frame.parts.secure_cookies)
        response.delete_cookie(FORM_COOKIE)
        return response


async def _token(frame: Frame, login: str, password: str, code: str) -> Token:
    if code.strip():
        return await identity.sign_in_with_code(frame.database, code)
    return await identity.sign_in_with_password(frame.database, frame.parts.passwords, login, password)
