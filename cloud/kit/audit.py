"""Who did what to which thing: one row or more for each unit of work that writes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import TenantRow, table_flags


class AuditRow(TenantRow):
    """One deed. `before` and `after` hold ids, figures and states, never names, phones or plates."""

    __tablename__ = "audit"

    audit_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    actor_name: Mapped[str]
    action: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[UUID]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]

    __table_args__ = (
        Index("ix_audit_object", "tenant_id", "object_kind", "object_id", "at"),
        table_flags(append_only=True, machinery=True),
    )
