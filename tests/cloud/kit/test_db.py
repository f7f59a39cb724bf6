"""The door to the database: transactions, row security, audit."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from cloud.estate.kinds import EntityKind
from cloud.estate.tables import LegalEntityRow, TenantRecord
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from common.errors import InvariantError
from common.ids import LegalEntityId, TenantId


async def test_a_company_sees_its_own_rows_and_no_others(
    database: Database, tenant: TenantId, other_tenant: TenantId
) -> None:
    async with database.view(tenant) as session:
        found = (await session.scalars(select(TenantRecord.tenant_id))).all()
    assert found == [tenant]
    assert other_tenant not in found


async def test_a_unit_that_wrote_without_recording_is_refused(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    with pytest.raises(InvariantError, match="recorded no deed"):
        async with database.unit(tenant, actor) as unit:
            unit.session.add(
                LegalEntityRow(
                    tenant_id=tenant,
                    legal_entity_id=LegalEntityId(unit.new_id()),
                    kind=EntityKind.COMPANY,
                    name="甲",
                    name_key="jia",
                    created_at=unit.now,
                )
            )
    async with database.view(tenant) as session:
        names = (await session.scalars(select(LegalEntityRow.name))).all()
    assert "甲" not in names
