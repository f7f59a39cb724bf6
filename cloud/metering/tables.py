"""Rows of metering: blocks of readings, what corrects them, what was unpacked, and one-shot usage.

Private to the domain.
Blocks hold whole days: a later revision of a day contains all that the earlier ones held. Nothing here is ever
changed; what is known at an instant is the newest revision recorded by then.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import CommunityRow, Fen, Milli, TenantRow, table_flags
from cloud.metering.filling_rules import Method
from cloud.metering.sessions import SessionKind
from common.reading.reading import Quantity, Resource


class UnpackedBatchRow(TenantRow):
    """A batch whose contents are stored; the key makes a second unpacking a no-op."""

    __tablename__ = "unpacked_batch"

    gateway_id: Mapped[UUID] = mapped_column(primary_key=True)
    store_epoch: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    readings: Mapped[int]
    recorded_at: Mapped[datetime]

    __table_args__ = (table_flags(append_only=True),)


class BatchWatermarkRow(TenantRow):
    """How far the batches of one store are unpacked without a hole; it only moves forward."""

    __tablename__ = "batch_watermark"

    gateway_id: Mapped[UUID] = mapped_column(primary_key=True)
    store_epoch: Mapped[int] = mapped_column(primary_key=True)
    contiguous: Mapped[int]
    complete_until: Mapped[datetime | None]

    __table_args__ = (table_flags(),)


class MeterDayBlockRow(CommunityRow):
    """All readings of one quantity of one meter on one civil day, as of one batch."""

    __tablename__ = "meter_day_block"

    meter_id: Mapped[UUID] = mapped_column(primary_key=True)
    quantity: Mapped[Quantity] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    rev: Mapped[int] = mapped_column(primary_key=True)
    first_at: Mapped[datetime]
    first_milli: Mapped[Milli]
    first_quality: Mapped[int]
    last_at: Mapped[datetime]
    last_milli: Mapped[Milli]
    last_quality: Mapped[int]
    count: Mapped[int]
    quality: Mapped[int]
    body: Mapped[bytes]
    gateway_id: Mapped[UUID]
    store_epoch: Mapped[int]
    sequence: Mapped[int]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("rev >= 1 and count >= 1", name="bounds"),
        CheckConstraint("first_at <= last_at", name="order"),
        Index("ix_meter_day_block_day", "tenant_id", "community_id", "day"),
        table_flags(append_only=True, bulk=True),
    )


class ReadingRevisionRow(CommunityRow):
    """A corrected, confirmed or hand-read register; a value of NULL withdraws the reading of that instant."""

    __tablename__ = "reading_revision"

    meter_id: Mapped[UUID] = mapped_column(primary_key=True)
    quantity: Mapped[Quantity] = mapped_column(primary_key=True)
    read_at: Mapped[datetime] = mapped_column(primary_key=True)
    rev: Mapped[int] = mapped_column(primary_key=True)
    value_milli: Mapped[Milli | None]
    quality: Mapped[int]
    reason: Mapped[str]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("rev >= 1", name="rev"),
        CheckConstraint("reason <> ''", name="reason"),
        table_flags(append_only=True),
    )


class EstimateRuleRow(CommunityRow):
    """How many days in a row may be estimated of a resource, as decided; the newest revision holds."""

    __tablename__ = "estimate_rule"

    resource: Mapped[Resource] = mapped_column(primary_key=True)
    rev: Mapped[int] = mapped_column(primary_key=True)
    days_max: Mapped[int]
    decided_by: Mapped[UUID]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        CheckConstraint("rev >= 1", name="rev"),
        CheckConstraint("days_max between 0 and 200", name="days_max"),
        table_flags(append_only=True),
    )


class ReadingEstimateRow(CommunityRow):
    """How a revision of a reading was estimated: the method, the figures it rests on, who decided and why."""

    __tablename__ = "reading_estimate"

    meter_id: Mapped[UUID] = mapped_column(primary_key=True)
    quantity: Mapped[Quantity] = mapped_column(primary_key=True)
    read_at: Mapped[datetime] = mapped_column(primary_key=True)
    rev: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    method: Mapped[Method]
    value_milli: Mapped[Milli]
    basis: Mapped[dict[str, Any]]
    reason: Mapped[str]
    decided_by: Mapped[UUID]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "meter_id", "quantity", "read_at", "rev"],
            [
                f"reading_revision.{column}"
                for column in ("tenant_id", "community_id", "meter_id", "quantity", "read_at", "rev")
            ],
        ),
        CheckConstraint("value_milli >= 0", name="value"),
        CheckConstraint("reason <> ''", name="reason"),
        Index("ix_reading_estimate_time", "tenant_id", "community_id", "recorded_at"),
        table_flags(append_only=True),
    )


class VirtualMeterRow(CommunityRow):
    """What a virtual meter is made of from a day on; the newest revision of a day holds until the next day defined."""

    __tablename__ = "virtual_meter"

    virtual_id: Mapped[UUID] = mapped_column(primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    rev: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    resource: Mapped[Resource]
    plus: Mapped[list[Any]]
    minus: Mapped[list[Any]]
    decided_by: Mapped[UUID]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "community_id"], ["community.tenant_id", "community.community_id"]),
        CheckConstraint("rev >= 1", name="rev"),
        CheckConstraint("name <> ''", name="name"),
        table_flags(append_only=True),
    )


class MeterRolloverRow(CommunityRow):
    """A day on which a register passed its highest value, confirmed by a person."""

    __tablename__ = "meter_rollover"

    meter_id: Mapped[UUID] = mapped_column(primary_key=True)
    quantity: Mapped[Quantity] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    reason: Mapped[str]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]

    __table_args__ = (table_flags(append_only=True),)


class ReadingGapRow(CommunityRow):
    """Slots that a gateway says it has no reading for, and why."""

    __tablename__ = "reading_gap"

    meter_id: Mapped[UUID] = mapped_column(primary_key=True)
    first_at: Mapped[datetime] = mapped_column(primary_key=True)
    gateway_id: Mapped[UUID] = mapped_column(primary_key=True)
    store_epoch: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True)
    last_at: Mapped[datetime]
    slots: Mapped[int]
    reason: Mapped[str]
    detail: Mapped[str]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_reading_gap_time", "tenant_id", "community_id", "first_at"),
        table_flags(append_only=True),
    )


class ProvisionalLineRow(CommunityRow):
    """A gateway's estimate of one charge, with the tariff revision it used."""

    __tablename__ = "provisional_line"

    meter_id: Mapped[UUID] = mapped_column(primary_key=True)
    charge_code: Mapped[str] = mapped_column(primary_key=True)
    period_start: Mapped[date] = mapped_column(primary_key=True)
    period_end: Mapped[date] = mapped_column(primary_key=True)
    gateway_id: Mapped[UUID] = mapped_column(primary_key=True)
    store_epoch: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    usage_milli: Mapped[Milli]
    amount_fen: Mapped[Fen]
    tariff_code: Mapped[str]
    tariff_from: Mapped[date]
    tariff_rev: Mapped[int]
    tariff_sha: Mapped[str]
    input_sha: Mapped[str]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("period_start < period_end", name="period"),
        Index("ix_provisional_line_end", "tenant_id", "community_id", "period_end"),
        table_flags(append_only=True),
    )


class UsageSessionRow(CommunityRow):
    """One finished use that is charged on its own: a parking or a charging session."""

    __tablename__ = "usage_session"

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[SessionKind]
    place: Mapped[str]
    premises_id: Mapped[UUID]
    permit_id: Mapped[UUID | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    ended_day: Mapped[date]
    facts: Mapped[dict[str, Any]]
    sources: Mapped[list[Any]]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("started_at <= ended_at", name="order"),
        Index("ix_usage_session_ended_day", "tenant_id", "community_id", "ended_day"),
        table_flags(append_only=True),
    )


class UsageClaimRow(CommunityRow):
    """The bill line that charged a session; the key lets a session be billed at most once."""

    __tablename__ = "usage_claim"

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    bill_id: Mapped[UUID]
    line_n: Mapped[int]
    recorded_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("tenant_id", "community_id", "bill_id", "line_n"),
        ForeignKeyConstraint(
            ["tenant_id", "community_id", "session_id"],
            ["usage_session.tenant_id", "usage_session.community_id", "usage_session.session_id"],
        ),
        table_flags(append_only=True, bulk=True),
    )
