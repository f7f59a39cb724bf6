"""The whole application with one page more, that fails: what a fault of ours looks like from outside."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Response

from cloud.api import build_api
from cloud.rating.service import rate_period
from cloud.services import Services
from cloud.web.frame import Frame, Parts, page_router
from cloud.web.pages import GROUPS, build_web
from common.errors import InvariantError


def broken_pages(frame: Frame) -> APIRouter:
    """Return a page group whose page fails."""
    del frame
    router = page_router()

    @router.get("/broken")
    async def broken() -> Response:
        raise InvariantError("the secret inside")

    return router


def parts_of(services: Services, *, secure: bool = False) -> Parts:
    """Return what pages are given, with cookies for https or not."""
    return Parts(
        database=services.database,
        passwords=services.passwords,
        cashier=services.cashier,
        mandates=services.mandates,
        press=services.press,
        rate=rate_period,
        secret_box=services.secret_box,
        seal_keeper=services.seal_keeper,
        public_url=services.public_url,
        secure_cookies=secure,
        plain_mail_hosts=services.message_urls.plain_mail_hosts,
    )


def with_broken_page(services: Services) -> FastAPI:
    """Return the whole application with the page that fails."""
    built = build_api(services)
    built.router.default = build_web(parts_of(services), (*GROUPS, broken_pages))
    return built
