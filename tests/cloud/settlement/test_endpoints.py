"""Move-out settlements over HTTP: seen, settled, read again by the party itself and by nobody else."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest_asyncio

from cloud.billing import service as billing
from cloud.estate import service as estate
from cloud.estate.kinds import PartyKind, Role
from cloud.identity.policy import RoleName
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from common.ids import TenantId
from tests.cloud.charges.street import START, Street, build_street
from tests.support import api
from tests.support.clock import SettableClock


@pytest_asyncio.fixture
async def street(database: Database, tenant: TenantId, actor: Actor, clock: SettableClock) -> Street:
    return await build_street(database, tenant, actor, clock)


async def test_a_lodger_is_settled_over_http_and_reads_his_statement(street: Street, tmp_path: Path) -> None:
    premises = street.flats[0][0]
    async with street.database.unit(street.tenant, street.actor) as unit:
        lodger = await estate.add_party(unit, kind=PartyKind.PERSON, name="租客")
        await estate.relate(unit, party_id=lodger, premises_id=premises, role=Role.PAYER, starts=START)
        (account,) = await billing.open_accounts(unit, street.community, {(premises, lodger)})
    tokens = {
        name: await api.signed_in(street.database, street.tenant, name, role, party=party)
        for name, role, party in (
            ("boss", RoleName.MANAGER, None),
            ("cash", RoleName.CASHIER, None),
            ("lodger", RoleName.RESIDENT, lodger),
            ("owner", RoleName.RESIDENT, street.flats[1][1]),
        )
    }
    body = {"settlement_id": str(UUID(int=7)), "gone_on": "2026-03-11"}
    base = f"/api/v1/accounts/{account.account_id}"
    async with api.running_api(street.database, tmp_path) as app:
        async with api.client(app, tokens["cash"]) as client:
            assert (await client.post(f"{base}/settlement-previews", json=body)).status_code == 403
        async with api.client(app, tokens["boss"]) as client:
            seen = await client.post(f"{base}/settlement-previews", json=body)
            assert seen.status_code == 200, seen.text
            assert (seen.json()["still_owed_fen"], seen.json()["refund_fen"]) == (0, 0)
            assert (await client.get(f"/api/v1/settlements/{UUID(int=7)}")).status_code == 404
            wrong = await client.post(f"{base}/settlements", json=body | {"preview_sha": "0" * 64})
            assert wrong.status_code == 409
            done = await client.post(f"{base}/settlements", json=body | {"preview_sha": seen.json()["sha"]})
            assert done.status_code == 201, done.text
        for name, status in (("lodger", 200), ("owner", 404)):
            async with api.client(app, tokens[name]) as client:
                assert (await client.get(f"/api/v1/settlements/{UUID(int=7)}")).status_code == status
