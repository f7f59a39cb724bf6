"""A resident's program reads its own notices and says how to be told; staff read their community's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from cloud.identity.callers import Authentication
from cloud.identity.policy import RoleName
from cloud.kit.httpapi import install_error_handlers
from cloud.notices.endpoints import build_router
from tests.cloud.notices.conftest import Herald
from tests.support import api


@asynccontextmanager
async def program(herald: Herald, role: RoleName, *, of_party: bool) -> AsyncIterator[httpx.AsyncClient]:
    database = herald.counter.database
    app = FastAPI()
    install_error_handlers(app)
    app.include_router(build_router(database))
    app.add_middleware(Authentication, database=database)
    party = herald.party if of_party else None
    token = await api.signed_in(database, herald.counter.tenant, f"{role}-{of_party}", role, party=party)
    async with api.client(app, token) as client:
        yield client


async def test_a_resident_reads_what_he_was_told_in_the_language_he_asked_for(herald: Herald) -> None:
    async with program(herald, RoleName.RESIDENT, of_party=True) as resident:
        wish = {"language": "en", "quiet_from": "22:00", "quiet_to": "07:00"}
        assert (await resident.put("/notices/wish", json=wish)).status_code == 204
        await herald.morning(0)
        (notice,) = (await resident.get("/notices")).json()
        assert notice["title"].startswith("Bill ")
        community = herald.counter.office.site.community_id
        assert (await resident.get(f"/communities/{community}/notices")).status_code == 403


async def test_staff_read_the_notices_of_a_community_and_have_none_of_their_own(herald: Herald) -> None:
    await herald.morning(0)
    async with program(herald, RoleName.MANAGER, of_party=False) as manager:
        community = herald.counter.office.site.community_id
        (notice,) = (await manager.get(f"/communities/{community}/notices")).json()
        assert notice["state"] == "told"
        assert (await manager.get("/notices")).status_code == 403


async def test_quiet_hours_that_cannot_be_read_and_a_resident_without_a_home_are_refused(herald: Herald) -> None:
    async with program(herald, RoleName.RESIDENT, of_party=False) as nobody:
        wish = {"language": "zh", "quiet_from": "25:00", "quiet_to": "07:00"}
        assert (await nobody.put("/notices/wish", json=wish)).status_code == 422
        assert (await nobody.get("/notices")).status_code == 403
