"""Rows of wishes for relief and of letters of arrears. Private to the domain; late charges are bill lines."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
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


class ArrearsLetterRow(CommunityRow):
    """What an account owed a legal person past its due day on a day; `pay_token` ends its oldest bill's address."""

    __tablename__ = "arrears_letter"

    letter_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    legal_entity_id: Mapped[UUID]
    made_on: Mapped[date]
    made_at: Mapped[datetime]
    pay_token: Mapped[str]
    total_fen: Mapped[Fen]
    lines: Mapped[list[Any]]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "account_id"],
            ["account.tenant_id", "account.community_id", "account.account_id"],
        ),
        ForeignKeyConstraint(
            ["tenant_id", "legal_entity_id"], ["legal_entity.tenant_id", "legal_entity.legal_entity_id"]
        ),
        UniqueConstraint("tenant_id", "account_id", "legal_entity_id", "made_on"),
        CheckConstraint("total_fen > 0", name="amount_positive"),
        table_flags(append_only=True),
    )
