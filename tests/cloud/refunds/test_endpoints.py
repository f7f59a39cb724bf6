"""Refunds over HTTP with the whole application: a cashier asks, managers decide, a resident looks, others do not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest_asyncio
from fastapi import FastAPI

from cloud.api import build_api
from cloud.identity.policy import RoleName
from tests.cloud.refunds.till import LIMITS, Till, new_id
from tests.support import api


@pytest_asyncio.fixture
async def app(till: Till, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with api.running_services(till.database, tmp_path) as services:
        yield build_api(services)


@pytest_asyncio.fixture
async def people(till: Till, app: FastAPI) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """A client for each person: what he may do follows from his role."""
    flats = till.counter.office.site.flats
    roles = {
        "clerk": (RoleName.CASHIER, None),
        "boss": (RoleName.MANAGER, None),
        "resident": (RoleName.RESIDENT, flats[0][1]),
        "neighbour": (RoleName.RESIDENT, flats[1][1]),
    }
    async with AsyncExitStack() as stack:
        clients = {}
        for login, (role, party) in roles.items():
            token = await api.signed_in(till.database, till.counter.tenant, login, role, party=party)
            clients[login] = await stack.enter_async_context(api.client(app, token))
        yield clients


def body(amount_fen: int, refund_id: UUID | None = None, **more: Any) -> dict[str, Any]:
    return {"refund_id": str(refund_id or new_id()), "amount_fen": amount_fen, "reason": "paid twice", **more}


async def told(response: httpx.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def test_a_cashier_asks_a_manager_decides_and_the_resident_sees_it_arrive(
    till: Till, people: dict[str, httpx.AsyncClient]
) -> None:
    payment = await till.paid(paid_fen=30_000)
    community = till.counter.office.site.community_id
    limits = f"/api/v1/communities/{community}/refund-policy"
    assert (await people["boss"].get(limits)).status_code == 404
    assert (await people["clerk"].put(limits, json=asdict(LIMITS))).status_code == 403
    await told(await people["boss"].put(limits, json=asdict(LIMITS)), 204)
    assert await told(await people["clerk"].get(limits)) == asdict(LIMITS)
    path = f"/api/v1/payments/{payment.payment_id}/refunds"
    wish = body(20_000)
    asked = await told(await people["clerk"].post(path, json=wish), 201)
    assert (asked["state"], asked["doubts"]) == ("requested", ["above_limit"])
    assert (await told(await people["clerk"].post(path, json=wish), 201))["refund_number"] == asked["refund_number"]
    (waiting,) = await told(await people["boss"].get(f"/api/v1/communities/{community}/refunds"))
    assert waiting["refund_id"] == asked["refund_id"]
    verdict = f"/api/v1/refunds/{asked['refund_id']}/verdicts"
    assert (await people["clerk"].post(verdict, json={"approves": True})).status_code == 403
    assert (await told(await people["boss"].post(verdict, json={"approves": True})))["state"] == "approved"
    await till.counter.work()
    (seen,) = await told(await people["resident"].get(path))
    assert (seen["state"], seen["arrived_at"] is not None) == ("arrived", True)
    assert (await told(await people["clerk"].post(path, json=body(10_001)), 409))["detail"].startswith("10000 fen")


async def test_nobody_sees_or_asks_for_what_is_not_his(till: Till, people: dict[str, httpx.AsyncClient]) -> None:
    payment = await till.paid(paid_fen=800)
    path = f"/api/v1/payments/{payment.payment_id}/refunds"
    asked = await told(await people["clerk"].post(path, json=body(100)), 201)
    assert (await people["neighbour"].get(path)).status_code == 404
    assert (await people["neighbour"].get(f"/api/v1/refunds/{asked['refund_id']}")).status_code == 404
    assert (await people["resident"].post(path, json=body(100))).status_code == 403
    assert (await people["clerk"].get(f"/api/v1/refunds/{new_id()}")).status_code == 404
    assert (await people["clerk"].post(path, json=body(0))).status_code == 422
    assert (await people["clerk"].post(path, json=body(1, extra=1))).status_code == 422


async def test_cash_goes_back_in_cash_signed_and_the_shift_counts_it(
    till: Till, people: dict[str, httpx.AsyncClient]
) -> None:
    await till.set_policy()
    clerk, site = people["clerk"], till.counter.office.site
    await till.counter.bill(0, 500)
    account_id = await till.counter.office.account(site.flats[0])
    desk = f"/api/v1/communities/{site.community_id}"
    box = {"legal_entity_id": str(till.counter.entity), "fund_class": "operating", "name": "desk"}
    box_id = (await told(await clerk.post(f"{desk}/cash-boxes", json=box), 201))["cash_box_id"]
    opening = {"cash_box_id": box_id, "opening_fen": 0, "reason": ""}
    shift_id = (await told(await clerk.post(f"{desk}/cash-shifts", json=opening), 201))["cash_shift_id"]
    shift = f"/api/v1/cash-shifts/{shift_id}"
    cash = {"payment_id": str(new_id()), "account_id": str(account_id), "tendered_fen": 1_000, "amount_fen": 1_000}
    payment = await told(await clerk.post(f"{shift}/payments", json=cash), 201)
    path = f"/api/v1/payments/{payment['payment_id']}/refunds"
    assert (await clerk.post(path, json=body(300))).status_code == 400
    asked = await told(await clerk.post(path, json=body(300, cash_box_id=box_id)), 201)
    assert (asked["state"], asked["route"]) == ("approved", "cash")
    await till.counter.work()
    signed = {"cash_shift_id": shift_id, "signed_as": "Li Si"}
    hand_out = f"/api/v1/refunds/{asked['refund_id']}/hand-out"
    assert (await told(await clerk.post(hand_out, json=signed)))["state"] == "arrived"
    assert (await clerk.post(hand_out, json=signed)).status_code == 409
    left = await told(await clerk.post(path, json=body(200, cash_box_id=box_id)), 201)
    await till.counter.work()
    withdraw = f"/api/v1/refunds/{left['refund_id']}/withdraw"
    assert (await told(await people["boss"].post(withdraw, json={"reason": "nobody came"})))["state"] == "failed"
    assert (await told(await clerk.get("/api/v1/my-cash-shift")))["expected_fen"] == 700
    closed = await told(await clerk.post(f"{shift}/close", json={"counted_fen": 700, "reason": ""}))
    assert closed["difference_fen"] == 0
