"""Use cases of the estate: set up companies and communities, relate parties to premises, sell."""

from __future__ import annotations

from cloud.estate.tables import TenantRecord
from cloud.kit.db import Unit
from cloud.kit.names import sort_key

DEFAULT_ZONE = "Asia/Shanghai"


async def create_tenant(unit: Unit, *, code: str, name: str, zone: str = DEFAULT_ZONE) -> None:
    """Create the company of the unit itself: the unit's tenant id is the new company's id."""
    unit.session.add(
        TenantRecord(
            tenant_id=unit.tenant, code=code, name=name, name_key=sort_key(name), zone=zone, created_at=unit.now
        )
    )
    await unit.session.flush()
    unit.record("created", "tenant", unit.tenant, after={"code": code})
