"""Rows of wishes for relief. Private to the domain; late charges themselves are bill lines."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from cloud.arrears.values import ReliefKind, ReliefState
from cloud.kit.tables import CommunityRow, Fen, table_flags


class ReliefRow(CommunityRow):
    """A wish to waive or write off parts of open lines, and who decided; never the one who asked."""

    __tablename__ = "relief"

    relief_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    kind: Mapped[ReliefKind]
    lines: Mapped[list[Any]]
    total_fen: Mapped[Fen]
    reason: Mapped[str]
    state: Mapped[ReliefState]
    asked_at: Mapped[datetime]
    asked_by: Mapped[UUID]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    note: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "account_id"],
            ["account.tenant_id", "account.community_id", "account.account_id"],
        ),
        CheckConstraint("total_fen > 0", name="amount_positive"),
        CheckConstraint("(state = 'asked') = (decided_by is null)", name="decided_by_somebody"),
        CheckConstraint("decided_by is null or decided_by <> asked_by", name="two_persons"),
        Index("ix_relief_state", "tenant_id", "community_id", "state", "asked_at"),
        table_flags(),
    )
