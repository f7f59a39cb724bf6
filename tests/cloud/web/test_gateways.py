"""Gateways with their state and health."""

from __future__ import annotations

from uuid import UUID

import httpx

from tests.cloud.billing.conftest import Office
from tests.cloud.web.garden import plan_gateway


async def test_gateways_are_listed_with_their_state(garden: Office, technician: httpx.AsyncClient) -> None:
    assert "还没有网关" in (await technician.get("/fleet")).text
    gateway = await plan_gateway(garden)
    assert "1号楼弱电间" in (await technician.get("/fleet")).text
    assert "待安装" in (await technician.get(f"/fleet/{gateway}")).text
    assert (await technician.get(f"/fleet/{UUID(int=3)}")).status_code == 404
    assert "1号楼弱电间" in (await technician.get("/fleet/gateways.csv")).text
