"""The estate over HTTP: what a manager sets up is what he reads, and a cashier only reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest_asyncio
from fastapi import FastAPI

from cloud.identity.policy import RoleName
from cloud.kit.db import Database
from common.ids import CommunityId, TenantId
from tests.support import api

V1 = "/api/v1"


@pytest_asyncio.fixture
async def app(database: Database, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with api.running_api(database, tmp_path) as built:
        yield built


async def made(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> str:
    answer = await client.post(f"{V1}{path}", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def a_flat(client: httpx.AsyncClient) -> tuple[str, str]:
    community = await made(client, "/communities", {"code": "garden", "name": "翠湖花园", "starts": "2025-01-01"})
    building = await made(client, f"/communities/{community}/buildings", {"code": "1", "name": "1栋"})
    body = {
        "label": "1-2-301",
        "kind": "residence",
        "building_id": building,
        "effective_from": "2025-01-01",
        "facts": {"area": 88_530},
    }
    return community, await made(client, f"/communities/{community}/premises", body)


async def test_a_manager_sets_up_an_estate_sells_a_flat_and_reads_it_all_back(
    app: FastAPI, database: Database, tenant: TenantId
) -> None:
    token = await api.signed_in(database, tenant, "boss", RoleName.MANAGER)
    async with api.client(app, token) as client:
        community, flat = await a_flat(client)
        seller, buyer = [await made(client, "/parties", {"kind": "person", "name": name}) for name in ("王明", "李四")]
        owner = {"party_id": seller, "role": "owner", "starts": "2025-01-01"}
        assert (await client.post(f"{V1}/premises/{flat}/relations", json=owner)).status_code == 204
        sale = {"from_party": seller, "to_party": buyer, "day": "2026-05-16"}
        assert (await client.post(f"{V1}/premises/{flat}/sale", json=sale)).status_code == 204
        assert (await client.post(f"{V1}/premises/{flat}/sale", json=sale)).status_code == 409
        fact = {"fact": "area", "effective_from": "2026-03-01", "value_milli": 90_000}
        assert (await client.post(f"{V1}/premises/{flat}/facts", json=fact)).status_code == 204
        relations = (await client.get(f"{V1}/premises/{flat}/relations")).json()
        listed = await client.get(
            f"{V1}/communities/{community}/premises", params={"day": "2026-02-28", "label": "301"}
        )
        later = await client.get(f"{V1}/premises/{flat}", params={"day": "2026-03-01"})
        names = (await client.get(f"{V1}/parties")).json()["rows"]
        buildings = (await client.get(f"{V1}/communities/{community}/buildings")).json()
    assert [(r["party_id"], r["role"], r["ends"]) for r in relations] == [
        (seller, "owner", "2026-05-16"),
        (buyer, "owner", None),
    ]
    assert [row["facts"] for row in listed.json()["rows"]] == [{"area": 88_530}]
    assert later.json()["facts"] == {"area": 90_000}
    assert [row["name"] for row in names] == ["李四", "王明"]
    assert [row["code"] for row in buildings] == ["1"]


async def test_a_relation_that_ends_before_it_starts_and_one_to_nobody_are_refused(
    app: FastAPI, database: Database, tenant: TenantId
) -> None:
    token = await api.signed_in(database, tenant, "boss", RoleName.MANAGER)
    async with api.client(app, token) as client:
        _, flat = await a_flat(client)
        party = await made(client, "/parties", {"kind": "organisation", "name": "某公司"})
        backwards = {"party_id": party, "role": "owner", "starts": "2026-01-02", "ends": "2026-01-01"}
        nobody = {"party_id": flat, "role": "owner", "starts": "2026-01-02"}
        assert (await client.post(f"{V1}/premises/{flat}/relations", json=backwards)).status_code == 422
        assert (await client.post(f"{V1}/premises/{flat}/relations", json=nobody)).status_code == 409


async def test_who_works_in_one_community_sees_and_changes_no_other(
    app: FastAPI, database: Database, tenant: TenantId
) -> None:
    boss = await api.signed_in(database, tenant, "boss", RoleName.MANAGER)
    async with api.client(app, boss) as client:
        garden, flat = await a_flat(client)
        lane = await made(client, "/communities", {"code": "lane", "name": "翠湖里", "starts": "2025-01-01"})
    local = await api.signed_in(database, tenant, "local", RoleName.MANAGER, CommunityId(UUID(lane)))
    cashier = await api.signed_in(database, tenant, "cashier", RoleName.CASHIER)
    fact = {"fact": "persons", "effective_from": "2026-03-01", "value_milli": 5_000}
    async with api.client(app, local) as client:
        assert [row["id"] for row in (await client.get(f"{V1}/communities")).json()] == [lane]
        assert (await client.get(f"{V1}/communities/{garden}/buildings")).status_code == 403
        assert (await client.get(f"{V1}/premises/{flat}", params={"day": "2026-01-01"})).status_code == 403
        assert (await client.post(f"{V1}/premises/{flat}/facts", json=fact)).status_code == 403
        elsewhere = {"code": "third", "name": "第三", "starts": "2025-01-01"}
        assert (await client.post(f"{V1}/communities", json=elsewhere)).status_code == 403
    async with api.client(app, cashier) as client:
        assert (await client.get(f"{V1}/premises/{flat}", params={"day": "2026-01-01"})).status_code == 200
        assert (await client.post(f"{V1}/premises/{flat}/facts", json=fact)).status_code == 403
