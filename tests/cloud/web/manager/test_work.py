"""Bill runs, cases, corrections, tariffs, gateways and the audit log, as a manager works with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from cloud.billing import tasks
from cloud.billing.events import RunRequested
from cloud.cases.case import CaseKind
from cloud.estate import service as estate
from cloud.identity.policy import RoleName
from cloud.insights import collection
from cloud.kit.db import Database
from cloud.kit.events import Routes
from common.ids import TenantId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import reading, send, sign_in
from tests.cloud.web.manager.site import add_prices, bill_months, place_meter, plan_gateway, report_case
from tests.support import api

_SHA = re.compile(r'name="preview_sha" value="([0-9a-f]{64})"')


@pytest.fixture
def routes() -> Routes:
    return {RunRequested: (tasks.bill_run_job,)}


async def test_a_period_is_created_previewed_with_its_exceptions_and_approved(
    office: Office, manager: httpx.AsyncClient
) -> None:
    for flat in office.site.flats:
        office.set(flat, b.SERVICE, 0, 20_000)
    office.book.unknown.add((office.site.flats[0][0], b.ELECTRICITY, b.MONTHS[0].start))
    form = {"start": "2026-01-01", "end": "2026-02-01", "due_on": "2026-02-15"}
    made = await send(manager, "/runs", f"/runs/{office.site.community_id}", form)
    run = f"/runs/{office.site.community_id}/2026-01-01"
    assert made.headers["location"] == f"{run}?done=period-created"
    page = await manager.get(run)
    assert page.text.index("a reading is missing") < page.text.index("Bills to be issued")
    assert "2,400.00" in page.text
    assert "1-1-101" in (await manager.get(f"{run}/exceptions.csv")).text
    assert (await manager.get(f"{run}/bills.csv")).text.count("200.00") == 12
    approved = await send(manager, run, f"{run}/run", {})
    assert approved.headers["location"] == f"{run}?done=run-approved"
    progress = await manager.get(f"{run}/progress")
    assert (progress.status_code, "正在出账" in progress.text) == (200, True)
    assert 'hx-trigger="every 2s"' in (await manager.get(run)).text


async def test_a_poll_ends_when_no_run_is_under_way(office: Office, manager: httpx.AsyncClient) -> None:
    await bill_months(office, 1, paid=0)
    progress = await manager.get(f"/runs/{office.site.community_id}/2026-01-01/progress")
    assert progress.status_code == 286
    assert "本期已全部处理" in progress.text


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"start": "2026-02-01", "end": "2026-02-01", "due_on": "2026-02-15"}, "ends before it begins"),
        ({"start": "2026-02-01", "end": "2026-03-01", "due_on": "2026-01-15"}, "due before"),
        ({"start": "soon", "end": "2026-03-01", "due_on": "2026-01-15"}, "start"),
        ({"start": "2026-02-01"}, "Field required"),
    ],
)
async def test_a_period_that_cannot_be_is_refused_in_words(
    office: Office, manager: httpx.AsyncClient, form: Mapping[str, str], says: str
) -> None:
    answer = await send(manager, "/runs", f"/runs/{office.site.community_id}", form)
    assert answer.status_code == 422
    assert says in answer.text
    assert "还没有账期" in (await manager.get("/runs")).text


async def test_a_case_is_noted_taken_and_closed_with_its_reason(office: Office, technician: httpx.AsyncClient) -> None:
    case = await report_case(office, office.site.flats[0], "no_reading")
    path = f"/cases/{case}"
    office.clock.advance(days=3)
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


async def test_a_note_is_shown_as_text_and_never_as_markup(office: Office, technician: httpx.AsyncClient) -> None:
    path = f"/cases/{await report_case(office, office.site.flats[0], 'no_reading')}"
    await send(technician, path, f"{path}/notes", {"note": "<script>alert(1)</script>"})
    page = (await technician.get(path)).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


async def test_the_work_list_is_filtered_paged_and_filed(office: Office, manager: httpx.AsyncClient) -> None:
    for number, flat in enumerate(office.site.flats):
        await report_case(office, flat, "no_reading", CaseKind.ANOMALY if number % 2 else CaseKind.EXCEPTION)
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
    app: FastAPI, office: Office, database: Database, tenant: TenantId
) -> None:
    case = await report_case(office, office.site.flats[0], "no_reading")
    async with database.unit(tenant, office.site.actor) as unit:
        lake = await estate.create_community(unit, code="LAKE", name="湖畔", starts=b.START)
    async with reading(app) as opened:
        await sign_in(opened, await api.add_person(database, tenant, "lake", RoleName.MANAGER, lake))
        assert (await opened.get(f"/cases/{case}")).status_code == 404
        assert (await send(opened, "/cases", f"/cases/{case}/closing", {"reason": "mine"})).status_code == 404


def correction_form(meter: UUID, value: str = "123.4") -> dict[str, str]:
    return {"community": "GARDEN", "meter_id": str(meter), "day": "2026-02-01", "value": value, "reason": "看错一位"}


async def corrected_flat(office: Office) -> tuple[UUID, str]:
    """Bill a month, let the first flat pay, change what its reading would cost; return its meter and its page."""
    await bill_months(office, 1, paid=1)
    meter = await place_meter(office, office.site.flats[0], "2001")
    office.set(office.site.flats[0], b.ELECTRICITY, 0, 1_000)
    return meter, f"/corrections/reading?community=GARDEN&meter_id={meter}&day=2026-02-01"


async def test_a_preview_of_a_correction_shows_every_document_and_writes_nothing(
    office: Office, manager: httpx.AsyncClient
) -> None:
    meter, page = await corrected_flat(office)
    preview = await send(manager, page, "/corrections/preview", correction_form(meter))
    assert preview.status_code == 200
    assert "-40.98" in preview.text
    assert "已付部分转入预存" in preview.text
    assert "还没有更正" in (await manager.get("/corrections")).text
    assert "没有读数" in (await manager.get(page)).text


async def test_an_approved_correction_issues_what_was_previewed_once(
    office: Office, manager: httpx.AsyncClient
) -> None:
    meter, page = await corrected_flat(office)
    form = correction_form(meter)
    sha = _SHA.search((await send(manager, page, "/corrections/preview", form)).text)
    assert sha
    done = await send(manager, page, "/corrections/approval", {**form, "preview_sha": sha[1]})
    assert done.headers["location"] == "/corrections?community=GARDEN&done=correction-applied"
    twice = await send(manager, page, "/corrections/approval", {**form, "preview_sha": sha[1]})
    assert twice.status_code == 409
    listed = (await manager.get("/corrections")).text
    assert listed.count("看错一位") == 1
    assert "-40.98" in listed
    assert "123.4" in (await manager.get(page)).text
    async with office.site.database.view(office.site.tenant) as session:
        periods = await collection.by_period(session, office.site.community_id, [b.MONTHS[0]])
    flat_fen = 18_000 + 1_500 + 4_321 + 777
    assert periods[0].collected.received_fen == flat_fen - 4_098
    assert await office.ahead_fen(office.site.flats[0]) == 4_098


async def test_approval_of_what_was_not_seen_changes_nothing(office: Office, manager: httpx.AsyncClient) -> None:
    meter, page = await corrected_flat(office)
    form = correction_form(meter)
    sha = _SHA.search((await send(manager, page, "/corrections/preview", form)).text)
    assert sha
    office.set(office.site.flats[0], b.ELECTRICITY, 0, 2_000)
    answer = await send(manager, page, "/corrections/approval", {**form, "preview_sha": sha[1]})
    assert answer.status_code == 409
    assert "还没有更正" in (await manager.get("/corrections")).text


async def test_a_correction_that_touches_no_bill_records_the_reading_alone(
    office: Office, manager: httpx.AsyncClient
) -> None:
    meter = await place_meter(office, office.site.flats[0], "2001")
    await office.period(0)
    page = f"/corrections/reading?community=GARDEN&meter_id={meter}&day=2026-02-01"
    form = correction_form(meter, "55")
    preview = await send(manager, page, "/corrections/preview", form)
    assert "没有账单受影响" in preview.text
    sha = _SHA.search(preview.text)
    assert sha
    done = await send(manager, page, "/corrections/approval", {**form, "preview_sha": sha[1]})
    assert done.headers["location"] == "/corrections?community=GARDEN&done=correction-empty"
    assert "<strong>55</strong>" in (await manager.get(page)).text


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"value": "12,3"}, 400),
        ({"value": "-1"}, 400),
        ({"value": "1.2345"}, 400),
        ({"value": ""}, 422),
        ({"reason": " "}, 400),
        ({"day": "2031-01-01"}, 422),
        ({"meter_id": str(UUID(int=9))}, 404),
        ({"community": "NOWHERE"}, 404),
    ],
)
async def test_a_correction_that_cannot_be_is_refused(
    office: Office, manager: httpx.AsyncClient, change: Mapping[str, str], status: int
) -> None:
    meter, page = await corrected_flat(office)
    answer = await send(manager, page, "/corrections/preview", {**correction_form(meter), **change})
    assert answer.status_code == status, answer.text


async def test_meters_are_found_by_room(office: Office, manager: httpx.AsyncClient) -> None:
    meter = await place_meter(office, office.site.flats[0], "2001")
    found = await manager.get("/corrections", params={"room": "1-1-101"})
    assert str(meter) in found.text
    assert "找不到这样的房号" in (await manager.get("/corrections", params={"room": "9-9"})).text


async def test_tariffs_show_what_holds_today_and_every_revision(office: Office, manager: httpx.AsyncClient) -> None:
    assert "还没有价格" in (await manager.get("/tariffs")).text
    await add_prices(office)
    listed = await manager.get("/tariffs")
    assert "2026-01-01 · r1" in listed.text
    assert "property service fee" in listed.text
    history = await manager.get("/tariffs/history", params={"community": "GARDEN", "code": "area-fee"})
    assert "1.80" in history.text
    assert "2.00" in history.text
    assert len((await manager.get("/tariffs/revisions.csv")).text.strip().splitlines()) == 3
    assert (await manager.get("/tariffs/history", params={"community": "GARDEN", "code": "x"})).status_code == 404


async def test_gateways_are_listed_with_their_state(office: Office, technician: httpx.AsyncClient) -> None:
    assert "还没有网关" in (await technician.get("/fleet")).text
    gateway = await plan_gateway(office)
    assert "1号楼弱电间" in (await technician.get("/fleet")).text
    assert "待安装" in (await technician.get(f"/fleet/{gateway}")).text
    assert (await technician.get(f"/fleet/{UUID(int=3)}")).status_code == 404
    assert "1号楼弱电间" in (await technician.get("/fleet/gateways.csv")).text


async def test_the_audit_log_is_filtered_by_actor_deed_thing_and_day(
    office: Office, manager: httpx.AsyncClient
) -> None:
    await plan_gateway(office)
    office.clock.advance(days=10)
    await report_case(office, office.site.flats[0], "no_reading")
    everything = (await manager.get("/audit/log.csv")).text
    assert "planned" in everything
    opened = (await manager.get("/audit/log.csv", params={"thing": "open_case"})).text.strip().splitlines()
    assert len(opened) == 2
    assert "planned" not in (await manager.get("/audit/log.csv", params={"since": "2026-01-10"})).text
    assert "open_case" not in (await manager.get("/audit/log.csv", params={"through": "2026-01-10"})).text
    assert "没有符合条件的记录" in (await manager.get("/audit", params={"actor": "nobody"})).text
    assert "signed in" in (await manager.get("/audit", params={"actor": "manager", "action": "signed in"})).text
