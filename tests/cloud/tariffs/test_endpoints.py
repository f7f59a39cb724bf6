"""Prices over HTTP: who may, what is refused, and that another company's community looks like none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cloud.estate import service as estate
from cloud.estate.kinds import EntityKind
from cloud.identity.policy import RoleName
from cloud.kit.actor import system_actor
from cloud.kit.db import Database
from common.ids import CommunityId, LegalEntityId, TenantId
from tests.cloud.rating.documents import electricity
from tests.cloud.rating.town import JANUARY
from tests.support.api import client, running_api, signed_in


async def community_of(database: Database, tenant: TenantId) -> tuple[CommunityId, LegalEntityId]:
    async with database.unit(tenant, system_actor("test")) as unit:
        entity = await estate.add_legal_entity(unit, kind=EntityKind.COMPANY, name="湖畔业委会")
        made = await estate.create_community(unit, code="lake", name="湖畔", starts=JANUARY.start)
    return made, entity


def charge_item(entity: LegalEntityId) -> dict[str, Any]:
    return {
        "code": "electricity",
        "name_zh": "电费",
        "name_en": "Electricity",
        "basis": "metered",
        "resource": "electricity",
        "nature": "agency",
        "fund_class": "operating",
        "legal_entity_id": str(entity),
        "tax_code": "3040",
        "tax_rate_micro": 130_000,
    }


def revision(**document: Any) -> dict[str, Any]:
    whole = {**electricity(), **document}
    return {"document": whole, "effective_from": "2026-01-01", "basis_document": "decision 1"}


async def test_a_manager_makes_a_charge_item_prices_it_and_withdraws_the_price(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    community, entity = await community_of(database, tenant)
    token = await signed_in(database, tenant, "boss", RoleName.MANAGER)
    at = f"/api/v1/communities/{community}"
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        made = await api.post(f"{at}/charge-items", json=charge_item(entity))
        again = await api.post(f"{at}/charge-items", json=charge_item(entity))
        priced = await api.post(f"{at}/tariff-revisions", json=revision())
        assigned = await api.post(
            f"{at}/tariff-assignments",
            json={
                "charge_item_id": made.json()["id"],
                "target_kind": "premises_kind",
                "target_key": "residence",
                "effective_from": "2026-01-01",
                "tariff_id": priced.json()["tariff_id"],
            },
        )
        gone = await api.post(
            f"{at}/tariffs/electricity/withdrawals",
            json={"effective_from": "2026-01-01", "basis_document": "court"},
        )
        items = await api.get(f"{at}/charge-items")
        history = await api.get(f"{at}/tariff-revisions")
    assert [answer.status_code for answer in (made, again, priced, assigned, gone)] == [201, 409, 201, 201, 204]
    assert [one["code"] for one in items.json()] == ["electricity"]
    assert [(one["rev"], one["body_sha"] == "") for one in history.json()] == [(1, False), (2, True)]


async def test_an_official_calendar_is_recorded_and_listed_and_one_with_faults_is_refused_with_all_of_them(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    token = await signed_in(database, tenant, "boss", RoleName.MANAGER)
    days = {"days_off": [{"from": "2026-01-01", "to": "2026-01-03"}], "workdays": ["2026-01-04"]}
    notice = {"year": 2026, "source": "notice", **days, "statutory": ["2026-01-01"]}
    broken = {**notice, "workdays": ["2026-01-02", "2025-01-04"]}
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        made = await api.post("/api/v1/calendars", json={"document": notice, "basis_document": "2025-11-04"})
        again = await api.post("/api/v1/calendars", json={"document": notice, "basis_document": "2025-11-04"})
        refused = await api.post("/api/v1/calendars", json={"document": broken, "basis_document": "2025-11-04"})
        known = await api.get("/api/v1/calendars")
    assert [(one.status_code, one.json()["rev"]) for one in (made, again)] == [(201, 1), (201, 1)]
    assert refused.status_code == 422
    assert "2026-01-02 is also a day off" in refused.text
    assert "2025-01-04 is not in 2026" in refused.text
    assert known.json() == [{"year": 2026, "document": notice}]


async def test_a_broken_tariff_is_answered_with_every_fault(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    community, _ = await community_of(database, tenant)
    token = await signed_in(database, tenant, "boss", RoleName.MANAGER)
    broken = revision(unit="parsec", charges=[{"key": "energy", "price": "-1"}])
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        refused = await api.post(f"/api/v1/communities/{community}/tariff-revisions", json=broken)
        history = await api.get(f"/api/v1/communities/{community}/tariff-revisions")
        counted = (await api.get("/metrics")).text
    assert refused.status_code == 422
    route = "/api/v1/communities/{community_id}/tariff-revisions"
    assert f'gatehouse_http_requests_total{{method="POST",route="{route}",status="422"}} 1.0' in counted
    assert len(refused.json()["faults"]) >= 2
    assert history.json() == []


@pytest.mark.parametrize("role", [RoleName.CASHIER, RoleName.TECHNICIAN, RoleName.RESIDENT])
async def test_nobody_else_changes_prices(database: Database, tenant: TenantId, tmp_path: Path, role: RoleName) -> None:
    community, entity = await community_of(database, tenant)
    token = await signed_in(database, tenant, "other", role)
    at = f"/api/v1/communities/{community}"
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        answers = [
            await api.post(f"{at}/charge-items", json=charge_item(entity)),
            await api.post(f"{at}/tariff-revisions", json=revision()),
        ]
    assert [answer.status_code for answer in answers] == [403, 403]


async def test_another_company_finds_no_such_community(
    database: Database, tenant: TenantId, other_tenant: TenantId, tmp_path: Path
) -> None:
    community, entity = await community_of(database, tenant)
    token = await signed_in(database, other_tenant, "boss", RoleName.MANAGER)
    at = f"/api/v1/communities/{community}"
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        answers = [
            await api.get(f"{at}/charge-items"),
            await api.get(f"{at}/tariff-revisions"),
            await api.post(f"{at}/charge-items", json=charge_item(entity)),
            await api.post(f"{at}/tariff-revisions", json=revision()),
        ]
    assert [answer.status_code for answer in answers] == [404] * 4


async def test_a_tariff_is_tried_out_before_anything_is_recorded(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    community, _ = await community_of(database, tenant)
    token = await signed_in(database, tenant, "boss", RoleName.MANAGER)
    at = f"/api/v1/communities/{community}"
    month = {"period": ["2026-06-01", "2026-07-01"], "quantity": "150", "prior": "2100"}
    dearer = electricity(("0.60", "0.65", "0.90"))
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        checked = await api.post(f"{at}/tariff-checks", json={"document": electricity()})
        priced = await api.post(f"{at}/tariff-prices", json={"document": electricity(), "usage": month})
        requests = [{"name": "1-1-1", **month}, {"name": "1-1-2", "period": month["period"]}]
        compared = await api.post(
            f"{at}/tariff-comparisons", json={"old": electricity(), "new": dearer, "requests": requests}
        )
        history = await api.get(f"{at}/tariff-revisions")
    assert (checked.status_code, checked.json()["tariff_code"]) == (200, "electricity")
    assert priced.json()["amount_fen"] == 79_50
    assert priced.json()["explanation_zh"][-1] == "合计 79.50 元"
    assert priced.json()["explanation_en"][-1] == "Total 79.50 CNY"
    assert priced.json()["line"]["amount_fen"] == 79_50
    known, refused = compared.json()
    no_reason = {"reason": "", "reason_zh": ""}
    assert known == {"name": "1-1-1", "old_fen": 79_50, "new_fen": 94_50, "change_fen": 15_00, **no_reason}
    assert (refused["old_fen"], refused["change_fen"]) == (None, None)
    assert "no usage" in refused["reason"]
    assert history.json() == []


async def test_a_trial_that_cannot_be_is_refused_with_the_reason(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    community, _ = await community_of(database, tenant)
    token = await signed_in(database, tenant, "boss", RoleName.MANAGER)
    at = f"/api/v1/communities/{community}"
    period = {"period": ["2026-06-01", "2026-07-01"]}
    broken = {**electricity(), "unit": "parsec", "charges": [{"key": "energy", "price": "-1"}]}
    dollars = {**electricity(), "currency": "USD"}
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        faulty = await api.post(f"{at}/tariff-checks", json={"document": broken})
        unread = await api.post(f"{at}/tariff-prices", json={"document": electricity(), "usage": {"quantity": "x"}})
        unmetered = await api.post(f"{at}/tariff-prices", json={"document": electricity(), "usage": period})
        mixed = await api.post(
            f"{at}/tariff-comparisons", json={"old": electricity(), "new": dollars, "requests": [period]}
        )
    assert (faulty.status_code, len(faulty.json()["faults"])) == (422, 2)
    assert unread.status_code == 422
    assert (unmetered.status_code, "there is no usage" in unmetered.json()["detail"]) == (400, True)
    assert (mixed.status_code, mixed.json()["detail"]) == (400, "CNY and USD cannot be compared")
