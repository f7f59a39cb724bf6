"""Parking over HTTP: permits given and ended, lots and stays seen, never a plate."""

from __future__ import annotations

from pathlib import Path

from cloud.identity.policy import RoleName
from tests.cloud.parking.yard import PERSONAL, PLATE, Yard, act
from tests.support.api import client, running_api, signed_in
from tests.support.clock import SettableClock


async def test_a_permit_is_given_and_ended_and_its_plate_never_told(yard: Yard, tmp_path: Path) -> None:
    token = await signed_in(yard.database, yard.tenant, "boss", RoleName.MANAGER)
    at = f"/api/v1/communities/{yard.community}/parking"
    body = {
        "plate": PLATE,
        "vehicle_class": "visitor",
        "granted_minutes": 90,
        "space": "P-01",
        "valid_from": "2026-01-01T00:00:00+08:00",
        "valid_to": "2030-01-01T00:00:00+08:00",
    }
    async with running_api(yard.database, tmp_path) as app, client(app, token) as api:
        given = await api.post(f"{at}/permits", json=body)
        permit = given.json()["permit_id"]
        ended = await api.post(f"{at}/permits/{permit}/end", json={})
        listed = await api.get(f"{at}/permits")
    assert (given.status_code, ended.status_code) == (201, 204)
    (one,) = listed.json()
    assert (one["granted_minutes"], one["space"], one["permit_id"]) == (90, "P-01", permit)
    assert one["valid_to"] < "2029"
    assert PLATE not in listed.text


async def test_lots_say_how_full_they_are_and_stays_who_settled_them(
    yard: Yard, clock: SettableClock, tmp_path: Path
) -> None:
    entered = clock.now()
    await yard.take(await yard.send(act("entry", 1, entered, entered), plates=(PERSONAL,)))
    token = await signed_in(yard.database, yard.tenant, "fitter", RoleName.TECHNICIAN)
    at = f"/api/v1/communities/{yard.community}/parking"
    async with running_api(yard.database, tmp_path) as app, client(app, token) as api:
        lots = await api.get(f"{at}/lots")
        stays = await api.get(f"{at}/stays", params={"since": "2020-01-01T00:00:00Z"})
        nights = await api.get(f"{at}/nights", params={"since": "2020-01-01"})
        refused = await api.post(f"{at}/permits", json={"plate": PLATE})
    assert lots.json() == [{"lot": "north", "spaces": 40, "inside": 1}]
    assert [(stay["state"], stay["settlement"]) for stay in stays.json()] == [("inside", "open")]
    assert nights.json() == []
    assert refused.status_code in {403, 422}
