"""Estimates over HTTP: rules, what may be estimated, the decision, the list, and whose meter it is."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.metering.test_endpoints import DAY, entry, meter_of
from tests.support.api import client, running_api, signed_in
from tests.support.clock import SettableClock

LATER = date(2026, 1, 25)


def read(meter: UUID, day: date, value: int) -> dict[str, Any]:
    return entry(meter, value) | {"read_at": f"{day}T00:00:00+08:00"}


async def test_an_estimate_is_looked_at_decided_and_listed(
    database: Database, tenant: TenantId, tmp_path: Path, clock: SettableClock
) -> None:
    community, meter = await meter_of(database, tenant)
    token = await signed_in(database, tenant, "boss", RoleName.MANAGER)
    at = f"/api/v1/communities/{community}"
    clock.advance(days=60)
    decision = {"day": str(LATER), "method": "recent", "value_milli": 45_000, "reason": "locked"}
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        for day, value in ((DAY, 5_000), (DAY + timedelta(days=15), 35_000)):
            assert (await api.post(f"{at}/reading-revisions", json=read(meter, day, value))).status_code == 201
        clock.advance(minutes=1)
        where = f"{at}/meters/{meter}/estimate"
        forbidden = await api.post(where, json=decision)
        rule = await api.put(f"{at}/estimate-rules", json={"resource": "electricity", "days_max": 10})
        rules = await api.get(f"{at}/estimate-rules")
        seen = await api.get(where, params={"day": str(LATER)})
        decided = [await api.post(where, json=decision) for _ in range(2)]
        listed = await api.get(f"{at}/estimates")
        marked = await api.post(f"{at}/reading-revisions", json=entry(meter) | {"said_as": "estimated"})
    assert (forbidden.status_code, rule.status_code) == (409, 204)
    assert {"resource": "electricity", "days_max": 10} in rules.json()
    assert (seen.json()["allowed"], seen.json()["proposals"][0]["value_milli"]) == (True, 45_000)
    assert [(one.status_code, one.json()) for one in decided] == [(201, {"rev": 1})] * 2
    ((kept),) = listed.json()
    assert (kept["method"], kept["trued"]) == ("recent", False)
    assert marked.status_code == 422, "no way around the rules"


async def test_what_cannot_be_decided_is_refused(database: Database, tenant: TenantId, tmp_path: Path) -> None:
    community, meter = await meter_of(database, tenant)
    token = await signed_in(database, tenant, "boss", RoleName.MANAGER)
    at = f"/api/v1/communities/{community}"
    good = {"day": str(DAY), "method": "agreed", "value_milli": 1, "reason": "x"}
    broken = [
        good | {"method": "guess"},
        good | {"reason": ""},
        good | {"value_milli": -1},
        good | {"value_milli": None},
    ]
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        answers = [(await api.post(f"{at}/meters/{meter}/estimate", json=body)).status_code for body in broken]
        rule = await api.put(f"{at}/estimate-rules", json={"resource": "electricity", "days_max": 999})
    assert [*answers, rule.status_code] == [422] * 5


async def test_a_technician_and_another_company_decide_nothing(
    database: Database, tenant: TenantId, other_tenant: TenantId, tmp_path: Path
) -> None:
    community, meter = await meter_of(database, tenant)
    at = f"/api/v1/communities/{community}"
    tokens = [
        await signed_in(database, tenant, "tech", RoleName.TECHNICIAN),
        await signed_in(database, other_tenant, "boss", RoleName.MANAGER),
    ]
    found = []
    for number, token in enumerate(tokens):
        async with running_api(database, tmp_path / str(number)) as app, client(app, token) as api:
            found.append(
                [
                    (await api.get(f"{at}/estimate-rules")).status_code,
                    (await api.put(f"{at}/estimate-rules", json={"resource": "water", "days_max": 1})).status_code,
                    (await api.get(f"{at}/meters/{meter}/estimate", params={"day": str(DAY)})).status_code,
                ]
            )
    assert found == [[403] * 3, [404] * 3]
