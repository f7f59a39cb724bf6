"""Paying over HTTP with the whole application: a bill's address, a signed-in resident, the desk, a notification."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from cloud import flow
from cloud.api import build_api
from cloud.billing import service as billing
from cloud.identity.credentials import Passwords
from cloud.identity.policy import RoleName
from cloud.kit.runner import JobMetrics, Runner
from cloud.kit.secretbox import SecretBox
from cloud.services import Outside, Services, build_services
from tests.cloud.payments.counter import CHANNEL_URLS, Counter
from tests.support import api

INTENT = UUID(int=0x1)


@pytest.fixture
def services(counter: Counter, tmp_path: Path) -> Services:
    return build_services(
        Outside(
            database=counter.database,
            registry=CollectorRegistry(),
            http=counter.channel.http,
            secret_box=SecretBox(bytes(range(32))),
            passwords=Passwords(api.CHEAP),
            signing_key_file=tmp_path / "signing.key",
            public_url=api.HOST,
            secure_cookies=False,
            channel_urls=CHANNEL_URLS,
        )
    )


@pytest_asyncio.fixture
async def app(services: Services, counter: Counter) -> AsyncIterator[FastAPI]:
    built = build_api(services)
    counter.runner = Runner(
        database=counter.office.site.worker_database,
        handlers=flow.handlers(services),
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
    )
    yield built


async def told(response: httpx.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def notified(counter: Counter, app: FastAPI) -> None:
    async with api.client(app) as channel:
        await counter.channel.channel.messenger.deliver_due(channel)
    await counter.work()


async def bills_of(counter: Counter) -> list[str]:
    account_id = await counter.office.account(counter.office.site.flats[0])
    async with counter.database.view(counter.tenant) as session:
        return [str(bill.bill_id) for bill in await billing.bills_of(session, [account_id])]


async def test_whoever_holds_the_bill_pays_it_from_its_address(counter: Counter, app: FastAPI) -> None:
    await counter.bill(0, 12_345)
    (bill_id,) = await bills_of(counter)
    token = await api.signed_in(counter.database, counter.tenant, "boss", RoleName.MANAGER)
    async with api.client(app, token) as manager:
        link = await told(await manager.post(f"/api/v1/bills/{bill_id}/pay-link"))
        again = await told(await manager.post(f"/api/v1/bills/{bill_id}/pay-link"))
    assert link == again
    async with api.client(app) as stranger:
        page = await told(await stranger.get(f"{link['path']}/dues"))
        assert (page["premises_label"], page["open_fen"]) == ("1-1-001", 12_345)
        (quote,) = page["bill_quotes"]
        wish = {
            "intent_id": str(INTENT),
            "legal_entity_id": quote["legal_entity_id"],
            "fund_class": quote["fund_class"],
        }
        attempt = await told(await stranger.post(f"{link['path']}/attempts", json=wish), 201)
        assert (attempt["state"], attempt["amount_fen"]) == ("sent", 12_345)
        await counter.channel.control("pay", code_url=attempt["code_url"])
        await notified(counter, app)
        after = await told(await stranger.get(f"{link['path']}/attempts/{attempt['attempt_id']}"))
        assert after["state"] == "paid"
        assert (await told(await stranger.get(f"{link['path']}/dues")))["open_fen"] == 0
        other = await stranger.get(f"{link['path']}/attempts/{UUID(int=5)}")
        assert other.status_code == 404


async def test_a_revoked_address_leads_nowhere_and_the_next_one_is_another(counter: Counter, app: FastAPI) -> None:
    await counter.bill(0, 100)
    (bill_id,) = await bills_of(counter)
    token = await api.signed_in(counter.database, counter.tenant, "boss", RoleName.MANAGER)
    path = f"/api/v1/bills/{bill_id}/pay-link"
    async with api.client(app, token) as manager:
        first = await told(await manager.post(path))
        await told(await manager.delete(path), 204)
        await told(await manager.delete(path), 204)
        second = await told(await manager.post(path))
        assert first["token"] != second["token"]
        assert (await manager.get(f"{first['path']}/dues")).status_code == 404
        assert (await manager.get(f"{second['path']}/dues")).status_code == 200


@pytest.mark.parametrize("token", ["short", "A" * 24, "../../../etc/passwd", "wechat"])
async def test_an_address_that_leads_nowhere_is_told(counter: Counter, app: FastAPI, token: str) -> None:
    del counter
    async with api.client(app) as stranger:
        assert (await stranger.get(f"/pay/{token}/dues")).status_code == 404


async def test_a_resident_pays_his_own_account_and_sees_no_other(counter: Counter, app: FastAPI) -> None:
    await counter.bill(0, 500, 700)
    flats = counter.office.site.flats
    own, other = await counter.office.account(flats[0]), await counter.office.account(flats[1])
    token = await api.signed_in(counter.database, counter.tenant, "resident", RoleName.RESIDENT, party=flats[0][1])
    async with api.client(app, token) as resident:
        (quote,) = await told(await resident.get(f"/api/v1/accounts/{own}/dues"))
        wish = {
            "intent_id": str(INTENT),
            "account_id": str(own),
            "legal_entity_id": quote["legal_entity_id"],
            "fund_class": quote["fund_class"],
            "amount_fen": 200,
        }
        attempt = await told(await resident.post("/api/v1/payment-attempts", json=wish), 201)
        await counter.channel.control("mischief", kind="notify_never")
        await counter.channel.control("pay", code_url=attempt["code_url"])
        path = f"/api/v1/payment-attempts/{attempt['attempt_id']}"
        assert (await told(await resident.get(path)))["state"] == "sent"
        assert (await told(await resident.get(path, params={"ask": True})))["state"] == "paid"
        (receipt,) = await told(await resident.get(f"/api/v1/accounts/{own}/payments"))
        assert (await told(await resident.get(f"/api/v1/payments/{receipt['payment_id']}")))["amount_fen"] == 200
        for foreign in (f"/api/v1/accounts/{other}/dues", f"/api/v1/accounts/{other}/payments"):
            assert (await resident.get(foreign)).status_code == 404
        assert (await resident.get("/api/v1/merchant-accounts")).status_code == 403
        assert (await resident.get("/api/v1/my-cash-shift")).status_code == 403


async def test_the_cashier_opens_takes_and_closes(counter: Counter, app: FastAPI) -> None:
    await counter.bill(0, 500)
    account_id = await counter.office.account(counter.office.site.flats[0])
    community = f"/api/v1/communities/{counter.office.site.community_id}"
    token = await api.signed_in(counter.database, counter.tenant, "cashier", RoleName.CASHIER)
    async with api.client(app, token) as cashier:
        assert (await cashier.get("/api/v1/my-cash-shift")).status_code == 404
        box = {"legal_entity_id": str(counter.entity), "fund_class": "operating", "name": "前台"}
        made = await told(await cashier.post(f"{community}/cash-boxes", json=box), 201)
        assert (await cashier.post(f"{community}/cash-boxes", json=box)).status_code == 400
        assert len(await told(await cashier.get(f"{community}/cash-boxes"))) == 1
        opening = {"cash_box_id": made["cash_box_id"], "opening_fen": 0}
        shift = await told(await cashier.post(f"{community}/cash-shifts", json=opening), 201)
        path = f"/api/v1/cash-shifts/{shift['cash_shift_id']}"
        cash = {"payment_id": str(INTENT), "account_id": str(account_id), "tendered_fen": 1_000}
        paid = await told(await cashier.post(f"{path}/payments", json=cash), 201)
        assert (paid["amount_fen"], paid["change_fen"], paid["channel"]) == (500, 500, "cash")
        assert (await told(await cashier.get("/api/v1/my-cash-shift")))["expected_fen"] == 500
        assert (await cashier.post(f"{path}/close", json={"counted_fen": 499})).status_code == 400
        closed = await told(await cashier.post(f"{path}/close", json={"counted_fen": 499, "reason": "少一分"}))
        assert (closed["difference_fen"], closed["expected_fen"]) == (-1, 500)


async def test_a_notification_that_is_too_large_or_unsigned_is_refused_in_words(counter: Counter, app: FastAPI) -> None:
    path = f"/pay/wechat/notify/{counter.account.notify_token}"
    async with api.client(app) as stranger:
        for body, address, status in (
            (b"x" * 70_000, path, 413),
            (b"{}", path, 400),
            (b"{}", "/pay/wechat/notify/nobody", 404),
        ):
            refused = await stranger.post(address, content=body)
            assert refused.status_code == status
            assert refused.json()["detail"]


async def test_the_reconciler_reads_a_day_and_has_it_fetched_again(counter: Counter, app: FastAPI) -> None:
    await counter.bill(0, 500)
    await counter.settle(await counter.start())
    day = counter.office.clock.now().date()
    account = counter.account.merchant_account_id
    counter.office.clock.advance(days=1, hours=2)
    token = await api.signed_in(counter.database, counter.tenant, "cashier", RoleName.CASHIER)
    path = f"/api/v1/reconciliation/merchant-accounts/{account}/days/{day}"
    async with api.client(app, token) as cashier:
        assert (await cashier.get(path)).status_code == 404
        await told(await cashier.post(f"{path}/fetch"), 202)
        await counter.work()
        found = await told(await cashier.get(path))
        assert (found["explained_basis_points"], found["matched_fen"], found["breaks"]) == (10_000, 500, [])
        span = {"first": str(day), "last": str(day)}
        assert await told(await cashier.get("/api/v1/reconciliation/days", params=span)) == [found]
        backwards = {"first": "2026-05-02", "last": "2026-05-01"}
        assert (await cashier.get("/api/v1/reconciliation/days", params=backwards)).status_code == 400
        close = f"/api/v1/reconciliation/breaks/{UUID(int=1)}/close"
        assert (await cashier.post(close, json={"reason": "x"})).status_code == 404
