"""The public area over HTTP: defined by who sets prices, read by who sees meters, of one's own company."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from cloud.kit.errors import MalformedError
from cloud.metering.public_endpoints import asked
from common.ids import TenantId
from tests.cloud.metering.test_endpoints import DAY, meter_of
from tests.support.api import client, running_api, signed_in

VIRTUAL = UUID(int=7)


async def test_a_virtual_meter_is_defined_and_read(
    database: Database, tenant: TenantId, other_tenant: TenantId, tmp_path: Path
) -> None:
    community, meter = await meter_of(database, tenant)
    boss = await signed_in(database, tenant, "boss", RoleName.MANAGER)
    tech = await signed_in(database, tenant, "tech", RoleName.TECHNICIAN)
    other = await signed_in(database, other_tenant, "stranger", RoleName.MANAGER)
    at = f"/api/v1/communities/{community}"
    body = {"name": "V", "resource": "electricity", "effective_from": str(DAY), "plus": [str(meter)]}
    span = {"start": "2026-01-05", "end": "2026-01-06"}
    async with running_api(database, tmp_path) as app:
        async with client(app, boss) as api:
            done = await api.put(f"{at}/virtual-meters/{VIRTUAL}", json=body)
            broken = [body | {"plus": []}, body | {"name": ""}, body | {"minus": [str(meter)]}, body | {"x": 1}]
            wrong = [(await api.put(f"{at}/virtual-meters/{VIRTUAL}", json=one)).status_code for one in broken]
            long = await api.get(f"{at}/public-use", params=span | {"end": "2027-01-06"})
        async with client(app, tech) as api:
            used = (await api.get(f"{at}/public-use", params=span)).json()
            listed = (await api.get(f"{at}/virtual-meters")).json()
            refused = await api.put(f"{at}/virtual-meters/{VIRTUAL}", json=body)
        async with client(app, other) as api:
            strange = [
                (await api.get(f"{at}/public-use", params=span)).status_code,
                (await api.get(f"{at}/virtual-meters")).status_code,
                (await api.put(f"{at}/virtual-meters/{VIRTUAL}", json=body)).status_code,
            ]
    assert (done.status_code, refused.status_code, long.status_code) == (204, 403, 422)
    assert all(status in {400, 422} for status in wrong)
    assert [(one["name"], one["virtual"]) for one in used] == [("V", True), ("E1", False)]
    assert [one["total_milli"] for one in used] == [None, None]
    assert used[1]["hours_milli"] == [None] * 24
    assert [one["plus"] for one in listed] == [[str(meter)]]
    assert strange == [404, 404, 404]


def test_days_are_asked_for_in_order_and_in_bounds() -> None:
    assert asked(date(2026, 1, 1), date(2026, 2, 1)).days == 31
    for end in (date(2026, 1, 1), date(2025, 1, 1), date(2026, 2, 2)):
        with pytest.raises(MalformedError):
            asked(date(2026, 1, 1), end)
