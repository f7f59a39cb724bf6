"""Imports over HTTP."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from cloud.identity.policy import RoleName
from cloud.imports.kinds import ImportKind
from cloud.imports.sheets import FILE_BYTES_MAX, read_table
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.charges.street import build_street
from tests.support import api
from tests.support.clock import SettableClock


async def test_a_template_filled_in_goes_in_and_out_over_http(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock, tmp_path: Path
) -> None:
    street = await build_street(database, tenant, actor, clock)
    boss = await api.signed_in(database, tenant, "boss", RoleName.MANAGER)
    cash = await api.signed_in(database, tenant, "cash", RoleName.CASHIER)
    base = f"/api/v1/imports/{street.community}"
    async with api.running_api(database, tmp_path) as app:
        async with api.client(app, cash) as cashier:
            assert (await cashier.get(f"{base}/templates/estate")).status_code == 403
        async with api.client(app, boss) as manager:
            filled = (await manager.get(f"{base}/templates/estate")).content
            assert len(read_table(filled, "estate.xlsx").rows) == 1
            file = {"file": ("estate.xlsx", filled)}
            seen = (await manager.post(f"{base}/estate/previews", files=file)).json()
            assert (seen["fault_count"], seen["counts"]["premises"]) == (0, 1)
            data = {"import_id": str(UUID(int=5))}
            done = await manager.post(f"{base}/estate", files=file, data=data)
            assert done.status_code == 201, done.text
            again = await manager.post(f"{base}/estate/previews", files=file)
            assert again.json()["fault_count"] == 1
            other = {"import_id": str(UUID(int=6))}
            wrong = {"file": ("estate.csv", "房号\n1\n".encode())}
            assert (await manager.post(f"{base}/estate", files=wrong, data=other)).status_code == 422
            large = {"file": ("estate.csv", b"x" * (FILE_BYTES_MAX + (1 << 17)))}
            assert (await manager.post(f"{base}/estate/previews", files=large)).status_code == 413
            assert [row["state"] for row in (await manager.get(base)).json()] == ["applied"]
            assert (await manager.delete(f"{base}/{UUID(int=5)}")).json()["state"] == "undone"
            assert (await manager.delete(f"{base}/{UUID(int=9)}")).status_code == 404
    assert ImportKind.ESTATE.value == "estate"
