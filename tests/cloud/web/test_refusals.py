"""How pages refuse: people get a page, programs a problem, htmx a note; faults say nothing."""

from __future__ import annotations

import httpx
from fastapi import FastAPI

from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.web.browsing import reading, sign_in
from tests.support import api


async def test_what_is_nowhere_is_a_page_for_people_and_a_problem_for_programs(stranger: httpx.AsyncClient) -> None:
    page = await stranger.get("/nowhere")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "找不到该页面" in page.text
    for path in ("/nowhere", "/api/v1/nowhere"):
        told = await stranger.get(path, headers={"Accept": "application/json"})
        assert (told.status_code, told.headers["content-type"]) == (404, "application/problem+json")


async def test_a_fault_of_ours_says_nothing_about_the_inside(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/broken")
    assert answer.status_code == 500
    assert "系统出错" in answer.text
    assert "secret" not in answer.text


async def test_a_part_that_htmx_asks_for_is_refused_as_a_note_and_a_stranger_is_led_to_the_door(
    whole_app: FastAPI, database: Database, tenant: TenantId
) -> None:
    async with reading(whole_app) as opened:
        part_of_page = {"HX-Request": "true", "Accept": "*/*"}
        stranger = await opened.get("/dashboard", headers=part_of_page)
        assert (stranger.status_code, stranger.headers["hx-redirect"]) == (204, "/sign-in?next=%2Fdashboard")
        await sign_in(opened, await api.add_person(database, tenant, "li", RoleName.RESIDENT))
        refused = await opened.get("/dashboard", headers=part_of_page)
        assert refused.status_code == 403
        assert "<html" not in refused.text
        assert 'role="alert"' in refused.text
