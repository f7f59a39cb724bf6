"""A manager of the whole company sees the seal keys and exchanges one; nobody else does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
from fastapi import FastAPI

from cloud.documents.seal_endpoints import build_seal_router
from cloud.documents.signer import pem_of
from cloud.identity.callers import Authentication
from cloud.identity.policy import RoleName
from cloud.kit.httpapi import install_error_handlers
from cloud.kit.secretbox import SecretBox
from tests.cloud.documents import examples
from tests.cloud.documents.conftest import Stationer
from tests.support import api


@asynccontextmanager
async def program(stationer: Stationer, role: RoleName) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_error_handlers(app)
    database = stationer.press.database
    app.include_router(build_seal_router(database, SecretBox(bytes(range(32))), None))
    app.add_middleware(Authentication, database=database)
    token = await api.signed_in(database, stationer.tenant, role.value, role)
    async with api.client(app, token) as client:
        yield client


async def test_a_manager_exchanges_a_key_and_sees_both(stationer: Stationer) -> None:
    wish = {"legal_entity_id": str(stationer.counter.entity)}
    async with program(stationer, RoleName.MANAGER) as client:
        assert (await client.get("/seal-keys")).json() == []
        first = await client.post("/seal-keys", json=wish)
        stationer.counter.office.clock.advance(seconds=1)
        second = await client.post("/seal-keys", json=wish)
        assert (first.status_code, second.status_code) == (201, 201)
        listed = (await client.get("/seal-keys")).json()
    assert [key["seal_key_id"] for key in listed] == [first.json()["seal_key_id"], second.json()["seal_key_id"]]
    assert [key["retired_at"] is None for key in listed] == [False, True]
    assert listed[0]["name"] == "花园物业有限公司"


async def test_a_cashier_may_not_even_look(stationer: Stationer) -> None:
    async with program(stationer, RoleName.CASHIER) as client:
        assert (await client.get("/seal-keys")).status_code == 403
        wish = {"legal_entity_id": str(stationer.counter.entity)}
        assert (await client.post("/seal-keys", json=wish)).status_code == 403


async def test_half_a_wish_no_certificate_no_token_and_no_legal_person_are_refused(stationer: Stationer) -> None:
    entity = {"legal_entity_id": str(stationer.counter.entity)}
    pem = pem_of(examples.key().certificate)
    async with program(stationer, RoleName.MANAGER) as client:
        half = await client.post("/seal-keys", json={**entity, "token_label": "company"})
        assert (half.status_code, "give both, or neither" in half.json()["detail"]) == (409, True)
        junk = await client.post("/seal-keys", json={**entity, "token_label": "company", "certificate_pem": "junk"})
        assert junk.status_code == 400
        absent = await client.post("/seal-keys", json={**entity, "token_label": "company", "certificate_pem": pem})
        assert (absent.status_code, "no seal token and no seal service is set up" in absent.json()["detail"]) == (
            409,
            True,
        )
        assert (await client.post("/seal-keys", json={"legal_entity_id": str(UUID(int=4))})).status_code == 404
        assert (await client.get("/seal-keys")).json() == []
