"""Late charges and relief over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from cloud.billing.documents import BillView
from cloud.identity.policy import RoleName
from tests.cloud.charges.street import Street
from tests.support import api


async def test_late_charges_are_previewed_approved_and_one_is_waived_by_another_person(
    street: Street, debts: list[BillView], tmp_path: Path
) -> None:
    street.clock.set(datetime(2026, 4, 15, 4, tzinfo=UTC))
    base = f"/api/v1/communities/{street.community}"
    boss = await api.signed_in(street.database, street.tenant, "boss", RoleName.MANAGER)
    cash = await api.signed_in(street.database, street.tenant, "cash", RoleName.CASHIER)
    async with api.running_api(street.database, tmp_path) as app, api.client(app, boss) as manager:
        seen = (await manager.get(f"{base}/late-charges")).json()
        assert (seen["total_fen"], len(seen["charges"])) == (13_500, 6)
        tomorrow = await manager.get(f"{base}/late-charges", params={"through": "2026-04-16"})
        assert tomorrow.status_code == 422
        body = {"through": seen["through"], "preview_sha": seen["sha"]}
        bills = (await manager.post(f"{base}/late-charges", json=body)).json()
        assert [bill["total_fen"] for bill in bills] == [2_250] * 6
        view = await street.bill(bills[0]["bill_id"])
        wish = {
            "relief_id": str(UUID(int=9)),
            "kind": "waiver",
            "lines": [{"bill_id": bills[0]["bill_id"], "n": 1, "fen": 2_250}],
            "reason": "银行延误",
        }
        async with api.client(app, cash) as cashier:
            asked = await cashier.post(f"/api/v1/accounts/{view.account.account_id}/reliefs", json=wish)
            assert asked.json()["state"] == "asked"
            decision = f"{base}/reliefs/{UUID(int=9)}/decision"
            assert (await cashier.post(decision, json={"grants": True})).status_code == 403
        assert (await manager.post(decision, json={"grants": True})).json()["state"] == "granted"
        assert [row["total_fen"] for row in (await manager.get(f"{base}/reliefs")).json()] == [2_250]
        elsewhere = f"/api/v1/communities/{UUID(int=3)}/reliefs/{UUID(int=9)}/decision"
        assert (await manager.post(elsewhere, json={"grants": True})).status_code == 404
    assert len(debts) == 6
