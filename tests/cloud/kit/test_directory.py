"""The directory leads from an outside key to a company, and tells nothing else."""

from __future__ import annotations

from uuid import UUID

import pytest

from cloud.kit import directory
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.directory import DirectoryEntry, DirectoryKind
from cloud.kit.errors import ConflictError
from common.ids import TenantId

THING, OTHER = UUID(int=1), UUID(int=2)


async def enter(database: Database, tenant: TenantId, actor: Actor, key: str, thing: UUID) -> None:
    async with database.unit(tenant, actor) as unit:
        await directory.enter(unit, DirectoryKind.LOGIN, key, thing)


async def find(database: Database, kind: DirectoryKind, key: str) -> DirectoryEntry | None:
    async with database.directory() as connection:
        return await directory.find(connection, kind, key)


async def test_an_exact_key_of_the_right_kind_leads_to_its_company(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    await enter(database, tenant, actor, "anna", THING)
    assert await find(database, DirectoryKind.LOGIN, "anna") == DirectoryEntry(tenant=tenant, object_id=THING)
    assert await find(database, DirectoryKind.LOGIN, "ann") is None
    assert await find(database, DirectoryKind.BILL_QR, "anna") is None


async def test_a_taken_key_is_refused_and_the_same_entry_again_is_not(
    database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    await enter(database, tenant, actor, "anna", THING)
    await enter(database, tenant, actor, "anna", THING)
    for company, thing in ((tenant, OTHER), (other_tenant, THING)):
        with pytest.raises(ConflictError, match="this login is taken"):
            await enter(database, company, actor, "anna", thing)


async def test_only_the_company_itself_can_withdraw_its_key(
    database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    await enter(database, tenant, actor, "anna", THING)
    for company, left in ((other_tenant, True), (tenant, False)):
        async with database.unit(company, actor) as unit:
            await directory.withdraw(unit, DirectoryKind.LOGIN, "anna")
        assert (await find(database, DirectoryKind.LOGIN, "anna") is not None) == left
