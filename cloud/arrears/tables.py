"""Rows of wishes for relief, letters and agreements. Private to the domain; late charges are bill lines."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.arrears.values import AgreementState, LateRule, ReliefKind, ReliefState
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


class AgreementRow(CommunityRow):
    """An agreement to pay debts by instalments; one at a time is asked for or in force for an account."""

    __tablename__ = "instalment_agreement"

    agreement_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    lines: Mapped[list[Any]]
    plan: Mapped[list[Any]]
    total_fen: Mapped[Fen]
    late_rule: Mapped[LateRule]
    reason: Mapped[str]
    state: Mapped[AgreementState]
    asked_at: Mapped[datetime]
    asked_by: Mapped[UUID]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
    note: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "account_id"],
            ["account.tenant_id", "account.community_id", "account.account_id"],
        ),
        CheckConstraint("total_fen > 0", name="amount_positive"),
        CheckConstraint("(state in ('asked', 'withdrawn')) = (decided_by is null)", name="decided_by_somebody"),
        CheckConstraint("decided_by is null or decided_by <> asked_by", name="two_persons"),
        CheckConstraint("(state in ('asked', 'agreed')) = (ended_at is null)", name="ended_has_time"),
        Index(
            "uq_instalment_agreement_standing",
            "tenant_id",
            "account_id",
            unique=True,
            postgresql_where=text("state in ('asked', 'agreed')"),
        ),
        Index("ix_instalment_agreement_community", "tenant_id", "community_id", "state", "asked_at"),
    )
