"""Every endpoint and every page against the rows of others: another company's, or another community's.

The house asked has one of everything that a path can name; the operations come from the application's own description,
so a new endpoint is asked as soon as it exists, and fails here while the house has nothing of what its path names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import psycopg
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response
from psycopg import sql
from sqlalchemy import Table

from cloud import flow
from cloud.billing import corrections
from cloud.billing.corrections import Cause, CorrectionScope
from cloud.documents import service as papers
from cloud.documents.kinds import PaperKind
from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.identity import service as identity
from cloud.identity.policy import Grant, RoleName
from cloud.kit.db import Database
from cloud.kit.events import Routes
from cloud.kit.postgres import SUPERUSER
from cloud.ledger.accounts import Book
from cloud.payments import desk
from cloud.reconciliation import tasks
from cloud.tariffs.charge import FundClass
from common.ids import CommunityId, TenantId
from common.reading.reading import Resource
from tests.cloud.billing import builders as b
from tests.cloud.deposits.vault import open_vault
from tests.cloud.payments.channels.bank.files import ICBC
from tests.cloud.reconciliation.test_transfers import bank_of, imported
from tests.cloud.refunds.till import Till
from tests.cloud.web.belongings import add_belongings
from tests.cloud.web.front import Front
from tests.support import api
from tests.support.endpoints import Call, Filler, operations, ways_in
from tests.support.postgres import TestServer
from tests.support.schema import whole_metadata

MARK = "ZZFOREIGN"
STAFF = (RoleName.MANAGER, RoleName.CASHIER, RoleName.TECHNICIAN)
# The address of a bill, a gateway's or a channel's signature is the proof itself; each domain tests what it opens.
PROVEN_BY_SECRET = {
    ("post", "/gateway/v1/batches"),
    ("post", "/gateway/v1/downlink"),
    ("post", "/gateway/v1/enrol"),
    ("post", "/gateway/v1/keys"),
    ("get", "/pay/{token}"),
    ("get", "/pay/{token}/attempts/{attempt_id}"),
    ("post", "/pay/{token}/attempts"),
    ("post", "/pay/{token}/begin"),
    ("get", "/pay/{token}/dues"),
    ("get", "/pay/{token}/orders/{attempt_id}"),
    ("get", "/pay/{token}/paper"),
    ("get", "/pay/{token}/paper/file"),
    ("get", "/pay/{token}/paper/state"),
    ("post", "/pay/{token}/paper"),
    ("get", "/v/{token}"),
    ("get", "/verify/{token}"),
    ("get", "/verify/{token}/certificates.pem"),
    ("get", "/pay/{token}/orders/{attempt_id}/state"),
}
CHANNELS = re.compile(r"/notify/[a-z]+/\{notify_token\}")
ENDS_THE_SESSION = {("delete", "/api/v1/session"), ("post", "/sign-out")}
OPEN = {("get", "/healthz"), ("get", "/metrics"), ("get", "/v"), ("post", "/v"), ("post", "/verify")}
# The description of the API and the files of the pages, the same for everybody.
SAME_FOR_ALL = {("Route", "/api/v1/openapi.json"), ("Mount", "/static")}
REFUSED = {303, 400, 403, 404, 405, 409, 422}
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
COMPANY_FACTS = {"/api/v1/merchant-accounts"}  # to whom the company's payers pay is no community's secret
SAME_THING = {"from_party": "party_id", "to_party": "party_id", "parent_meter_id": "meter_id"}


@pytest.fixture
def routes() -> Routes:
    return flow.ROUTES


@pytest_asyncio.fixture
async def house(front: Front) -> Front:
    """A company with one of everything."""
    await pay_and_compare(front)
    await front.counter.bill(1, 500)
    counter, site = front.counter, front.counter.office.site
    book = Book(community_id=site.community_id, legal_entity_id=counter.entity, fund_class=FundClass.OPERATING)
    premises_id = front.flats[0][0]
    async with counter.database.unit(counter.tenant, site.actor) as unit:
        box = await desk.add_cash_box(unit, book, f"{MARK} box")
        await desk.open_shift(unit, box, opening_fen=0, reason="first")
        await estate.add_building(unit, site.community_id, code="Z", name=f"{MARK} building")
        grants = [Grant(role=RoleName.MANAGER, community_id=None)]
        await identity.add_user(unit, login="stranger", display_name=f"{MARK} user", grants=grants)
        await add_belongings(unit, front, MARK)
        meter = await fleet.add_meter(unit, serial=f"{MARK}-M", resource=Resource.WATER)
        await fleet.install_meter(
            unit, meter_id=meter, community_id=site.community_id, premises_id=premises_id, start=b.MONTHS[0].start
        )
        scope = CorrectionScope(
            community_id=site.community_id, premises=frozenset({premises_id}), first_day=b.MONTHS[0].start
        )
        await corrections.open_correction(unit, scope, cause=Cause.READING, reason="misread")
    await counter.start(amount_fen=1, collection_id=UUID(int=9))
    await imported(counter, await bank_of(counter), ICBC.encode("gb18030"))
    (paid, *_) = await front.counter.payments()
    await papers.issue(front.press, counter.tenant, site.actor, PaperKind.RECEIPT, paid.payment_id)
    return front


async def pay_and_compare(front: Front) -> None:
    """Bring two deposits, pay a bill, ask for it back, and find a break in the channel's statement of that day."""
    counter = front.counter
    till = Till(counter=counter)
    vault = await open_vault(till)
    await vault.propose(await vault.held(), 100)
    await vault.meet(await vault.held())
    await counter.settle(await counter.start())
    paid = next(one for one in await counter.payments() if one.book.fund_class is FundClass.OPERATING)
    await till.request(till.wish(paid, 1))
    day = counter.office.clock.now().date()
    await counter.channel.control("mischief", kind="bill_wrong_amount", value=1)
    counter.office.clock.set(datetime(day.year, day.month, day.day, 2, 30, tzinfo=UTC) + timedelta(days=1))
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        unit.enqueue(tasks.fetch_job(counter.account.merchant_account_id, day, "test"))
        unit.record("asked for", "statement_file", counter.account.merchant_account_id)
    await counter.work()


