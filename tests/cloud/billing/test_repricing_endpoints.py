"""A change of past prices over HTTP: opened, seen, approved by what was seen, booked by the worker, and told."""

from __future__ import annotations

from pathlib import Path

from cloud.identity.policy import RoleName
from tests.cloud.billing.village import CHEAPER, HOUSEHOLDS, MONTHS, STARTS, Village
from tests.support import api


async def test_a_change_is_opened_seen_approved_booked_and_told(village: Village, tmp_path: Path) -> None:
    await village.reprice(CHEAPER, STARTS)
    token = await api.signed_in(village.database, village.tenant, "boss", RoleName.MANAGER)
    base = f"/api/v1/communities/{village.community_id}/price-corrections"
    asked = {
        "charge_items": [str(village.items["service"])],
        "first_day": MONTHS[0].isoformat(),
        "reason": "decree",
    }
    async with api.running_api(village.database, tmp_path) as app, api.client(app, token) as client:
        assert (await client.post(base, json={**asked, "charge_items": []})).status_code == 422
        opened = (await client.post(base, json=asked)).json()
        own = f"{base}/{opened['price_correction_id']}"
        seen = (await client.get(f"{own}/preview")).json()
        assert (seen["documents"], seen["by_value"], len(seen["periods"])) == (HOUSEHOLDS, 0, len(MONTHS) - 1)
        refused = await client.post(f"{own}/approval", json={"preview_sha": "0" * 64})
        assert refused.status_code == 409
        approved = await client.post(f"{own}/approval", json={"preview_sha": seen["sha"]})
        assert (approved.status_code, approved.json()["state"]) == (202, "approved")
        (told,) = (await client.get(base)).json()
        assert (told["premises"], told["premises_done"]) == (HOUSEHOLDS, 0)
        other = (await client.post(base, json=asked)).json()
        assert (await client.delete(f"{base}/{other['price_correction_id']}")).status_code == 204
        assert (await client.delete(own)).status_code == 409
        assert (await client.get(f"{base}/{village.community_id}")).status_code == 404
