"""The frame every page stands in.

A page group is a module with one function, listed in `pages.py`:

    def build_pages(frame: Frame) -> APIRouter:
        router = page_router()                                     forms are checked for their token (CSRF)

        @router.get("/desk")
        async def desk(request: Request, caller: Cashier) -> Response:
            async with frame.database.view(caller.tenant) as session: ...
            return frame.page(request, "desk/start.html", caller=caller, rows=...)

        @router.post("/desk/shifts")
        async def open_shift(caller: Cashier, opening_fen: Annotated[int, Form()]) -> Response:
            async with frame.database.unit(caller.tenant, caller.actor) as unit: ...
            return see_other("/desk", done="shift-opened")         the word stands in messages.py

Who calls: `SignedIn` and `require(Permission.X)` of `cloud.identity.callers`, as in the API. A stranger is sent to the
sign-in page and back; a refusal (`RefusalError`) becomes an error page with its status. Raise, never build one.

A template extends `base.html`, fills `title` and `content`, and always has: `caller` (or None), `places`, `here` (the
path), `csrf` (put it into every form: <input type="hidden" name="csrf" value="{{ csrf }}">), `done` (words to say or
None), `at(name=value)` (this address with other query values), `asset(name)`, `say(zh, en)` and the filters of
`rendering.py`. `parts.html` holds the macros for pagers, empty states, choices and charts. A fragment for htmx is a
template that does not extend `base.html`.

Lists: `Paging`/`paging` of `cloud.kit.httpapi`, `listing()`, `part()` and `csv_file()` of `listing.py`; the navigation
is `navigation.PLACES`. No inline script, style or style attribute: the content policy refuses them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing.documents import PastRater
from cloud.documents.service import Press
from cloud.documents.signer import KeyKeeper
from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.identity.caller import Caller
from cloud.identity.credentials import Passwords
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import NotFoundError
from cloud.kit.secretbox import SecretBox
from cloud.mandates.clerk import MandateClerk
from cloud.payments.cashier import Cashier
from cloud.web import audit_words
from cloud.web.assets import asset
from cloud.web.manager_words import FILTERS
from cloud.web.messages import DONE
from cloud.web.navigation import places_for
from cloud.web.rendering import environment
from cloud.web.security import form_secret, form_token, keep_form_secret, new_form_secret, require_own_form


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What pages are given from outside."""

    database: Database
    passwords: Passwords
    cashier: Cashier
    mandates: MandateClerk
    press: Press
    rate: PastRater
    secret_box: SecretBox
    seal_keeper: KeyKeeper | None
    plain_mail_hosts: frozenset[str]
    public_url: str
    secure_cookies: bool


class Frame:
    """Renders pages and holds what page groups work with; one for all requests, without any state of its own."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.database = parts.database
        self._templates = environment()
        self._templates.globals.update(asset=asset)
        self._templates.filters.update(FILTERS)
        self._templates.filters.update(audit_words.FILTERS)

    def now(self) -> datetime:
        """Return the business time."""
        return self.database.clock.now()

    def page(
        self,
        request: Request,
        template: str,
        *,
        caller: Caller | None,
        status: HTTPStatus = HTTPStatus.OK,
        **values: Any,
    ) -> HTMLResponse:
        """Return a page or a fragment from a template and its values."""
        secret = form_secret(request)
        fresh = None if secret is not None else new_form_secret()

        def at(**changes: object) -> str:
            return address(request, **changes)

        text = self._templates.get_template(template).render(
            caller=caller,
            places=places_for(caller),
            here=request.url.path,
            csrf=form_token(secret or fresh or ""),
            done=DONE.get(request.query_params.get("done", "")),
            at=at,
            **values,
        )
        response = HTMLResponse(text, status_code=status)
        if fresh is not None:
            keep_form_secret(response, fresh, secure=self.parts.secure_cookies)
        return response


def page_router() -> APIRouter:
    """Return a router for pages: its forms must carry their token, and the API's description leaves it out."""
    return APIRouter(dependencies=[Depends(require_own_form)], include_in_schema=False)


def see_other(path: str, *, done: str | None = None, **query: object) -> RedirectResponse:
    """Return the browser to a page after a form, with a word of `messages.DONE` to say there."""
    wanted = {name: str(value) for name, value in query.items() if value is not None}
    if done is not None:
        wanted["done"] = done
    return RedirectResponse(f"{path}?{urlencode(wanted)}" if wanted else path, status_code=HTTPStatus.SEE_OTHER)


def address(request: Request, **changes: object) -> str:
    """Return the path and query of a request with other query values; None takes a value out."""
    query = {name: value for name, value in request.query_params.items() if name != "done"}
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = str(value)
    return f"{request.url.path}?{urlencode(query)}" if query else request.url.path


async def communities_of(session: AsyncSession, caller: Caller, permission: Permission) -> tuple[Community, ...]:
    """Return the communities in which a caller holds a permission, in the company's order."""
    scope = caller.scope(permission)
    return tuple(community for community in await estate.communities(session) if community.id in scope)


def chosen(communities: tuple[Community, ...], code: str | None) -> Community:
    """Return the community that a filter names by its code, or the first when it names none.

    Raises:
        NotFoundError: there is none of that code, or none at all.
    """
    for community in communities:
        if code is None or community.code == code:
            return community
    raise NotFoundError("there is no such community, or none that you may see; a site is loaded by `gatehouse cloud`")
