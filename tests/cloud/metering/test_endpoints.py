"""Readings over HTTP: hand entry, what is missing, and whose meter it is."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.identity.policy import RoleName
from cloud.kit.actor import system_actor
from cloud.kit.db import Database
from common.ids import CommunityId, MeterId, TenantId
from common.reading.reading import Resource
from tests.support.api import client, running_api, signed_in

DAY = date(2026, 1, 5)


async def meter_of(database: Database, tenant: TenantId) -> tuple[CommunityId, MeterId]:
    async with database.unit(tenant, system_actor("test")) as unit:
        community = await estate.create_community(unit, code="lake", name="湖畔", starts=DAY)
        meter = await fleet.add_meter(unit, serial="E1", resource=Resource.ELECTRICITY)
        await unit.session.flush()
        await fleet.install_meter(unit, meter_id=meter, community_id=community, premises_id=None, start=DAY)
    return community, meter


def entry(meter: UUID, value_milli: int | None = 5_000) -> dict[str, Any]:
    return {
        "meter_id": str(meter),
        "quantity": "energy_forward",
        "read_at": "2026-01-05T00:00:00+08:00",
        "value_milli": value_milli,
        "reason": "read at the door",
    }


async def test_a_reading_entered_by_hand_fills_a_hole(database: Database, tenant: TenantId, tmp_path: Path) -> None:
    community, meter = await meter_of(database, tenant)
    token = await signed_in(database, tenant, "boss", RoleName.MANAGER)
    at = f"/api/v1/communities/{community}"
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        before = await api.get(f"{at}/meter-holes", params={"start": "2026-01-05", "end": "2026-01-07"})
        entered = await api.post(f"{at}/reading-revisions", json=entry(meter))
        after = await api.get(f"{at}/meter-holes", params={"start": "2026-01-05", "end": "2026-01-07"})
    assert (entered.status_code, entered.json()) == (201, {"rev": 1})
    assert [one["day"] for one in before.json()] == ["2026-01-05", "2026-01-06"]
    assert [(one["day"], one["state"]) for one in after.json()] == [("2026-01-06", "missing")]


async def test_a_rollover_is_confirmed_once(database: Database, tenant: TenantId, tmp_path: Path) -> None:
    community, meter = await meter_of(database, tenant)
    token = await signed_in(database, tenant, "boss", RoleName.MANAGER)
    body = {"meter_id": str(meter), "quantity": "energy_forward", "day": "2026-01-05", "reason": "dial seen"}
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        answers = [
            (await api.post(f"/api/v1/communities/{community}/meter-rollovers", json=body)).status_code
            for _ in range(2)
        ]
    assert answers == [204, 409]


async def test_what_cannot_be_a_reading_is_refused(database: Database, tenant: TenantId, tmp_path: Path) -> None:
    community, meter = await meter_of(database, tenant)
    token = await signed_in(database, tenant, "boss", RoleName.MANAGER)
    broken = [
        entry(meter, -1),
        entry(meter, 1 << 63),
        entry(meter) | {"reason": ""},
        entry(meter) | {"read_at": "2026-01-05T00:00:00"},
        entry(meter) | {"quantity": "smell"},
        entry(UUID(int=1)),
    ]
    at = f"/api/v1/communities/{community}"
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        answers = [(await api.post(f"{at}/reading-revisions", json=body)).status_code for body in broken]
        span = await api.get(f"{at}/meter-holes", params={"start": "2026-01-05", "end": "2028-01-05"})
    assert answers == [422, 422, 422, 422, 422, 404]
    assert span.status_code == 422


async def test_a_technician_sees_holes_and_corrects_nothing(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    community, meter = await meter_of(database, tenant)
    token = await signed_in(database, tenant, "tech", RoleName.TECHNICIAN)
    at = f"/api/v1/communities/{community}"
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        seen = await api.get(f"{at}/meter-holes", params={"start": "2026-01-05", "end": "2026-01-06"})
        refused = await api.post(f"{at}/reading-revisions", json=entry(meter))
    assert (seen.status_code, refused.status_code) == (200, 403)


async def test_another_company_finds_no_such_meter(
    database: Database, tenant: TenantId, other_tenant: TenantId, tmp_path: Path
) -> None:
    community, meter = await meter_of(database, tenant)
    token = await signed_in(database, other_tenant, "boss", RoleName.MANAGER)
    at = f"/api/v1/communities/{community}"
    async with running_api(database, tmp_path) as app, client(app, token) as api:
        answers = [
            await api.post(f"{at}/reading-revisions", json=entry(meter)),
            await api.get(f"{at}/meter-holes", params={"start": "2026-01-05", "end": "2026-01-06"}),
        ]
    assert [answer.status_code for answer in answers] == [404, 404]
