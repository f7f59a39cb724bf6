"""Who did what to which thing: one row or more for each unit of work that writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, Session, mapped_column

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


_COLUMNS = {
    "tenant_id": "uuid",
    "audit_id": "uuid",
    "at": "timestamptz",
    "actor_kind": "text",
    "actor_id": "uuid",
    "actor_name": "text",
    "action": "text",
    "object_kind": "text",
    "object_id": "uuid",
    "before": "jsonb",
    "after": "jsonb",
}
_JSON = ("before", "after")
_INSERT = text(
    f"insert into audit ({', '.join(_COLUMNS)}) select * from unnest("  # noqa: S608 - joined from the constants above
    + ", ".join(f"cast(:{name} as {kind}[])" for name, kind in _COLUMNS.items())
    + ")"
)


def insert_records(session: Session, records: Sequence[Mapping[str, Any]]) -> None:
    """Add deeds in one statement, whatever their number."""
    values = {name: [record[name] for record in records] for name in _COLUMNS}
    for name in _JSON:
        values[name] = [None if told is None else json.dumps(told) for told in values[name]]
    session.execute(_INSERT, values, execution_options={"machinery": True})
