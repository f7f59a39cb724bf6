"""Access over HTTP: places, cards given and revoked, charges seen, never a card."""

from __future__ import annotations

from pathlib import Path

from cloud.identity.policy import RoleName
from tests.cloud.access.test_service import CARD, EVENT, give, take, yard
from tests.cloud.parking.yard import Yard
from tests.support.api import client, running_api, signed_in

__all__ = ["yard"]


async def test_a_card_is_given_and_revoked_and_never_told(yard: Yard, tmp_path: Path) -> None:
    token = await signed_in(yard.database, yard.tenant, "boss", RoleName.MANAGER)
    at = f"/api/v1/communities/{yard.community}"
    body = {
        "card": CARD,
        "places": ["door-2"],
        "valid_from": "2026-01-01T00:00:00+08:00",
        "valid_to": "2030-01-01T00:00:00+08:00",
    }
    door = {"place": "door-2", "kind": "door", "gateway_id": str(yard.gateway.gateway_id)}
    async with running_api(yard.database, tmp_path) as app, client(app, token) as api:
        added = await api.post(f"{at}/access-places", json=door)
        given = await api.post(f"{at}/access-permits", json=body)
        revoked = await api.post(
            f"{at}/access-permits/{given.json()['permit_id']}/revoke", json={"reason": "card lost"}
        )
        listed = await api.get(f"{at}/access-permits")
        places = await api.get(f"{at}/access-places")
    assert (added.status_code, given.status_code, revoked.status_code) == (201, 201, 204)
    assert [one["revoked_at"] is not None for one in listed.json()] == [True]
    assert {one["place"] for one in places.json()} == {"P1", "door-1", "door-2"}
    assert CARD not in listed.text


async def test_charges_are_listed_with_energy_and_state(yard: Yard, tmp_path: Path) -> None:
    await give(yard)
    await take(yard, EVENT)
    token = await signed_in(yard.database, yard.tenant, "fitter", RoleName.TECHNICIAN)
    async with running_api(yard.database, tmp_path) as app, client(app, token) as api:
        found = await api.get(
            f"/api/v1/communities/{yard.community}/pile-charges", params={"since": "2020-01-01T00:00:00Z"}
        )
    (charge,) = found.json()
    assert (charge["energy_wh"], charge["idle_minutes"], charge["state"]) == (14_000, 60, "charged")
