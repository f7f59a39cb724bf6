"""Headers, form tokens and cookies of the pages."""

from __future__ import annotations

from pathlib import Path

import httpx
from fastapi import FastAPI

from cloud.identity.callers import Authentication
from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from cloud.web.pages import build_web
from cloud.web.security import form_token
from common.ids import TenantId
from tests.cloud.web.broken import parts_of
from tests.cloud.web.browsing import reading
from tests.support import api


async def test_every_answer_narrows_what_a_browser_may_do(stranger: httpx.AsyncClient) -> None:
    for path in ("/sign-in", "/nowhere", "/static/gatehouse.css", "/broken"):
        headers = (await stranger.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
    assert (await stranger.get("/sign-in")).headers["cache-control"] == "no-store"


async def test_cookies_are_secure_where_the_house_is_reached_by_https(database: Database, tmp_path: Path) -> None:
    async with api.running_services(database, tmp_path) as services:
        app = build_web(parts_of(services, secure=True))
        app.add_middleware(Authentication, database=database)
        async with reading(app) as opened:
            cookie = (await opened.get("/sign-in")).headers["set-cookie"]
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


async def test_a_program_with_a_bearer_token_needs_no_form_token(
    whole_app: FastAPI, database: Database, tenant: TenantId
) -> None:
    token = await api.signed_in(database, tenant, "li", RoleName.RESIDENT)
    async with api.client(whole_app, token) as client:
        assert (await client.post("/sign-out")).status_code == 303


def test_form_tokens_of_two_browsers_differ() -> None:
    assert form_token("a" * 43) != form_token("b" * 43)
