"""The audit log, filtered and as a file."""

from __future__ import annotations

from datetime import date

import httpx
from fastapi import FastAPI

from cloud.estate import service as estate
from cloud.identity.policy import RoleName
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import reading, sign_in
from tests.cloud.web.garden import plan_gateway, report_case
from tests.support import api


async def test_the_audit_log_is_filtered_by_actor_deed_thing_and_day(
    garden: Office, manager: httpx.AsyncClient
) -> None:
    await plan_gateway(garden)
    garden.clock.advance(days=10)
    await report_case(garden, garden.site.flats[0], "no_reading")
    everything = (await manager.get("/audit/log.csv")).text
    assert "planned" in everything
    opened = (await manager.get("/audit/log.csv", params={"thing": "open_case"})).text.strip().splitlines()
    assert len(opened) == 2
    assert "planned" not in (await manager.get("/audit/log.csv", params={"since": "2026-01-10"})).text
    assert "open_case" not in (await manager.get("/audit/log.csv", params={"through": "2026-01-10"})).text
    assert "没有符合条件的记录" in (await manager.get("/audit", params={"actor": "nobody"})).text
    told = (await manager.get("/audit", params={"actor": "manager", "action": "signed in"})).text
    assert 'value="signed in" selected' in told
    assert "登录会话" in told


async def test_the_audit_log_is_only_for_who_manages_the_whole_company(
    garden_app: FastAPI, database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        community = await estate.create_community(unit, code="g", name="花园", starts=date(2026, 1, 1))
    async with reading(garden_app) as opened:
        await sign_in(opened, await api.add_person(database, tenant, "li", RoleName.MANAGER, community))
        assert (await opened.get("/audit")).status_code == 403
        assert 'href="/audit"' not in (await opened.get("/dashboard")).text
        assert (await opened.get("/audit/log.csv")).status_code == 403
