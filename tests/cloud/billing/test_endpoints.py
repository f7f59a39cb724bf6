"""Billing and the book over HTTP: who may, what is answered, and that nothing is half done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import httpx

from cloud.billing.events import RunRequested
from cloud.identity.policy import RoleName
from cloud.kit.events import Event
from common.ids import PartyId
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.support.api import client, running_api, signed_in

NOBODY = UUID(int=0x404)


@asynccontextmanager
async def desk(
    office: Office, folder: Path, role: RoleName = RoleName.MANAGER, party: PartyId | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    site = office.site
    token = await signed_in(site.database, site.tenant, f"{role.value}{party or ''}", role, party=party)
    async with running_api(site.database, folder) as app, client(app, token) as api:
        yield api


async def billed(office: Office) -> None:
    for flat in office.site.flats:
        office.set(flat, b.ELECTRICITY, 0, 1000)
    await office.bill_month(0)


async def test_a_period_is_created_previewed_and_approved(
    office: Office, tmp_path: Path, published: list[Event]
) -> None:
    at = f"/api/v1/communities/{office.site.community_id}/billing-periods"
    async with desk(office, tmp_path) as api:
        made = await api.post(at, json={"start": "2026-01-01", "end": "2026-02-01", "due_on": "2026-02-15"})
        backwards = await api.post(at, json={"start": "2026-02-01", "end": "2026-01-01", "due_on": "2026-02-15"})
        preview = await api.get(f"{at}/2026-01-01/preview")
        approved = await api.post(f"{at}/2026-01-01/run")
        unknown = await api.post(f"{at}/2026-05-01/run")
        listed = await api.get(at)
    assert (made.status_code, made.json()["due"]) == (201, 4)
    assert (backwards.status_code, unknown.status_code, approved.status_code) == (422, 404, 202)
    assert (preview.json()["count"], preview.json()["nothing_to_charge"]) == (0, 4)
    assert [period["start"] for period in listed.json()] == ["2026-01-01"]
    (requested,) = [event for event in published if isinstance(event, RunRequested)]
    assert (requested.period_start, requested.known_at) == (b.START, office.clock.now())


async def test_a_resident_sees_his_own_bill_and_nobody_elses(office: Office, tmp_path: Path) -> None:
    await billed(office)
    mine, other = office.site.flats[0], office.site.flats[1]
    async with desk(office, tmp_path, RoleName.RESIDENT, mine[1]) as api:
        (own,) = (await api.get("/api/v1/my/bills")).json()
        bill = await api.get(f"/api/v1/bills/{own['bill_id']}")
        lines = await api.get(f"/api/v1/accounts/{await office.account(mine)}/open-lines")
        statement = await api.get(f"/api/v1/accounts/{await office.account(mine)}/statement")
        foreign = await api.get(f"/api/v1/accounts/{await office.account(other)}/open-lines")
        listed = await api.get(f"/api/v1/premises/{other[0]}/bills")
    assert bill.json()["lines"][0]["fen"] == 1000
    assert [line["open_fen"] for line in lines.json()] == [1000]
    assert [line["balance_fen"] for line in statement.json()] == [1000]
    assert (foreign.status_code, listed.status_code) == (404, 403)


async def test_the_chain_behind_a_line_is_answered_to_its_owner(office: Office, tmp_path: Path) -> None:
    await billed(office)
    mine, other = office.site.flats[0], office.site.flats[1]
    async with desk(office, tmp_path, RoleName.RESIDENT, mine[1]) as api:
        (own,) = (await api.get("/api/v1/my/bills")).json()
        chain = await api.get(f"/api/v1/bills/{own['bill_id']}/lines/1/trace")
        missing = await api.get(f"/api/v1/bills/{own['bill_id']}/lines/7/trace")
    async with desk(office, tmp_path, RoleName.RESIDENT, other[1]) as api:
        foreign = await api.get(f"/api/v1/bills/{own['bill_id']}/lines/1/trace")
    assert (chain.json()["number"], chain.json()["fen"]) == (own["number"], 1000)
    assert (missing.status_code, foreign.status_code) == (404, 404)


async def test_a_cashier_may_read_bills_but_not_run_or_correct_them(office: Office, tmp_path: Path) -> None:
    await billed(office)
    at = f"/api/v1/communities/{office.site.community_id}"
    correction = {
        "premises": [str(office.site.flats[0][0])],
        "first_day": "2026-01-01",
        "cause": "reading",
        "reason": "misread",
    }
    async with desk(office, tmp_path, RoleName.CASHIER) as api:
        read = await api.get(f"/api/v1/premises/{office.site.flats[0][0]}/bills")
        run = await api.post(f"{at}/billing-periods/2026-01-01/run")
        correct = await api.post(f"{at}/corrections", json=correction)
    assert (read.status_code, run.status_code, correct.status_code) == (200, 403, 403)


async def test_a_correction_is_opened_previewed_dropped_and_not_found_elsewhere(office: Office, tmp_path: Path) -> None:
    await office.period(0)
    at = f"/api/v1/communities/{office.site.community_id}/corrections"
    body = {
        "premises": [str(office.site.flats[0][0])],
        "first_day": "2026-01-01",
        "cause": "reading",
        "reason": "misread",
    }
    async with desk(office, tmp_path) as api:
        opened = await api.post(at, json=body)
        case_id = opened.json()["case_id"]
        preview = await api.get(f"{at}/{case_id}/preview")
        elsewhere = await api.get(f"/api/v1/communities/{NOBODY}/corrections/{case_id}/preview")
        wrong = await api.post(f"{at}/{case_id}/approval", json={"preview_sha": "00" * 32})
        dropped = await api.delete(f"{at}/{case_id}")
        closed = await api.post(f"{at}/{case_id}/approval", json={"preview_sha": preview.json()["sha"]})
        broken = await api.post(at, json=body | {"premises": []})
    assert (opened.status_code, preview.json()["documents"], preview.json()["net_fen"]) == (201, [], 0)
    assert (elsewhere.status_code, wrong.status_code, closed.status_code) == (404, 409, 409)
    assert (dropped.status_code, broken.status_code) == (204, 422)


async def test_the_book_is_read_and_audited_by_those_who_may(office: Office, tmp_path: Path) -> None:
    await billed(office)
    at = f"/api/v1/communities/{office.site.community_id}"
    async with desk(office, tmp_path) as api:
        balance = (await api.get(f"{at}/trial-balance")).json()
        audit = (await api.get(f"{at}/ledger-audit")).json()
        unsealed = await api.get(f"{at}/journals/{NOBODY}/proof")
        nowhere = await api.get(f"/api/v1/communities/{NOBODY}/trial-balance")
    assert balance["debit_fen"] == balance["credit_fen"] == 4000
    assert (audit["journals"], audit["breaches"]) == (4, [])
    assert (unsealed.status_code, nowhere.status_code) == (404, 404)
    async with desk(office, tmp_path, RoleName.RESIDENT, office.site.flats[0][1]) as api:
        assert (await api.get(f"{at}/trial-balance")).status_code == 403
