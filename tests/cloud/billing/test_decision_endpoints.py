"""What a community decides about its bills, over HTTP."""

from __future__ import annotations

from pathlib import Path

from cloud.identity.policy import RoleName
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.support import api


async def test_order_and_policy_are_decided_and_read_and_nonsense_is_refused(office: Office, tmp_path: Path) -> None:
    site = office.site
    await office.period(0)
    token = await api.signed_in(site.database, site.tenant, "boss", RoleName.MANAGER)
    base = f"/api/v1/communities/{site.community_id}"
    async with api.running_api(site.database, tmp_path) as app, api.client(app, token) as client:
        assert (await client.get(f"{base}/settling-order")).json() == {"order": "oldest_first", "items": []}
        await client.put(f"{base}/settling-order", json={"order": "principal_first"})
        assert (await client.get(f"{base}/settling-order")).json() == {"order": "principal_first", "items": []}
        named = {"order": "items_first", "items": ["service"]}
        assert (await client.put(f"{base}/settling-order", json=named)).json() == named
        assert (await client.put(f"{base}/settling-order", json={"order": "items_first"})).status_code == 400
        await client.put(f"{base}/run-policy", json={"nightly": True, "days_after": 2})
        assert (await client.get(f"{base}/run-policy")).json() == {"nightly": True, "days_after": 2}
        wrong = [("settling-order", {"order": "random"}), ("run-policy", {"nightly": True, "days_after": 61})]
        for path, body in wrong:
            assert (await client.put(f"{base}/{path}", json=body)).status_code == 422
        look = await client.get(f"{base}/billing-periods/{b.MONTHS[0].start}/outlook")
        assert look.json()["accounts"] == []
        assert (await client.get(f"{base}/billing-periods/2031-01-01/outlook")).status_code == 404