class Store:
    """Every row of a company, read past row security."""

    def __init__(self, server: TestServer, database_name: str) -> None:
        self._conninfo = server.server.conninfo(role=SUPERUSER, database=database_name)

    def rows(self, tenant: TenantId, community: CommunityId | None = None) -> dict[str, list[str]]:
        """Return the rows of a company, or of one community of it, by table."""
        found = {}
        with psycopg.connect(self._conninfo) as connection:
            for table in self._tables(*(() if community is None else ("community_id",))):
                query = sql.SQL("select t::text from {} t where tenant_id = %s").format(sql.Identifier(table.name))
                values: list[UUID] = [tenant]
                if community is not None:
                    query, values = query + sql.SQL(" and community_id = %s"), [tenant, community]
                found[table.name] = sorted(row[0] for row in connection.execute(query, values))
        return found

    def value(self, tenant: TenantId, column: str) -> object:
        """Return what a column of that name holds in some row of a company, or None."""
        with psycopg.connect(self._conninfo) as connection:
            for table in self._tables(column):
                query = sql.SQL("select {column} from {table} where tenant_id = %s and {column} is not null limit 1")
                names = {"column": sql.Identifier(column), "table": sql.Identifier(table.name)}
                row = connection.execute(query.format(**names), [tenant]).fetchone()
                if row is not None:
                    return cast("object", row[0])
        return None

    def _tables(self, *columns: str) -> Iterator[Table]:
        for table in whole_metadata().sorted_tables:
            if {"tenant_id", *columns} <= set(table.columns.keys()):
                yield table


@pytest.fixture
def store(server: TestServer, database_name: str) -> Store:
    return Store(server, database_name)


def applications(app: FastAPI) -> tuple[FastAPI, FastAPI]:
    """Return the application of the API and that of the pages."""
    pages = app.router.default
    assert isinstance(pages, FastAPI)
    return app, pages


def excused(way: tuple[str, str]) -> bool:
    """Return whether a way in is named here as one that these tests need not ask."""
    named = PROVEN_BY_SECRET | ENDS_THE_SESSION | OPEN
    return way in named or (way[0] == "post" and CHANNELS.fullmatch(way[1]) is not None)


def calls(app: FastAPI) -> list[Call]:
    """Return every operation that somebody signed in may try: the API's and the pages'."""
    found = [call for part in applications(app) for call in operations(part)]
    return [call for call in found if not excused((call.method, call.path))]


def unasked(app: FastAPI) -> set[tuple[str, str]]:
    """Return the ways in that are neither asked nor named here."""
    asked = {(call.method, call.path) for call in calls(app)}
    found = {way for part in applications(app) for way in ways_in(part)}
    return {way for way in found - asked - SAME_FOR_ALL if not excused(way)}


def foreign_values(front: Front, store: Store) -> dict[str, object]:
    """Return the house's own value for every id that a path names."""
    tenant, day = front.counter.tenant, front.counter.office.clock.now().date() - timedelta(days=1)
    values: dict[str, object] = {"start": b.MONTHS[0].start, "day": day, "n": 1}
    for call in calls(front.app):
        for name in call.named_ids:
            found = store.value(tenant, SAME_THING.get(name, name))
            assert found is not None, f"the house has no {name}, which {call.path} names; give it one"
            values[name] = found
    values.update({alias: values[name] for alias, name in SAME_THING.items() if name in values})
    return values


async def ask_everything(app: FastAPI, token: str, filler: Filler) -> list[tuple[Call, dict[str, Any], httpx.Response]]:
    answers = []
    async with api.client(app, token) as client:
        for call in calls(app):
            request = filler.request(call)
            answers.append((call, request, await client.request(**request)))
    return answers


