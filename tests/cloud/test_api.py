"""The whole API at once: every endpoint asks who calls, and none lets one company reach another's rows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
import pytest_asyncio
from fastapi import FastAPI
from psycopg import sql

from cloud.estate import service as estate
from cloud.estate.kinds import PartyKind, PremisesKind, Role
from cloud.estate.values import NewPremises
from cloud.identity import service as identity
from cloud.identity.policy import Grant, RoleName, Scope
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.postgres import SUPERUSER
from common.ids import TenantId
from tests.support import api
from tests.support.endpoints import Call, Filler, operations
from tests.support.postgres import TestServer
from tests.support.schema import whole_metadata

MARK = "ZZFOREIGN"
OPENING = date(2025, 1, 1)
PUBLIC = {("post", "/api/v1/session")}
SIGNED = ("/gateway/", "/pay/")  # machines prove themselves by signature; tested with their domains
VERIFY = "/verify"  # anyone may ask whether a paper is genuine; told without personal data, tested with the documents
OPEN = {"/healthz", "/metrics"}


def asked(app: FastAPI) -> Iterator[Call]:
    """Yield the operations that people and their programs ask for."""
    return (call for call in operations(app) if call.path not in OPEN and not call.path.startswith((*SIGNED, VERIFY)))


@pytest_asyncio.fixture
async def app(database: Database, tmp_path: Path) -> AsyncIterator[FastAPI]:
    async with api.running_api(database, tmp_path) as built:
        yield built


@pytest_asyncio.fixture
async def foreign(database: Database, other_tenant: TenantId, actor: Actor) -> dict[str, UUID]:
    """A company with one of everything, each name marked, and the ids by the names that paths give them."""
    async with database.unit(other_tenant, actor) as unit:
        community = await estate.create_community(unit, code="far", name=f"{MARK} community", starts=OPENING)
        building = await estate.add_building(unit, community, code="B", name=f"{MARK} building")
        new = NewPremises(label=f"{MARK}-1", kind=PremisesKind.RESIDENCE, effective_from=OPENING, building_id=building)
        premises = await estate.add_premises(unit, community, new)
        party = await estate.add_party(unit, kind=PartyKind.PERSON, name=f"{MARK} person")
        await estate.relate(unit, party_id=party, premises_id=premises, role=Role.OWNER, starts=OPENING)
        grant = Grant(role=RoleName.MANAGER, community_id=None)
        user = await identity.add_user(unit, login="stranger", display_name=f"{MARK} user", grants=[grant])
    async with database.view(other_tenant) as session:
        (listed,) = await identity.users(session, Scope(everywhere=True, communities=frozenset()))
    return {
        "community_id": community,
        "building_id": building,
        "premises_id": premises,
        "party_id": party,
        "from_party": party,
        "user_id": user,
        "grant_id": listed.grants[0][0],
    }


def contents(server: TestServer, database_name: str, tenant: TenantId) -> dict[str, list[str]]:
    """Every row of a company, read past row security."""
    found = {}
    with psycopg.connect(server.server.conninfo(role=SUPERUSER, database=database_name)) as connection:
        for name, table in whole_metadata().tables.items():
            if "tenant_id" in table.columns:
                query = sql.SQL("select t::text from {} t where tenant_id = %s order by 1")
                rows = connection.execute(query.format(sql.Identifier(name)), [tenant])
                found[name] = [row[0] for row in rows]
    return found


async def answers(
    app: FastAPI, token: str, ids: Mapping[str, UUID]
) -> AsyncIterator[tuple[Call, dict[str, Any], httpx.Response]]:
    filler = Filler(ids, ids["community_id"])
    async with api.client(app, token) as client:
        for call in asked(app):
            if (call.method, call.path) == ("delete", "/api/v1/session"):
                continue  # it would end the session that asks
            request = filler.request(call)
            yield call, request, await client.request(**request)


@pytest.fixture
def contents_of(server: TestServer, database_name: str) -> Callable[[TenantId], dict[str, list[str]]]:
    return lambda company: contents(server, database_name, company)


@pytest.mark.timeout(120)  # hundreds of requests
async def test_no_endpoint_reads_or_writes_rows_of_another_company(
    app: FastAPI,
    contents_of: Callable[[TenantId], dict[str, list[str]]],
    database: Database,
    tenant: TenantId,
    other_tenant: TenantId,
    foreign: dict[str, UUID],
) -> None:
    before = contents_of(other_tenant)
    assert before["premises"]
    tokens = [await api.signed_in(database, tenant, role.value, role) for role in (RoleName.MANAGER, RoleName.CASHIER)]
    named_paths = 0  # so that an API that lost its routes does not pass
    for token in tokens:
        async for call, request, response in answers(app, token, foreign):
            where = f"{call.method} {request['url']} {response.status_code} {response.text}"
            assert response.status_code < 500, where
            assert MARK not in response.text, where
            named = {name: str(foreign[name]) for name in foreign if "{" + name + "}" in call.path}
            if named:
                named_paths += 1
                assert response.status_code in {400, 403, 404, 409, 422} or response.json() == [], where
    assert named_paths > 20
    assert contents_of(other_tenant) == before


async def test_every_endpoint_asks_who_calls(app: FastAPI, foreign: dict[str, UUID]) -> None:
    seen = set()
    for token in ("", "not-a-token", f"{'0' * 32}.{'0' * 32}.{'A' * 43}"):
        async for call, request, response in answers(app, token, foreign):
            seen.add(call.path)
            where = f"{call.method} {request['url']} {response.status_code} {response.text}"
            assert response.headers["content-type"] == "application/problem+json", where
            assert response.status_code in ({401, 422} if (call.method, call.path) in PUBLIC else {401}), where
    assert {"/api/v1/me", "/api/v1/communities"} <= seen


async def test_a_resident_reaches_nothing_of_the_companys_people(
    app: FastAPI, database: Database, tenant: TenantId, foreign: dict[str, UUID]
) -> None:
    token = await api.signed_in(database, tenant, "resident", RoleName.RESIDENT)
    own = {"/api/v1/me", "/api/v1/me/password", "/api/v1/session"}
    async for call, request, response in answers(app, token, foreign):
        if call.path in own:
            continue
        where = f"{call.method} {request['url']} {response.status_code} {response.text}"
        empty = response.status_code == 200 and response.json() in ([], {"rows": [], "next_offset": None})
        assert empty or response.status_code in {400, 403, 404, 422}, where


async def test_health_and_metrics_are_open_and_name_routes_not_paths(
    app: FastAPI, database: Database, tenant: TenantId, foreign: dict[str, UUID]
) -> None:
    token = await api.signed_in(database, tenant, "boss", RoleName.MANAGER)
    async with api.client(app, token) as client:
        assert (await client.get("/healthz")).json() == {"state": "ready"}
        await client.get(f"/api/v1/premises/{foreign['premises_id']}", params={"day": "2026-01-01"})
        await client.get("/api/v1/no-such-thing")
        text = (await client.get("/metrics")).text
    assert 'gatehouse_http_requests_total{method="GET",route="/api/v1/premises/{premises_id}",status="404"} 1.0' in text
    assert 'route="unmatched",status="404"} 1.0' in text
    assert str(foreign["premises_id"]) not in text


async def test_bad_input_is_refused_in_words_and_counted(app: FastAPI, database: Database, tenant: TenantId) -> None:
    token = await api.signed_in(database, tenant, "boss", RoleName.MANAGER)
    community = {"code": "g", "name": "花园", "starts": "2026-01-01"}
    cases: list[tuple[str, dict[str, Any], int]] = [
        ("not JSON", {"content": b"{", "headers": {"content-type": "application/json"}}, 422),
        ("unknown field", {"json": {**community, "colour": "red"}}, 422),
        ("control character", {"json": {**community, "name": "a\x00b"}}, 422),
        ("no such zone", {"json": {**community, "zone": "Mars/Base"}}, 422),
        ("no such day", {"json": {**community, "starts": "2026-02-30"}}, 422),
        ("too large", {"content": json.dumps({**community, "name": "x" * (1 << 20)}).encode()}, 413),
        ("right", {"json": community}, 201),
        ("taken", {"json": community}, 409),
    ]
    async with api.client(app, token) as client:
        for name, request, status in cases:
            response = await client.post("/api/v1/communities", **request)
            assert response.status_code == status, (name, response.text)
            if status != 201:
                assert response.json()["detail"], name


async def test_a_session_cookie_changes_nothing_when_another_site_sends_it(
    app: FastAPI, database: Database, tenant: TenantId
) -> None:
    code = await api.add_person(database, tenant, "boss", RoleName.MANAGER)
    body = {"code": "g", "name": "花园", "starts": "2026-01-01"}
    async with api.client(app) as browser:
        signed_in = await browser.post("/api/v1/session", json={"code": code})
        cookie = signed_in.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        for header in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await browser.post("/api/v1/communities", json=body, headers=header)).status_code == 403
        assert (await browser.post("/api/v1/communities", json=body, headers={"Origin": api.HOST})).status_code == 201
        assert (await browser.delete("/api/v1/session")).status_code == 204
        browser.cookies.clear()
        assert (await browser.get("/api/v1/me")).status_code == 401
