"""A program issues a paper, sees it, fetches its file; a stranger without a session gets none of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest_asyncio
from fastapi import FastAPI

from cloud.billing import service as billing
from cloud.documents.endpoints import build_open_router, build_router
from cloud.documents.kinds import Check, PaperKind
from cloud.documents.verifying import examine
from cloud.identity.callers import Authentication
from cloud.identity.policy import RoleName
from cloud.kit.httpapi import install_error_handlers
from tests.cloud.documents.conftest import Stationer
from tests.support import api


@pytest_asyncio.fixture
async def program(stationer: Stationer) -> AsyncIterator[httpx.AsyncClient]:
    """A resident's program over the endpoints of papers alone."""
    app = FastAPI()
    install_error_handlers(app)
    app.include_router(build_router(stationer.press))
    app.include_router(build_open_router(stationer.press))
    app.add_middleware(Authentication, database=stationer.press.database)
    party = stationer.counter.office.site.flats[0][1]
    database = stationer.press.database
    token = await api.signed_in(database, stationer.tenant, "resident", RoleName.RESIDENT, party=party)
    async with api.client(app, token) as client:
        yield client


async def test_a_resident_issues_his_bill_and_fetches_the_sealed_file(
    stationer: Stationer, program: httpx.AsyncClient
) -> None:
    bill_id = await stationer.bill()
    issued = (await program.post(f"/papers/bill/{bill_id}")).json()
    assert (issued["kind"], issued["sealed"]) == ("bill", False)
    assert (await program.post(f"/papers/bill/{bill_id}")).json() == issued
    await stationer.sealer.drain()
    assert (await program.get(f"/papers/{issued['paper_id']}")).json() == {**issued, "sealed": True}
    file = await program.get(f"/papers/{issued['paper_id']}/pdf")
    assert examine(file.content, []).check is Check.FOREIGN_SEAL
    told = (await program.post("/verify", content=file.content)).json()
    assert told["check"] == "genuine"


async def test_a_paper_of_another_household_is_not_there(stationer: Stationer, program: httpx.AsyncClient) -> None:
    await stationer.bill()
    office = stationer.counter.office
    account_id = await office.account(office.site.flats[1])
    async with stationer.press.database.view(stationer.tenant) as session:
        (bill,) = await billing.bills_of(session, [account_id])
    paper = await stationer.issue(PaperKind.BILL, bill.bill_id)
    assert (await program.post(f"/papers/bill/{bill.bill_id}")).status_code == 404
    assert (await program.get(f"/papers/{paper.paper_id}")).status_code == 404
    assert (await program.get(f"/papers/{paper.paper_id}/pdf")).status_code == 404


async def test_what_does_not_exist_or_is_no_kind_is_refused(program: httpx.AsyncClient) -> None:
    assert (await program.get(f"/papers/{UUID(int=3)}")).status_code == 404
    assert (await program.post(f"/papers/poem/{UUID(int=3)}")).status_code == 422


async def test_without_a_session_there_are_no_papers_but_anybody_may_check_one(
    stationer: Stationer, program: httpx.AsyncClient
) -> None:
    paper = await stationer.issue(PaperKind.BILL, await stationer.bill())
    del program.headers["Authorization"]
    assert (await program.get(f"/papers/{paper.paper_id}")).status_code == 401
    assert (await program.get(f"/verify/{paper.token}")).json()["holds"] == "current"
    await stationer.sealer.drain()
    pem = await program.get(f"/verify/{paper.token}/certificates.pem")
    assert "BEGIN CERTIFICATE" in pem.text
