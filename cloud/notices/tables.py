"""The rows of notices: what somebody was told and when, how he wants to be told, and what became of each delivery.

A notice has one delivery at most, by its key: whatever runs twice, it is sent once. Addresses and the secrets of
accounts are sealed with the key from outside the database; beside them stands only what may be shown.
"""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Time, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import CommunityRow, TenantRow
from cloud.notices.kinds import DeliveryState, Language, NoticeKind, NoticeState, Way


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
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))

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


class NoticeAddressRow(TenantRow):
    """By which way a party wants to be told and at which address; who has none reads his inbox."""

    __tablename__ = "notice_address"

    party_id: Mapped[UUID] = mapped_column(primary_key=True)
    way: Mapped[Way]
    address_sealed: Mapped[bytes]
    shown: Mapped[str]
    changed_at: Mapped[datetime]

    __table_args__ = (ForeignKeyConstraint(["tenant_id", "party_id"], ["party.tenant_id", "party.party_id"]),)


class MessageAccountRow(TenantRow):
    """A company's account at a provider of messages; one is open for each way, and its secret is sealed."""

    __tablename__ = "message_account"

    message_account_id: Mapped[UUID] = mapped_column(primary_key=True)
    way: Mapped[Way]
    login: Mapped[str]
    sender: Mapped[str]
    host: Mapped[str]
    port: Mapped[int]
    templates: Mapped[list[Any]]
    secret_sealed: Mapped[bytes]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_message_account_open", "tenant_id", "way", unique=True, postgresql_where=text("closed_at is null")),
    )


class DeliveryRow(CommunityRow):
    """The one delivery of a notice: to whom, by which account, and what is known of it."""

    __tablename__ = "delivery"

    notice_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_account_id: Mapped[UUID]
    way: Mapped[Way]
    address_sealed: Mapped[bytes]
    shown: Mapped[str]
    state: Mapped[DeliveryState]
    attempts: Mapped[int]
    asked: Mapped[int]
    reference: Mapped[str]
    reason: Mapped[str]
    planned_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "notice_id"], ["notice.tenant_id", "notice.community_id", "notice.notice_id"]
        ),
        ForeignKeyConstraint(
            ["tenant_id", "message_account_id"],
            ["message_account.tenant_id", "message_account.message_account_id"],
        ),
        CheckConstraint("(state = 'sending') = (leased_until is not null)", name="lease_iff_sending"),
        CheckConstraint(
            "(state in ('delivered', 'failed', 'unknown')) = (ended_at is not null)", name="ended_has_time"
        ),
        CheckConstraint("state not in ('accepted', 'delivered') or accepted_at is not null", name="accepted_has_time"),
        CheckConstraint("state not in ('failed', 'unknown') or reason <> ''", name="failed_has_reason"),
        Index("ix_delivery_community", "tenant_id", "community_id", "planned_at"),
    )