def ids_told(request: Mapping[str, Any], response: httpx.Response) -> set[str]:
    """Return the ids in an answer that did not stand in the question."""
    return set(_ID.findall(response.text)) - set(_ID.findall(str(request)))


def secrets_of(rows: Mapping[str, list[str]], *, but: set[str]) -> set[str]:
    """Return every id in some rows, except some."""
    return {one for texts in rows.values() for text in texts for one in _ID.findall(text)} - but


def test_every_way_in_is_asked_or_named_here(front: Front) -> None:
    assert unasked(front.app) == set()
    found = {way for part in applications(front.app) for way in ways_in(part)}
    assert found >= PROVEN_BY_SECRET | ENDS_THE_SESSION | OPEN | SAME_FOR_ALL, "a way in that is named here is gone"


async def nothing() -> None:
    """Answer nothing: a route that somebody adds."""


async def answer_nothing(request: Request) -> Response:
    del request
    return Response()


def test_a_new_way_in_is_asked_at_once_or_fails_here(front: Front) -> None:
    before = len(calls(front.app))
    api, pages = applications(front.app)
    api.add_api_route("/api/v1/everything", nothing, methods=["GET"])
    api.add_api_route("/api/v1/everything", nothing, methods=["DELETE"])
    pages.add_api_route("/pages/everything", nothing, methods=["POST"], include_in_schema=False)
    assert len(calls(front.app)) == before + 3
    assert unasked(front.app) == set()
    pages.add_route("/plain", answer_nothing)
    api.add_api_websocket_route("/socket", nothing)
    pages.mount("/files", FastAPI())
    assert {path for _, path in unasked(front.app)} == {"/plain", "/socket", "/files"}


def test_a_new_way_in_under_a_secret_is_asked_unless_it_is_named(front: Front) -> None:
    applications(front.app)[1].add_api_route("/pay/{token}/history", nothing, methods=["GET"])
    assert ("get", "/pay/{token}/history") in {(call.method, call.path) for call in calls(front.app)}


@pytest.mark.timeout(240)  # the house has one of everything
def test_a_new_way_in_whose_id_the_house_does_not_have_fails(house: Front, store: Store) -> None:
    async def one(lift_id: UUID) -> None:
        del lift_id

    house.app.add_api_route("/api/v1/lifts/{lift_id}", one, methods=["GET"])
    with pytest.raises(AssertionError, match="the house has no lift_id"):
        foreign_values(house, store)


@pytest.mark.timeout(240)  # a thousand requests
async def test_nobody_of_another_company_reads_or_writes_anything_through_any_endpoint_or_page(
    house: Front, store: Store, database: Database, other_tenant: TenantId
) -> None:
    tenant = house.counter.tenant
    filler = Filler(foreign_values(house, store), house.counter.office.site.community_id)
    before = store.rows(tenant)
    secrets = secrets_of(before, but=set())
    named = 0
    for role in (*STAFF, RoleName.RESIDENT):
        token = await api.signed_in(database, other_tenant, role.value, role)
        for call, request, response in await ask_everything(house.app, token, filler):
            where = f"{role} {call.method} {request['url']} {response.status_code} {response.text[:400]}"
            assert response.status_code < 500, where
            assert MARK not in response.text, where
            assert not ids_told(request, response) & secrets, where
            if call.named_ids:
                named += 1
                assert response.status_code in REFUSED or response.text.strip() == "[]", where
    assert named > 4 * 60
    assert store.rows(tenant) == before


@pytest.mark.timeout(240)  # a thousand requests
async def test_a_role_in_one_community_reaches_nothing_of_another_community_of_the_company(
    house: Front, store: Store, database: Database
) -> None:
    tenant, site = house.counter.tenant, house.counter.office.site
    async with database.unit(tenant, site.actor) as unit:
        elsewhere = await estate.create_community(unit, code="else", name="别处", starts=date(2025, 1, 1))
    values = foreign_values(house, store) | {"community_id": site.community_id}
    filler = Filler(values, site.community_id)
    before = store.rows(tenant, site.community_id)
    # A refusal names the community; legal entities and gateways are the company's, and serve several communities.
    secrets = secrets_of(before, but={str(one) for one in (tenant, site.community_id, house.counter.entity)})
    secrets -= set(_ID.findall(" ".join(store.rows(tenant)["gateway"])))
    leaks = []
    for role in STAFF:
        token = await api.signed_in(database, tenant, f"else-{role.value}", role, elsewhere)
        for call, request, response in await ask_everything(house.app, token, filler):
            where = f"{role} {call.method} {request['url']} {response.status_code} {response.text[:400]}"
            assert response.status_code < 500, where
            told = ids_told(request, response) & secrets
            if told and call.path not in COMPANY_FACTS:
                leaks.append(f"{call.path} {told} {where}")
    assert not leaks, "\n".join(leaks)
    assert store.rows(tenant, site.community_id) == before
