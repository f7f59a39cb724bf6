"""Closed periods and the book as a file, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cloud.identity.policy import RoleName
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.charges.street import build_street
from tests.support import api
from tests.support.clock import SettableClock


async def test_a_manager_closes_a_period_and_a_cashier_reads_the_book(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock, tmp_path: Path
) -> None:
    street = await build_street(database, tenant, actor, clock)
    item = await street.make(street.charge())
    await street.issue(street.one_off(item, 60_000))
    clock.set(datetime(2026, 3, 20, tzinfo=UTC))
    boss = await api.signed_in(database, tenant, "boss", RoleName.MANAGER)
    cash = await api.signed_in(database, tenant, "cash", RoleName.CASHIER)
    base = f"/api/v1/communities/{street.community}"
    days = {"start": "2026-01-01", "end": "2026-02-01"}
    async with api.running_api(database, tmp_path) as app:
        async with api.client(app, boss) as manager:
            assert (await manager.post(f"{base}/closed-periods", json=days | {"end": "2026-01-01"})).status_code == 422
            closed = await manager.post(f"{base}/closed-periods", json=days)
            assert (closed.status_code, closed.json()["debit_fen"]) == (201, 60_000)
        async with api.client(app, cash) as cashier:
            assert (await cashier.post(f"{base}/closed-periods", json=days)).status_code == 403
            assert len((await cashier.get(f"{base}/closed-periods")).json()) == 1
            assert (await cashier.get(f"{base}/book.csv")).text.count("\n") == 7
            assert "open Assets:Receivable" in (await cashier.get(f"{base}/book.beancount")).text
            assert (await cashier.get(f"{base}/book.pdf")).status_code == 422
