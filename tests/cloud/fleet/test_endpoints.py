"""The fleet over HTTP for people: planned, read back, revoked; only by those who may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest_asyncio
from fastapi import FastAPI

from cloud.fleet import service as fleet
from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from common.ids import CommunityId, GatewayId, TenantId
from common.wire.bundle import BundleKind
from tests.support import api

V1 = "/api/v1"
PERIOD = {"start": "2026-01-01", "end": "2026-02-01"}


@pytest_asyncio.fixture
async def whole(database: Database, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with api.running_api(database, tmp_path) as built:
        yield built


async def test_a_manager_plans_a_gateway_and_revokes_it(whole: FastAPI, database: Database, tenant: TenantId) -> None:
    token = await api.signed_in(database, tenant, "boss", RoleName.MANAGER)
    async with api.client(whole, token) as client:
        planned = (await client.post(f"{V1}/gateways", json={"label": "building 1"})).json()
        again = await client.post(f"{V1}/gateways", json={"label": "building 1"})
        path = f"{V1}/gateways/{planned['gateway_id']}"
        fresh = (await client.post(f"{path}/codes")).json()
        revoked = await client.post(f"{path}/revocation")
        refused = await client.post(f"{path}/codes")
        (listed,) = (await client.get(f"{V1}/gateways")).json()
        effects = (await client.get(f"{path}/effects")).json()
    assert planned["code"] != fresh["code"]
    assert (again.status_code, revoked.status_code, refused.status_code) == (409, 204, 409)
    assert (listed["label"], listed["state"]) == ("building 1", "retired")
    assert effects == []


async def test_a_manager_orders_a_change_of_key_and_the_gateway_gets_a_command(
    whole: FastAPI, database: Database, tenant: TenantId
) -> None:
    token = await api.signed_in(database, tenant, "boss", RoleName.MANAGER)
    async with api.client(whole, token) as client:
        planned = (await client.post(f"{V1}/gateways", json={"label": "building 2"})).json()
        path = f"{V1}/gateways/{planned['gateway_id']}"
        ordered = await client.post(f"{path}/key-change")
        unknown = await client.post(f"{V1}/gateways/{UUID(int=9)}/key-change")
    assert (ordered.status_code, ordered.json(), unknown.status_code) == (202, {"version": 1}, 404)
    async with database.view(tenant) as session:
        (bundle,) = await fleet.newer_bundles(
            session, GatewayId(UUID(planned["gateway_id"])), {}, datetime(2026, 1, 2, tzinfo=UTC)
        )
    assert (bundle.kind, bundle.body["do"]) == (BundleKind.COMMAND, "change_key")
    assert bundle.expires_ms is not None


async def test_a_technician_places_a_meter_and_takes_it_away(
    whole: FastAPI, database: Database, tenant: TenantId
) -> None:
    boss = await api.signed_in(database, tenant, "boss", RoleName.MANAGER)
    async with api.client(whole, boss) as client:
        body = {"code": "c1", "name": "东湖花园", "starts": "2025-01-01"}
        community = (await client.post(f"{V1}/communities", json=body)).json()["id"]
    home = CommunityId(UUID(community))
    token = await api.signed_in(database, tenant, "tech", RoleName.TECHNICIAN, home)
    async with api.client(whole, token) as client:
        added = await client.post(f"{V1}/meters", json={"serial": "202601010001", "resource": "water"})
        taken = await client.post(f"{V1}/meters", json={"serial": "202601010001", "resource": "gas"})
        meters = f"{V1}/communities/{community}/meters"
        path = f"{meters}/{added.json()['id']}"
        placed = await client.post(f"{path}/place", json={"start": "2026-01-05"})
        (listed,) = (await client.get(meters, params=PERIOD)).json()
        backwards = await client.get(meters, params={"start": "2026-02-01", "end": "2026-01-01"})
        removed = await client.post(f"{path}/removal", json={"end": "2026-01-20"})
        gone = await client.post(f"{path}/removal", json={"end": "2026-01-21"})
        plan = await client.post(f"{V1}/gateways", json={"label": "building 1"})
        elsewhere = await client.post(f"{V1}/communities/{UUID(int=1)}/meters/{UUID(int=2)}/place", json={})
    assert (added.status_code, taken.status_code, placed.status_code, removed.status_code) == (201, 409, 204, 204)
    assert (listed["serial"], listed["start"], listed["premises_id"]) == ("202601010001", "2026-01-05", None)
    assert (backwards.status_code, gone.status_code) == (422, 404)
    assert (plan.status_code, elsewhere.status_code) == (403, 403)


async def test_a_cashier_sees_no_gateway(whole: FastAPI, database: Database, tenant: TenantId) -> None:
    token = await api.signed_in(database, tenant, "cash", RoleName.CASHIER)
    async with api.client(whole, token) as client:
        assert (await client.get(f"{V1}/gateways")).status_code == 403
        assert (await client.post(f"{V1}/meters", json={"serial": "1", "resource": "gas"})).status_code == 403
