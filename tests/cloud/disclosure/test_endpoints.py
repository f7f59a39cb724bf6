"""The sunshine ledger over HTTP: for residents of the community, not for those of another."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from cloud.charges.rules import ChargeKind
from cloud.estate import service as estate
from cloud.estate.kinds import PartyKind
from cloud.identity.policy import RoleName
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.charges.street import build_street
from tests.support import api
from tests.support.clock import SettableClock


async def test_a_resident_reads_the_funds_of_his_community_and_a_stranger_does_not(
    database: Database, tenant: TenantId, actor: Actor, clock: SettableClock, tmp_path: Path
) -> None:
    street = await build_street(database, tenant, actor, clock)
    item = await street.make(street.charge("adverts", kind=ChargeKind.COMMON_INCOME))
    async with database.unit(tenant, actor) as unit:
        stranger = await estate.add_party(unit, kind=PartyKind.PERSON, name="外人")
    people = {
        "boss": await api.signed_in(database, tenant, "boss", RoleName.MANAGER),
        "owner": await api.signed_in(database, tenant, "owner", RoleName.RESIDENT, party=street.flats[0][1]),
        "stranger": await api.signed_in(database, tenant, "stranger", RoleName.RESIDENT, party=stranger),
    }
    entry = {
        "entry_id": str(UUID(int=4)),
        "charge_item_id": str(item.charge_item_id),
        "kind": "income",
        "fen": 5_000,
        "day": "2026-01-01",
        "words_zh": "广告",
        "words_en": "adverts",
        "evidence": "合同",
    }
    books = f"/api/v1/communities/{street.community}/fund-entries"
    read, year = f"/api/v1/sunshine/{street.community}", {"start": "2026-01-01", "end": "2027-01-01"}
    async with api.running_api(database, tmp_path) as app:
        async with api.client(app, people["owner"]) as client:
            assert (await client.post(books, json=entry)).status_code == 403
        async with api.client(app, people["boss"]) as client:
            assert (await client.post(books, json=entry)).status_code == 201
            assert (await client.post(books, json=entry | {"fen": 0})).status_code == 422
            assert (await client.get(read, params=year | {"end": "2026-01-01"})).status_code == 422
        async with api.client(app, people["owner"]) as client:
            funds = (await client.get(read, params=year)).json()
        async with api.client(app, people["stranger"]) as client:
            assert (await client.get(read, params=year)).status_code == 404
    assert [(one["fund"], one["after_fen"]) for one in funds] == [("common_income", 5_000), ("maintenance", 0)]
