"""Signing in and out through the pages: the cookie, the form's token, the way back, and where each role lands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from cloud.identity.callers import SESSION_COOKIE
from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.web.browsing import csrf_of, reading, sign_in
from tests.support import api


@pytest_asyncio.fixture
async def app(database: Database, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with api.running_api(database, tmp_path) as built:
        yield built


@pytest_asyncio.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with reading(app) as opened:
        yield opened


async def test_a_stranger_is_led_to_the_sign_in_page_and_back(
    browser: httpx.AsyncClient, database: Database, tenant: TenantId
) -> None:
    code = await api.add_person(database, tenant, "li", RoleName.MANAGER)
    asked = await browser.get("/no-role?x=1")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=%2Fno-role%3Fx%3D1")
    door = await browser.get(asked.headers["location"])
    answer = await browser.post("/sign-in", data={"csrf": csrf_of(door), "code": code, "goal": "/no-role?x=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/no-role?x=1")
    assert "gatehouse_session=" in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=lax" in answer.headers["set-cookie"]


@pytest.mark.parametrize("goal", ["https://evil.example/", "//evil.example/", "/\\evil.example", "evil"])
async def test_signing_in_never_leads_to_another_site(
    browser: httpx.AsyncClient, database: Database, tenant: TenantId, goal: str
) -> None:
    code = await api.add_person(database, tenant, "li", RoleName.MANAGER)
    door = await browser.get("/sign-in", params={"next": goal})
    answer = await browser.post("/sign-in", data={"csrf": csrf_of(door), "code": code, "goal": goal})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (RoleName.MANAGER, "/dashboard"),
        (RoleName.CASHIER, "/desk"),
        (RoleName.TECHNICIAN, "/cases"),
        (RoleName.RESIDENT, "/my"),
    ],
)
async def test_each_role_lands_in_its_own_place(
    browser: httpx.AsyncClient, database: Database, tenant: TenantId, role: RoleName, place: str
) -> None:
    await sign_in(browser, await api.add_person(database, tenant, "li", role))
    assert (await browser.get("/")).headers["location"] == place


async def test_a_wrong_code_signs_nobody_in_and_says_nothing_more(browser: httpx.AsyncClient) -> None:
    door = await browser.get("/sign-in")
    answer = await browser.post("/sign-in", data={"csrf": csrf_of(door), "code": "AAAAA-AAAAA-AAAAA"})
    assert answer.status_code == 401
    assert "无法登录" in answer.text
    assert SESSION_COOKIE not in browser.cookies


async def test_a_form_of_another_site_signs_nobody_in(
    browser: httpx.AsyncClient, database: Database, tenant: TenantId
) -> None:
    code = await api.add_person(database, tenant, "li", RoleName.MANAGER)
    await browser.get("/sign-in")
    answer = await browser.post("/sign-in", data={"code": code, "csrf": "0" * 64})
    assert answer.status_code == 403
    assert SESSION_COOKIE not in browser.cookies


async def test_signing_out_ends_the_session_itself_and_not_only_the_cookie(
    browser: httpx.AsyncClient, database: Database, tenant: TenantId
) -> None:
    await sign_in(browser, await api.add_person(database, tenant, "li", RoleName.RESIDENT))
    held = browser.cookies[SESSION_COOKIE]
    token = csrf_of(await browser.get("/nowhere"))
    left = await browser.post("/sign-out", data={"csrf": token})
    assert left.headers["location"] == "/sign-in?done=signed-out"
    assert "您已退出登录" in (await browser.get(left.headers["location"])).text
    browser.cookies.set(SESSION_COOKIE, held)
    assert (await browser.get("/")).headers["location"] == "/sign-in"


async def test_a_post_without_the_forms_token_changes_nothing(
    browser: httpx.AsyncClient, database: Database, tenant: TenantId
) -> None:
    await sign_in(browser, await api.add_person(database, tenant, "li", RoleName.RESIDENT))
    assert (await browser.post("/sign-out")).status_code == 403
    assert (await browser.get("/")).headers["location"] == "/my"
