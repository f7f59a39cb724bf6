"""What every page has in common: who may open it, headers, static files, refusals, lists and files."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI, Response

from cloud.api import build_api
from cloud.estate import service as estate
from cloud.identity.callers import Authentication
from cloud.identity.policy import ROLE_PERMISSIONS, RoleName
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.httpapi import Paging
from cloud.rating.service import rate_period
from cloud.services import Services
from cloud.web.assets import asset
from cloud.web.frame import Frame, Parts, page_router
from cloud.web.listing import csv_file, listing, part
from cloud.web.manager_words import worded
from cloud.web.navigation import PLACES, local_path
from cloud.web.pages import GROUPS, build_web
from cloud.web.security import form_token
from common.errors import InvariantError
from common.ids import TenantId
from tests.cloud.web.browsing import reading, sign_in
from tests.support import api
from tests.support.endpoints import Filler, operations

OPEN = ("/sign-in", "/pay/")  # a stranger may open these


def broken_pages(frame: Frame) -> APIRouter:
    del frame
    router = page_router()

    @router.get("/broken")
    async def broken() -> Response:
        raise InvariantError("the secret inside")

    return router


def parts_of(services: Services, *, secure: bool = False) -> Parts:
    return Parts(
        database=services.database,
        passwords=services.passwords,
        cashier=services.cashier,
        rate=rate_period,
        public_url=services.public_url,
        secure_cookies=secure,
    )


@pytest_asyncio.fixture
async def app(database: Database, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with api.running_services(database, tmp_path) as services:
        built = build_api(services)
        built.router.default = build_web(parts_of(services), (*GROUPS, broken_pages))
        yield built


@pytest_asyncio.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with reading(app) as opened:
        yield opened


async def test_no_page_opens_to_a_stranger_and_no_form_of_his_is_taken(
    app: FastAPI, browser: httpx.AsyncClient
) -> None:
    pages = app.router.default
    assert isinstance(pages, FastAPI)
    filler = Filler({}, UUID(int=1))
    asked = [call for call in operations(pages) if not call.path.startswith((*OPEN, "/broken"))]
    for call in asked:
        answer = await browser.request(**filler.request(call))
        where = f"{call.method} {call.path} {answer.status_code}"
        if call.method == "get":
            assert answer.status_code == 303, where
            assert answer.headers["location"].startswith("/sign-in"), where
        else:
            assert answer.status_code in {303, 403, 404, 422}, where
            assert "set-cookie" not in answer.headers or "gatehouse_session" not in answer.headers["set-cookie"], where
    assert len(asked) > 30


@pytest.mark.parametrize("role", list(RoleName))
async def test_a_place_opens_to_those_who_hold_its_permission_and_to_nobody_else(
    app: FastAPI, database: Database, tenant: TenantId, actor: Actor, role: RoleName
) -> None:
    async with database.unit(tenant, actor) as unit:
        await estate.create_community(unit, code="g", name="花园", starts=date(2026, 1, 1))
    async with reading(app) as opened:
        await sign_in(opened, await api.add_person(database, tenant, "li", role))
        for place in PLACES:
            answer = await opened.get(place.path)
            allowed = place.needs in ROLE_PERMISSIONS[role]
            assert answer.status_code == (200 if allowed else 403), (place.path, answer.text)


async def test_the_audit_log_is_only_for_who_manages_the_whole_company(
    app: FastAPI, database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        community = await estate.create_community(unit, code="g", name="花园", starts=date(2026, 1, 1))
    async with reading(app) as opened:
        await sign_in(opened, await api.add_person(database, tenant, "li", RoleName.MANAGER, community))
        assert (await opened.get("/audit")).status_code == 403
        assert 'href="/audit"' not in (await opened.get("/dashboard")).text
        assert (await opened.get("/audit/log.csv")).status_code == 403


async def test_every_answer_narrows_what_a_browser_may_do(browser: httpx.AsyncClient) -> None:
    for path in ("/sign-in", "/nowhere", "/static/gatehouse.css", "/broken"):
        headers = (await browser.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
    assert (await browser.get("/sign-in")).headers["cache-control"] == "no-store"


async def test_a_named_static_file_is_kept_for_good_and_an_unnamed_one_asked_for_again(
    browser: httpx.AsyncClient,
) -> None:
    address = asset("gatehouse.css")
    named = await browser.get(address)
    assert named.headers["content-type"] == "text/css; charset=utf-8"
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    plain = await browser.get("/static/gatehouse.css")
    assert plain.headers["cache-control"] == "no-cache"
    again = await browser.get("/static/gatehouse.css", headers={"If-None-Match": plain.headers["etag"]})
    assert again.status_code == 304
    assert (await browser.get("/static/gatehouse.js")).headers["content-type"].startswith("text/javascript")
    assert (await browser.get("/static/mark.svg")).headers["content-type"].startswith("image/svg+xml")
    for outside in ("/static/../pages.py", "/static/%2e%2e/pages.py", "/static/vendor/none.js"):
        assert (await browser.get(outside)).status_code == 404, outside


async def test_what_is_nowhere_is_a_page_for_people_and_a_problem_for_programs(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/nowhere")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "找不到该页面" in page.text
    for path in ("/nowhere", "/api/v1/nowhere"):
        told = await browser.get(path, headers={"Accept": "application/json"})
        assert (told.status_code, told.headers["content-type"]) == (404, "application/problem+json")


async def test_a_fault_of_ours_says_nothing_about_the_inside(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/broken")
    assert answer.status_code == 500
    assert "系统出错" in answer.text
    assert "secret" not in answer.text


async def test_a_part_that_htmx_asks_for_is_refused_as_a_note_and_a_stranger_is_led_to_the_door(
    app: FastAPI, database: Database, tenant: TenantId
) -> None:
    async with reading(app) as opened:
        part_of_page = {"HX-Request": "true", "Accept": "*/*"}
        stranger = await opened.get("/dashboard", headers=part_of_page)
        assert (stranger.status_code, stranger.headers["hx-redirect"]) == (204, "/sign-in?next=%2Fdashboard")
        await sign_in(opened, await api.add_person(database, tenant, "li", RoleName.RESIDENT))
        refused = await opened.get("/dashboard", headers=part_of_page)
        assert refused.status_code == 403
        assert "<html" not in refused.text
        assert 'role="alert"' in refused.text


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
    app: FastAPI, database: Database, tenant: TenantId
) -> None:
    token = await api.signed_in(database, tenant, "li", RoleName.RESIDENT)
    async with api.client(app, token) as client:
        assert (await client.post("/sign-out")).status_code == 303


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("/cases?kind=alarm", "/cases?kind=alarm"),
        ("/", "/"),
        ("//evil.example", None),
        ("/\\evil.example", None),
        ("https://evil.example", None),
        ("/a\nb", None),
        ("", None),
    ],
)
def test_a_way_back_is_a_path_of_ours_or_none(wanted: str, found: str | None) -> None:
    assert local_path(wanted) == found


def test_form_tokens_of_two_browsers_differ() -> None:
    assert form_token("a" * 43) != form_token("b" * 43)


def test_a_list_knows_its_neighbours() -> None:
    rows = list(range(7))
    first, middle, last = (part(rows, Paging(offset=offset, limit=3)) for offset in (0, 3, 6))
    assert (first.rows, first.previous_offset, first.next_offset) == ((0, 1, 2), None, 3)
    assert (middle.rows, middle.previous_offset, middle.next_offset) == ((3, 4, 5), 0, 6)
    assert (last.rows, last.previous_offset, last.next_offset) == ((6,), 3, None)
    assert listing([], Paging(offset=0, limit=3)).rows == ()


def test_no_cell_of_a_file_is_run_by_a_spreadsheet() -> None:
    nasty = ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "plain", "-12.50", "1,234.00", "-1,234.00"]
    answer = csv_file("x.csv", ("a",), [[cell] for cell in nasty])
    read = list(csv.reader(io.StringIO(bytes(answer.body).decode()[1:])))
    cells = [row[0] for row in read[1:]]
    assert cells == ["'=1+1", "'+A1", "'-A1", "'@SUM(A1)", "'\t=1", "plain", "-12.50", "1,234.00", "-1,234.00"]


def test_a_file_has_a_plain_name() -> None:
    with pytest.raises(ValueError, match="no file name"):
        csv_file('x"; y', ("a",), [])


def test_a_code_without_words_is_shown_and_not_hidden() -> None:
    words = worded({"leak": ("漏水", "Leak")})
    assert words("leak") == ("漏水", "Leak")
    assert words("something_new") == ("something_new", "")
