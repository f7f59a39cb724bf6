"""Who may open which page: nobody unknown, and each role its own places."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from cloud.estate import service as estate
from cloud.identity.policy import ROLE_PERMISSIONS, RoleName
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.web.navigation import PLACES
from common.ids import TenantId
from tests.cloud.web.browsing import csrf_of, reading, sign_in
from tests.support import api
from tests.support.endpoints import Filler, operations

OPEN = ("/sign-in", "/pay/", "/v")  # a stranger may open these


async def test_no_page_opens_to_a_stranger_and_no_form_of_his_is_taken(
    whole_app: FastAPI, stranger: httpx.AsyncClient
) -> None:
    pages = whole_app.router.default
    assert isinstance(pages, FastAPI)
    filler = Filler({}, UUID(int=1))
    asked = [call for call in operations(pages) if not call.path.startswith((*OPEN, "/broken"))]
    for call in asked:
        answer = await stranger.request(**filler.request(call))
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
    whole_app: FastAPI, database: Database, tenant: TenantId, actor: Actor, role: RoleName
) -> None:
    async with database.unit(tenant, actor) as unit:
        await estate.create_community(unit, code="g", name="花园", starts=date(2026, 1, 1))
    async with reading(whole_app) as opened:
        await sign_in(opened, await api.add_person(database, tenant, "li", role))
        for place in PLACES:
            answer = await opened.get(place.path)
            allowed = place.needs in ROLE_PERMISSIONS[role]
            assert answer.status_code == (200 if allowed else 403), (place.path, answer.text)


async def test_what_is_the_whole_companys_opens_to_no_manager_of_one_community(
    whole_app: FastAPI, database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        garden = await estate.create_community(unit, code="g", name="花园", starts=date(2026, 1, 1))
    code = await api.add_person(database, tenant, "li", RoleName.MANAGER, garden)
    wide = [place.path for place in PLACES if place.company_wide]
    assert "/seals" in wide
    async with reading(whole_app) as opened:
        await sign_in(opened, code)
        for path in wide:
            assert (await opened.get(path)).status_code == 403, path
        assert "请联系管理全公司的人员" in (await opened.get("/audit")).text
        form = {"csrf": csrf_of(await opened.get("/dashboard")), "legal_entity_id": str(UUID(int=1))}
        assert (await opened.post("/seals/exchange", data=form)).status_code == 403
        program = await opened.post("/api/v1/seal-keys", json={"legal_entity_id": str(UUID(int=1))})
        assert program.status_code == 403, program.text
