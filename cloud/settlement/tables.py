"""Rows of move-out settlements. Private to the domain."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import CommunityRow, Fen, table_flags


class SettlementRow(CommunityRow):
    """That a party moved out of premises on a day, and the statement it was given; written once, as approved."""

    __tablename__ = "settlement"

    settlement_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    moved_out_on: Mapped[date]
    bill_id: Mapped[UUID | None]
    owed_fen: Mapped[Fen]
    ahead_fen: Mapped[Fen]
    deposit_fen: Mapped[Fen]
    refund_fen: Mapped[Fen]
    statement: Mapped[dict[str, Any]]
    preview_sha: Mapped[bytes]
    settled_at: Mapped[datetime]
    settled_by: Mapped[UUID]

    __table_args__ = (
        UniqueConstraint("tenant_id", "community_id", "account_id", "moved_out_on"),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "account_id"],
            ["account.tenant_id", "account.community_id", "account.account_id"],
        ),
        CheckConstraint("least(owed_fen, ahead_fen, deposit_fen, refund_fen) >= 0", name="amounts_not_negative"),
        table_flags(append_only=True),
    )
