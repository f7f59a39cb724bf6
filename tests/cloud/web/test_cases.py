"""The work list and one case: seen, noted, taken, closed, and by nobody of another community."""

from __future__ import annotations

import httpx
from fastapi import FastAPI

from cloud.cases.case import CaseKind
from cloud.estate import service as estate
from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import reading, send, sign_in
from tests.cloud.web.garden import report_case
from tests.support import api


async def test_a_case_is_noted_taken_and_closed_with_its_reason(garden: Office, technician: httpx.AsyncClient) -> None:
    case = await report_case(garden, garden.site.flats[0], "no_reading")
    path = f"/cases/{case}"
    garden.clock.advance(days=3)
    assert "3 天 d" in (await technician.get("/cases")).text
    await send(technician, path, f"{path}/notes", {"note": "RS-485 线松了"})
    await send(technician, path, f"{path}/assignment", {"owner_role": "technician", "mine": "yes"})
    page = await technician.get(path)
    assert "RS-485 线松了" in page.text
    assert "me</span>" in page.text
    closed = await send(technician, path, f"{path}/closing", {"reason": "已接好"})
    assert closed.headers["location"] == "/cases?done=closed"
    assert "没有未结事项" in (await technician.get("/cases")).text
    assert "已接好" in (await technician.get(path)).text
    again = await technician.get(path)
    assert f"{path}/closing" not in again.text


async def test_a_note_is_shown_as_text_and_never_as_markup(garden: Office, technician: httpx.AsyncClient) -> None:
    path = f"/cases/{await report_case(garden, garden.site.flats[0], 'no_reading')}"
    await send(technician, path, f"{path}/notes", {"note": "<script>alert(1)</script>"})
    page = (await technician.get(path)).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


async def test_the_work_list_is_filtered_paged_and_filed(garden: Office, manager: httpx.AsyncClient) -> None:
    for number, flat in enumerate(garden.site.flats):
        await report_case(garden, flat, "no_reading", CaseKind.ANOMALY if number % 2 else CaseKind.EXCEPTION)
    anomalies = await manager.get("/cases", params={"kind": "anomaly", "owner": "", "community": "GARDEN"})
    assert anomalies.text.count('class="badge gh-anomaly"') == 6
    assert 'class="badge gh-exception"' not in anomalies.text
    first = await manager.get("/cases", params={"limit": 5})
    assert 'rel="next" href="/cases?limit=5&amp;offset=5"' in first.text
    last = await manager.get("/cases", params={"limit": 5, "offset": 10})
    assert 'rel="next"' not in last.text
    assert 'rel="prev"' in last.text
    filed = await manager.get("/cases/open.csv", params={"kind": "anomaly"})
    assert len(filed.text.strip().splitlines()) == 7


async def test_a_case_of_another_community_looks_like_none(
    garden_app: FastAPI, garden: Office, database: Database, tenant: TenantId
) -> None:
    case = await report_case(garden, garden.site.flats[0], "no_reading")
    async with database.unit(tenant, garden.site.actor) as unit:
        lake = await estate.create_community(unit, code="LAKE", name="湖畔", starts=b.START)
    async with reading(garden_app) as opened:
        await sign_in(opened, await api.add_person(database, tenant, "lake", RoleName.MANAGER, lake))
        assert (await opened.get(f"/cases/{case}")).status_code == 404
        assert (await send(opened, "/cases", f"/cases/{case}/closing", {"reason": "mine"})).status_code == 404
