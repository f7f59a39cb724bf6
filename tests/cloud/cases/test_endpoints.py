"""The work list over HTTP: who sees which case, and what may be done with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

from cloud.cases import service as cases
from cloud.estate import service as estate
from cloud.identity.policy import RoleName
from cloud.kit.actor import system_actor
from cloud.kit.db import Database
from common.ids import CaseId, CommunityId, TenantId
from tests.cloud.cases.test_service import REPORT
from tests.cloud.rating.town import JANUARY
from tests.support.api import client, running_api, signed_in


async def case_in(database: Database, tenant: TenantId, code: str) -> tuple[CommunityId, CaseId]:
    async with database.unit(tenant, system_actor("test")) as unit:
        community = await estate.create_community(unit, code=code, name=code, starts=JANUARY.start)
        case_id = await cases.raise_case(unit, replace(REPORT, community_id=community, object_id=unit.new_id()))
    return community, case_id


async def test_a_technician_sees_and_works_the_cases_of_his_own_community(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    ours, case_id = await case_in(database, tenant, "lake")
    _, foreign = await case_in(database, tenant, "hill")
    token = await signed_in(database, tenant, "tech", RoleName.TECHNICIAN, ours)
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        listed = await api.get("/api/v1/cases")
        seen = await api.get(f"/api/v1/cases/{case_id}")
        hidden = await api.get(f"/api/v1/cases/{foreign}")
        steps = [
            await api.post(f"/api/v1/cases/{case_id}/notes", json={"note": "went there"}),
            await api.post(f"/api/v1/cases/{case_id}/assignment", json={"owner_role": "manager"}),
            await api.post(f"/api/v1/cases/{case_id}/closing", json={"reason": "read by hand"}),
            await api.post(f"/api/v1/cases/{case_id}/closing", json={"reason": "again"}),
            await api.post(f"/api/v1/cases/{foreign}/closing", json={"reason": "not mine"}),
        ]
        events = await api.get(f"/api/v1/cases/{case_id}/events")
        afterwards = await api.get("/api/v1/cases")
    assert [row["id"] for row in listed.json()["rows"]] == [str(case_id)]
    assert (seen.status_code, seen.json()["age_s"]) == (200, 0)
    assert hidden.status_code == 404
    assert [step.status_code for step in steps] == [204, 204, 204, 409, 404]
    assert [event["deed"] for event in events.json()] == ["opened", "noted", "assigned", "closed"]
    assert afterwards.json()["rows"] == []


async def test_a_cashier_sees_cases_and_works_none(database: Database, tenant: TenantId, tmp_path: Path) -> None:
    _, case_id = await case_in(database, tenant, "lake")
    token = await signed_in(database, tenant, "till", RoleName.CASHIER)
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        seen = await api.get(f"/api/v1/cases/{case_id}")
        refused = await api.post(f"/api/v1/cases/{case_id}/closing", json={"reason": "x"})
        empty = await api.post(f"/api/v1/cases/{case_id}/closing", json={"reason": ""})
    assert (seen.status_code, refused.status_code, empty.status_code) == (200, 403, 403)


async def test_another_company_sees_no_case_and_no_stranger_any(
    database: Database, tenant: TenantId, other_tenant: TenantId, tmp_path: Path
) -> None:
    _, case_id = await case_in(database, tenant, "lake")
    token = await signed_in(database, other_tenant, "boss", RoleName.MANAGER)
    async with running_api(database, tmp_path) as app:
        async with client(app, token) as api:
            answers = [
                (await api.get(f"/api/v1/cases/{case_id}")).status_code,
                (await api.get(f"/api/v1/cases/{UUID(int=1)}")).status_code,
                (await api.post(f"/api/v1/cases/{case_id}/closing", json={"reason": "x"})).status_code,
            ]
            listed = (await api.get("/api/v1/cases")).json()["rows"]
        async with client(app) as stranger:
            nobody = await stranger.get("/api/v1/cases")
    assert answers == [404, 404, 404]
    assert listed == []
    assert nobody.status_code == 401
