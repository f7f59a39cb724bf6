"""Commissioning in the office: the difference before it is sent, one gateway first, found meters, codes, revocation."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import expect

from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.fleet import rollout
from cloud.fleet import service as fleet
from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from common.ids import GatewayId, TenantId
from common.wire import records
from common.wire.commissioning import METER_PROPOSED, pack_proposal
from common.wire.stamp import ClockSource, Stamp
from tests.cloud.billing.conftest import Office
from tests.cloud.fleet.test_rollout import SITE, later
from tests.cloud.web.browsing import send
from tests.cloud.web.garden import plan_gateway
from tests.common.wire.test_commissioning import PROPOSAL
from tests.support import api
from tests.support.browser import chromium, keep_picture, serving, watched

COUNTERS = {"batches_pending": 3, "clock_trusted": 0, "meters": 40, "meters_silent": 2, "software": 1_020_003}


async def configured(garden: Office, label: str = "1号楼弱电间") -> GatewayId:
    """Plan a gateway with a configuration that is good, and a health report."""
    async with garden.site.database.unit(garden.site.tenant, garden.site.actor) as unit:
        gateway_id, _ = await fleet.create_gateway(unit, label=label)
        await rollout.publish_site(unit, gateway_id, SITE, base=0)
    await reported(garden, gateway_id, 1, "good")
    return gateway_id


async def reported(garden: Office, gateway_id: GatewayId, version: int, effect: str) -> None:
    stamp = Stamp(boot_no=1, boot_ms=1, at_ms=version, source=ClockSource.SYNCHRONISED, uncertainty_ms=0)
    told = records.BundleEffect(kind="site", version=version, effect=effect, detail="")
    health = (version, stamp, records.Health(counters=COUNTERS))
    async with garden.site.database.unit(garden.site.tenant, garden.site.actor) as unit:
        await fleet.note_reports(unit, gateway_id, 1, [(version, stamp, told)], health)


async def found_on_site(garden: Office, gateway_id: GatewayId) -> None:
    report = CaseReport(
        kind=CaseKind.EXCEPTION,
        reason=METER_PROPOSED,
        origin="metering",
        object_kind="gateway",
        object_id=gateway_id,
        subject="g1-bus/33000001",
        community_id=None,
        owner_role=OwnerRole.MANAGER,
        detail_zh="待接受",
        detail_en="to accept",
        figures={"proposal": pack_proposal(PROPOSAL)},
    )
    async with garden.site.database.unit(garden.site.tenant, garden.site.actor) as unit:
        await cases.raise_case(unit, report)


async def site_of(garden: Office, gateway_id: GatewayId) -> tuple[int, dict[str, object]]:
    async with garden.site.database.view(garden.site.tenant) as session:
        return await rollout.site(session, gateway_id)


async def test_the_fleet_page_says_how_each_gateway_does(garden: Office, technician: httpx.AsyncClient) -> None:
    gateway = await configured(garden)
    await found_on_site(garden, gateway)
    page = (await technician.get("/fleet")).text
    for words in ("2 / 40", "未校准", "v1", "可用", "1.20.3", 'data-label="积压 Backlog">3<'):
        assert words in page
    assert "2 / 40" in (await technician.get(f"/fleet/{gateway}")).text


async def test_a_change_is_shown_before_it_is_sent_and_sent_once(garden: Office, manager: httpx.AsyncClient) -> None:
    gateway = await configured(garden)
    place = f"/fleet/{gateway}/site"
    text = rollout.site_text(later("02:30"))
    shown = await send(manager, place, f"{place}/preview", {"base": "1", "text": text})
    assert "daily_at: 00:00" in shown.text.replace("&#39;", "").replace("'", "")
    assert "02:30" in shown.text
    assert (await site_of(garden, gateway))[0] == 1
    sent = await send(manager, place, f"{place}/publish", {"base": "1", "text": text})
    assert sent.status_code == 303
    assert await site_of(garden, gateway) == (2, later("02:30"))
    again = await send(manager, place, f"{place}/publish", {"base": "1", "text": text})
    assert again.status_code == 409
    assert "等待试运行" in (await manager.get(place)).text
    same = await send(manager, place, f"{place}/preview", {"base": "2", "text": text})
    assert "没有差异" in same.text


async def test_a_text_that_is_no_configuration_is_refused(garden: Office, manager: httpx.AsyncClient) -> None:
    gateway = await configured(garden)
    place = f"/fleet/{gateway}/site"
    answer = await send(manager, place, f"{place}/publish", {"base": "1", "text": "zone: ["})
    assert answer.status_code == 422
    assert (await site_of(garden, gateway))[0] == 1


async def test_the_rest_follows_only_after_the_first_reports_good(garden: Office, manager: httpx.AsyncClient) -> None:
    first, second = await configured(garden, "a"), await configured(garden, "b")
    async with garden.site.database.unit(garden.site.tenant, garden.site.actor) as unit:
        await rollout.publish_site(unit, first, later("02:30"), base=1)
    place = f"/fleet/{first}/rollout"
    early = await send(manager, place, place, {"target": f"{second}:1"})
    assert early.status_code == 409
    await reported(garden, first, 2, "good")
    assert "02:30" in (await manager.get(place)).text
    assert (await send(manager, place, place, {"target": "nonsense"})).status_code == 400
    assert (await send(manager, place, place, {"target": f"{second}:1"})).status_code == 303
    assert await site_of(garden, second) == (2, later("02:30"))


async def test_a_failed_configuration_is_taken_back_in_one_click(garden: Office, manager: httpx.AsyncClient) -> None:
    gateway = await configured(garden)
    async with garden.site.database.unit(garden.site.tenant, garden.site.actor) as unit:
        await rollout.publish_site(unit, gateway, later("02:30"), base=1)
    await reported(garden, gateway, 2, "rolled_back")
    place = f"/fleet/{gateway}/site"
    assert "已自动退回" in (await manager.get(place)).text
    assert (await send(manager, place, f"{place}/rollback", {})).status_code == 303
    assert await site_of(garden, gateway) == (3, SITE)


@pytest.mark.parametrize(("accept", "devices"), [("true", 1), ("false", 0)])
async def test_a_found_meter_is_decided_once(
    garden: Office, manager: httpx.AsyncClient, accept: str, devices: int
) -> None:
    gateway = await configured(garden)
    await found_on_site(garden, gateway)
    place = f"/fleet/{gateway}/site"
    page = (await manager.get(place)).text
    assert "33000001" in page
    async with garden.site.database.view(garden.site.tenant) as session:
        (case,) = await cases.open_about(session, [gateway])
    decided = await send(manager, place, f"/fleet/{gateway}/found/{case.case_id}", {"accept": accept})
    assert decided.status_code == 303
    _, body = await site_of(garden, gateway)
    assert len(body["devices"]) == devices  # type: ignore[arg-type]
    again = await send(manager, place, f"/fleet/{gateway}/found/{case.case_id}", {"accept": accept})
    assert again.status_code == 404


async def test_a_code_is_shown_once_to_read_and_to_scan_and_a_revoked_gateway_gets_none(
    garden: Office, manager: httpx.AsyncClient
) -> None:
    planned = await send(manager, "/fleet", "/fleet", {"label": "3号楼"})
    assert "<svg" in planned.text
    gateway = await plan_gateway(garden)
    issued = await send(manager, f"/fleet/{gateway}", f"/fleet/{gateway}/code", {})
    assert "<svg" in issued.text
    assert (await send(manager, f"/fleet/{gateway}", f"/fleet/{gateway}/revoke", {})).status_code == 303
    refused = await send(manager, f"/fleet/{gateway}", f"/fleet/{gateway}/code", {})
    assert refused.status_code == 409
    assert "登记代码" not in (await manager.get(f"/fleet/{gateway}")).text


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("width", [390, 1080])
async def test_a_manager_rolls_a_change_out_in_the_browser(
    garden_app: FastAPI, garden: Office, database: Database, tenant: TenantId, tmp_path: Path, *, width: int
) -> None:
    first, second = await configured(garden, "1号楼"), await configured(garden, "2号楼")
    await found_on_site(garden, first)
    code = await api.add_person(database, tenant, "manager", RoleName.MANAGER)
    async with chromium() as browser, serving(garden_app) as address, watched(browser, width=width) as page:

        async def keep(name: str) -> None:
            await keep_picture(page, tmp_path, f"{name}-{width}")

        await page.goto(f"{address}/sign-in")
        await page.fill("input[name=code]", code)
        await page.press("input[name=code]", "Enter")
        await page.wait_for_url("**/dashboard")
        await page.goto(f"{address}/fleet")
        await keep("fleet")
        await page.goto(f"{address}/fleet/{first}")
        await keep("gateway")
        await page.click("text=配置与加装表计")
        await keep("site")
        await page.click("text=接受 Accept")
        await expect(page.locator("main")).to_contain_text("等待试运行")
        await page.fill("textarea[name=text]", rollout.site_text(later("02:30")))
        await page.click("text=预览差异")
        await expect(page.locator("table")).to_contain_text("02:30")
        await keep("preview")
        await page.click("text=下发到本网关")
        await page.wait_for_url("**/site?done=site-sent")
        await reported(garden, first, 3, "good")
        await page.reload()
        await page.click("text=推广到其余网关")
        await keep("rollout")
        await page.click("text=下发到所选网关")
        await page.wait_for_url("**/fleet?done=site-carried")
        await page.goto(f"{address}/fleet/{first}")
        await page.click("text=登记代码")
        await expect(page.locator(".qr svg")).to_be_visible()
        await keep("code")
    assert (await site_of(garden, second))[0] == 2
