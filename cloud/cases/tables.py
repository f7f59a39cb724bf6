"""Rows of cases and what happened to them. Private to the domain."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.cases.case import CaseDeed, CaseKind, OwnerRole
from cloud.kit.tables import TenantRow, table_flags


class CaseRow(TenantRow):
    """One case; it is open until `closed_at` is set. `subject` tells cases of one object apart, such as a period."""

    __tablename__ = "open_case"

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    community_id: Mapped[UUID | None]
    kind: Mapped[CaseKind]
    reason: Mapped[str]
    origin: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[UUID]
    subject: Mapped[str]
    owner_role: Mapped[OwnerRole]
    owner_id: Mapped[UUID | None]
    detail_zh: Mapped[str]
    detail_en: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    closing_reason: Mapped[str | None]
    event_count: Mapped[int]

    __table_args__ = (
        CheckConstraint("(closed_at is null) = (closing_reason is null)", name="closed_with_reason"),
        Index(
            "uq_open_case_object",
            "tenant_id",
            "kind",
            "reason",
            "object_kind",
            "object_id",
            "subject",
            unique=True,
            postgresql_where=text("closed_at is null"),
        ),
        Index("ix_open_case_opened_at", "tenant_id", "opened_at"),
        table_flags(),
    )


class CaseEventRow(TenantRow):
    """One thing that happened to a case."""

    __tablename__ = "case_event"

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    deed: Mapped[CaseDeed]
    actor_id: Mapped[UUID]
    actor_name: Mapped[str]
    note: Mapped[str]
    figures: Mapped[dict[str, Any]]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "case_id"], ["open_case.tenant_id", "open_case.case_id"]),
        table_flags(append_only=True),
    )
