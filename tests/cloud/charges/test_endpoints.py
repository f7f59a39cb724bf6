"""Charges over HTTP: from a charge item to issued bills, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from cloud.identity.policy import RoleName
from tests.cloud.charges.street import Street
from tests.support import api


@pytest_asyncio.fixture
async def app(street: Street, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with api.running_api(street.database, tmp_path) as built:
        yield built


@pytest_asyncio.fixture
async def manager(app: FastAPI, street: Street) -> AsyncIterator[httpx.AsyncClient]:
    token = await api.signed_in(street.database, street.tenant, "boss", RoleName.MANAGER)
    async with api.client(app, token) as opened:
        yield opened


def levy_item(street: Street) -> dict[str, Any]:
    return {
        "code": "levy",
        "name_zh": "消杀费",
        "name_en": "disinfection",
        "kind": "service",
        "basis": "one_off",
        "legal_entity_id": str(street.entity),
        "starts": "2026-01-01",
        "text_zh": "三月进行全小区消杀",
        "text_en": "disinfection in March",
    }


async def test_a_levy_goes_from_a_charge_item_to_bills_and_back(
    street: Street, manager: httpx.AsyncClient, app: FastAPI
) -> None:
    base = f"/api/v1/communities/{street.community}"
    made = await manager.post(f"{base}/charges", json=levy_item(street))
    assert made.status_code == 201, made.text
    charge_id = str(UUID(int=77))
    draft = {
        "charge_id": charge_id,
        "charge_item_id": made.json()["id"],
        "name_zh": "消杀费",
        "name_en": "disinfection",
        "sharing": "by_area",
        "amount_fen": 123_456,
        "start": "2026-03-01",
        "end": "2026-04-01",
        "due_on": "2026-04-15",
    }
    one = f"{base}/one-off-charges/{charge_id}"
    assert (await manager.post(f"{base}/one-off-charges", json=draft)).json()["state"] == "draft"
    seen = (await manager.get(f"{one}/preview")).json()
    assert (sum(share["fen"] for share in seen["shares"]), seen["stops"]) == (123_456, [])
    wrong = await manager.post(f"{one}/approval", json={"preview_sha": "0" * 64})
    assert wrong.status_code == 409
    issued = await manager.post(f"{one}/approval", json={"preview_sha": seen["sha"]})
    assert sum(bill["total_fen"] for bill in issued.json()) == 123_456
    assert (await manager.delete(one)).status_code == 409
    assert [row["state"] for row in (await manager.get(f"{base}/one-off-charges")).json()] == ["issued"]
    later = await manager.post(f"{one}/next", json={"amount_fen": 7, "reference": "发票 2"})
    assert (later.status_code, later.json()["state"], later.json()["start"]) == (201, "draft", "2026-04-01")
    assert (await manager.post(f"{one}/next", json={"amount_fen": 0, "reference": "发票 2"})).status_code == 422
    back = await manager.post(f"{one}/withdrawal", json={"reason": "作废"})
    assert sum(bill["total_fen"] for bill in back.json()) == -123_456
    owner = street.flats[0][1]
    token = await api.signed_in(street.database, street.tenant, "owner", RoleName.RESIDENT, party=owner)
    async with api.client(app, token) as resident:
        told = (await resident.get("/api/v1/my/announcements")).json()
    assert [row["text_en"] for row in told] == ["disinfection in March"]


async def test_groups_switches_and_deposit_calls_are_made_over_http(street: Street, manager: httpx.AsyncClient) -> None:
    base = f"/api/v1/communities/{street.community}"
    group = {"name": "一号楼", "premises": [str(street.flats[0][0])]}
    assert (await manager.put(f"{base}/premises-groups/one", json=group)).status_code == 204
    assert [row["code"] for row in (await manager.get(f"{base}/premises-groups")).json()] == ["one"]
    hall = levy_item(street) | {"code": "hall", "basis": "flat", "price": {"amount_yuan": "10"}}
    item = (await manager.post(f"{base}/charges", json=hall)).json()["id"]
    switch = {
        "charge_item_id": item,
        "price": {"amount_yuan": "20"},
        "start": "2026-02-01",
        "end": "2026-02-08",
        "coverage": {"groups": ["one"]},
        "name_zh": "春节",
        "name_en": "festival",
    }
    assert (await manager.post(f"{base}/price-switches", json=switch)).status_code == 201
    backwards = switch | {"end": "2026-02-01"}
    assert (await manager.post(f"{base}/price-switches", json=backwards)).status_code == 422
    call = {
        "call_id": str(UUID(int=5)),
        "legal_entity_id": str(street.entity),
        "kind": "card",
        "amount_fen": 5_000,
        "purpose": "门禁卡",
        "coverage": {"groups": ["one"]},
    }
    assert (await manager.post(f"{base}/deposit-calls", json=call)).json() == {"count": 1}
    assert len((await manager.get(f"{base}/announcements")).json()) == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"code": "Not A Code"}, 422),
        ({"price": {"amount_yuan": "1e5"}}, 422),
        ({"price": {"amount_yuan": "5.00"}}, 400),
        ({"name_zh": ""}, 422),
        ({"colour": "red"}, 422),
        ({"tax_rate_micro": 1_000_000}, 422),
        ({"coverage": {"targets": [{"kind": "galaxy"}]}}, 422),
    ],
)
async def test_a_charge_that_cannot_be_read_or_made_is_refused(
    street: Street, manager: httpx.AsyncClient, changes: dict[str, Any], status: int
) -> None:
    answer = await manager.post(f"/api/v1/communities/{street.community}/charges", json=levy_item(street) | changes)
    assert answer.status_code == status, answer.text


async def test_a_cashier_makes_no_charges(street: Street, app: FastAPI) -> None:
    token = await api.signed_in(street.database, street.tenant, "cash", RoleName.CASHIER)
    async with api.client(app, token) as cashier:
        answer = await cashier.post(f"/api/v1/communities/{street.community}/charges", json=levy_item(street))
    assert answer.status_code == 403
