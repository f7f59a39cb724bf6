"""The dashboard shows what the book says, of the community and period chosen, and the same as files."""

from __future__ import annotations

import csv
import io

import httpx
from fastapi import FastAPI

from cloud.estate import service as estate
from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import reading, sign_in
from tests.cloud.web.garden import bill_months, report_case
from tests.support import api


def rows_of(answer: httpx.Response) -> list[list[str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(answer.text[1:])))


async def test_an_empty_community_shows_empty_states_and_no_error(manager: httpx.AsyncClient) -> None:
    page = await manager.get("/dashboard")
    assert page.status_code == 200
    assert "还没有账期" in page.text
    assert "没有逾期欠费" in page.text


async def test_the_figures_are_those_of_the_book(garden: Office, manager: httpx.AsyncClient) -> None:
    await bill_months(garden, 2, paid=4)
    page = await manager.get("/dashboard", params={"community": "GARDEN", "period": "2026-01-01"})
    january = rows_of(await manager.get("/dashboard/collection.csv", params={"period": "2026-01-01"}))
    billed = sum(18_000 + 1_500 * n + 4_321 + 777 * (n % 5) for n in range(1, 13))
    assert sum(round(float(row[2]) * 100) for row in _plain(january)) == billed
    assert [row[0] for row in january[1:]] == ["1号楼", "2号楼", ""]
    assert f"{billed // 100:,}.{billed % 100:02d}" in page.text
    assert "收缴率" in page.text


def _plain(rows: list[list[str]]) -> list[list[str]]:
    return [[cell.replace(",", "") for cell in row] for row in rows[1:]]


async def test_arrears_list_the_largest_first_and_mask_the_name(garden: Office, manager: httpx.AsyncClient) -> None:
    await bill_months(garden, 1, paid=3)
    garden.clock.advance(days=40)
    page = await manager.get("/dashboard")
    arrears = rows_of(await manager.get("/dashboard/arrears.csv"))
    amounts = [round(float(row[2]) * 100) for row in _plain(arrears)]
    assert len(amounts) == 9
    assert amounts == sorted(amounts, reverse=True)
    assert "孙*" in page.text
    assert "孙悦" not in page.text


async def test_open_cases_are_counted_by_kind_and_reason(garden: Office, manager: httpx.AsyncClient) -> None:
    for flat in garden.site.flats[:3]:
        await report_case(garden, flat, "no_reading")
    page = await manager.get("/dashboard")
    assert "缺少读数" in page.text


async def test_a_manager_of_one_community_sees_no_other(
    garden_app: FastAPI, garden: Office, database: Database, tenant: TenantId
) -> None:
    async with database.unit(tenant, garden.site.actor) as unit:
        other = await estate.create_community(unit, code="LAKE", name="湖畔", starts=b.START)
    async with reading(garden_app) as browser:
        code = await api.add_person(database, tenant, "lake", RoleName.MANAGER, other)
        await sign_in(browser, code)
        page = await browser.get("/dashboard")
        assert "湖畔" in page.text
        assert "花园小区" not in page.text
        assert (await browser.get("/dashboard", params={"community": "GARDEN"})).status_code == 404
