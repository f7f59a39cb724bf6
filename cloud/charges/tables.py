"""Rows of groups, one-off charges and announcements. Private to the domain."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cloud.charges.values import ChargeState, Sharing
from cloud.kit.tables import CommunityRow, Fen, table_flags

_GROUP = ["premises_group.tenant_id", "premises_group.community_id", "premises_group.code"]


class PremisesGroupRow(CommunityRow):
    """A named group of premises."""

    __tablename__ = "premises_group"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        table_flags(),
    )


class PremisesGroupMemberRow(CommunityRow):
    """That premises are of a group."""

    __tablename__ = "premises_group_member"

    code: Mapped[str] = mapped_column(primary_key=True)
    premises_id: Mapped[UUID] = mapped_column(primary_key=True)

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id", "code"], _GROUP),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "premises_id"],
            ["premises.tenant_id", "premises.community_id", "premises.premises_id"],
        ),
        table_flags(),
    )


class OneOffChargeRow(CommunityRow):
    """An amount decided once for some households; what it became stands on bills of its own cycle."""

    __tablename__ = "one_off_charge"

    charge_id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_item_id: Mapped[UUID]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    sharing: Mapped[Sharing]
    amount_fen: Mapped[Fen]
    targets: Mapped[list[Any]]
    groups: Mapped[list[Any]]
    service_start: Mapped[date]
    service_end: Mapped[date]
    due_on: Mapped[date]
    reference: Mapped[str]
    state: Mapped[ChargeState]
    drafted_at: Mapped[datetime]
    drafted_by: Mapped[UUID]
    preview_sha: Mapped[bytes | None]
    issued_at: Mapped[datetime | None]
    issued_by: Mapped[UUID | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "charge_item_id"],
            ["charge_item.tenant_id", "charge_item.community_id", "charge_item.charge_item_id"],
        ),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("service_start < service_end", name="service"),
        CheckConstraint(
            "(state in ('issued', 'withdrawn')) = "
            "(preview_sha is not null and issued_at is not null and issued_by is not null)",
            name="issued_is_approved",
        ),
        Index("ix_one_off_charge_drafted", "tenant_id", "community_id", "drafted_at"),
        table_flags(),
    )


class AnnouncementRow(CommunityRow):
    """What residents were told, and from which day it holds; `premises` of NULL is for all."""

    __tablename__ = "announcement"

    announcement_id: Mapped[UUID] = mapped_column(primary_key=True)
    title_zh: Mapped[str]
    title_en: Mapped[str]
    text_zh: Mapped[str]
    text_en: Mapped[str]
    holds_from: Mapped[date]
    premises: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    published_at: Mapped[datetime]
    published_by: Mapped[UUID]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        UniqueConstraint("tenant_id", "announcement_id"),
        Index("ix_announcement_published", "tenant_id", "community_id", "published_at"),
        table_flags(append_only=True),
    )
