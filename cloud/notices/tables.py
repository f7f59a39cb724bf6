"""The rows of notices: what somebody was told and when, and how he wants to be told."""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Time, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import CommunityRow, TenantRow
from cloud.notices.kinds import Language, NoticeKind, NoticeState


class NoticeWishRow(TenantRow):
    """How a party wants to be told: language and quiet hours."""

    __tablename__ = "notice_wish"

    party_id: Mapped[UUID] = mapped_column(primary_key=True)
    language: Mapped[Language]
    quiet_from: Mapped[time] = mapped_column(Time())
    quiet_to: Mapped[time] = mapped_column(Time())
    changed_at: Mapped[datetime]

    __table_args__ = (ForeignKeyConstraint(["tenant_id", "party_id"], ["party.tenant_id", "party.party_id"]),)


class NoticeRow(CommunityRow):
    """A notice to the party of an account; `key` makes each be written once."""

    __tablename__ = "notice"

    notice_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    party_id: Mapped[UUID]
    kind: Mapped[NoticeKind]
    subject_id: Mapped[UUID]
    key: Mapped[str]
    language: Mapped[Language]
    title: Mapped[str]
    body: Mapped[str]
    channel: Mapped[str]
    state: Mapped[NoticeState]
    written_at: Mapped[datetime]
    tell_at: Mapped[datetime]
    told_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "account_id"],
            ["account.tenant_id", "account.community_id", "account.account_id"],
        ),
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint("(state = 'told') = (told_at is not null)", name="told_has_time"),
        Index("ix_notice_party", "tenant_id", "party_id", "written_at"),
        Index("ix_notice_community", "tenant_id", "community_id", "written_at"),
    )
