"""Rows of entries of owners' funds. Private to the domain."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from cloud.disclosure.values import EntryKind
from cloud.kit.tables import CommunityRow, Fen, table_flags


class FundEntryRow(CommunityRow):
    """Money that came into or went out of an owners' fund without a bill, as residents read it."""

    __tablename__ = "fund_entry"

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_item_id: Mapped[UUID]
    kind: Mapped[EntryKind]
    fen: Mapped[Fen]
    day: Mapped[date]
    words_zh: Mapped[str]
    words_en: Mapped[str]
    evidence: Mapped[str]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[UUID]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "charge_item_id"],
            ["charge_item.tenant_id", "charge_item.community_id", "charge_item.charge_item_id"],
        ),
        CheckConstraint("fen > 0", name="amount_positive"),
        Index("ix_fund_entry_day", "tenant_id", "community_id", "day"),
        table_flags(append_only=True),
    )
