"""Deposits over HTTP with the whole application: a clerk opens, the payer brings and answers, a manager decides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from prometheus_client import CollectorRegistry

from cloud.api import build_api
from cloud.identity.credentials import Passwords
from cloud.identity.policy import RoleName
from cloud.kit.secretbox import SecretBox
from cloud.services import Outside, build_services
from tests.cloud.deposits.vault import Vault
from tests.cloud.payments.counter import CHANNEL_URLS
from tests.cloud.refunds.till import new_id
from tests.support import api


@pytest_asyncio.fixture
async def people(vault: Vault, tmp_path: Path) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """A client for each person, over the whole application with the channel of the test."""
    counter = vault.till.counter
    outside = Outside(
        database=counter.database,
        registry=CollectorRegistry(),
        http=counter.channel.http,
        secret_box=SecretBox(bytes(range(32))),
        passwords=Passwords(api.CHEAP),
        signing_key_file=tmp_path / "signing.key",
        public_url="http://house.test",
        secure_cookies=False,
        channel_urls=CHANNEL_URLS,
    )
    app = build_api(build_services(outside))
    flats = counter.office.site.flats
    roles = {
        "clerk": (RoleName.CASHIER, None),
        "boss": (RoleName.MANAGER, None),
        "resident": (RoleName.RESIDENT, flats[0][1]),
        "neighbour": (RoleName.RESIDENT, flats[1][1]),
    }
    async with AsyncExitStack() as stack:
        clients = {}
        for login, (role, party) in roles.items():
            token = await api.signed_in(counter.database, counter.tenant, login, role, party=party)
            clients[login] = await stack.enter_async_context(api.client(app, token))
        yield clients


async def told(response: httpx.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def opened(vault: Vault, clerk: httpx.AsyncClient) -> Any:
    counter = vault.till.counter
    account_id = await counter.office.account(counter.office.site.flats[0])
    body = {
        "deposit_id": str(new_id()),
        "legal_entity_id": str(counter.entity),
        "kind": "renovation",
        "amount_fen": 1_000,
        "instalments": [{"days_after": 0, "weight": 1}],
    }
    return await told(await clerk.post(f"/api/v1/accounts/{account_id}/deposits", json=body), 201)


async def test_a_deposit_lives_its_life_over_the_api(vault: Vault, people: dict[str, httpx.AsyncClient]) -> None:
    deposit = await opened(vault, people["clerk"])
    path = f"/api/v1/deposits/{deposit['deposit_id']}"
    attempt = await told(await people["resident"].post(f"{path}/attempts"), 201)
    await vault.till.counter.channel.control("pay", code_url=attempt["code_url"])
    await vault.till.counter.deliver()
    await vault.till.counter.work()
    assert (await told(await people["resident"].get(path)))["held_fen"] == 1_000
    (line,) = await vault.lines()
    proposal = {"bill_id": str(line.bill_id), "line_n": line.n, "amount_fen": 400, "evidence": "a broken tile"}
    deduction = await told(await people["clerk"].post(f"{path}/deductions", json=proposal), 201)
    deed = f"/api/v1/deductions/{deduction['deduction_id']}"
    assert (await people["boss"].post(f"{deed}/answer", json={"agrees": True})).status_code == 404
    assert (await people["neighbour"].post(f"{deed}/answer", json={"agrees": True})).status_code == 404
    assert (await people["clerk"].post(f"{deed}/apply")).status_code == 403
    assert (await told(await people["resident"].post(f"{deed}/answer", json={"agrees": True})))["state"] == "agreed"
    assert (await told(await people["boss"].post(f"{deed}/apply")))["state"] == "applied"
    shown = {"evidence": "inspected, all else in order"}
    met = await told(await people["clerk"].post(f"{path}/conditions/inspection_passed", json=shown))
    assert [(one["amount_fen"], one["state"]) for one in met["returns"]] == [(600, "asked")]
    await vault.till.counter.work()
    assert (await told(await people["resident"].get(path)))["state"] == "closed"
    listed = await told(await people["clerk"].get(f"/api/v1/accounts/{deposit['account_id']}/deposits"))
    assert [one["deposit_id"] for one in listed] == [deposit["deposit_id"]]


async def test_nobody_sees_or_moves_what_is_not_his(vault: Vault, people: dict[str, httpx.AsyncClient]) -> None:
    deposit = await opened(vault, people["clerk"])
    path = f"/api/v1/deposits/{deposit['deposit_id']}"
    assert (await people["neighbour"].get(path)).status_code == 404
    assert (await people["resident"].post(f"{path}/cancel")).status_code == 403
    assert (await people["clerk"].get(f"/api/v1/deposits/{new_id()}")).status_code == 404
    shown = {"evidence": "inspected"}
    assert (await people["clerk"].post(f"{path}/conditions/inspection_passed", json=shown)).status_code == 409
    assert (await people["clerk"].post(f"{path}/conditions/nothing", json=shown)).status_code == 422
    community = vault.till.counter.office.site.community_id
    (listed,) = await told(await people["clerk"].get(f"/api/v1/communities/{community}/deposits"))
    assert listed["state"] == "due"
    await told(await people["clerk"].post(f"{path}/cancel"), 204)
    assert (await people["resident"].post(f"{path}/attempts")).status_code == 409
