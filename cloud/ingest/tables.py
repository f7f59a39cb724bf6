"""The rows of ingest: streams, batches as they came, refused ones as evidence, and the personal lane.

A batch row is never changed: its signed bytes are the evidence in a dispute, and its receipt is what a repetition is
answered with. Only the bodies of the personal lane expire; their salted hashes stay inside the signed bytes.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.tables import TenantRow, table_flags
from common.ids import GatewayId

_GATEWAY_KEY = ["tenant_id", "gateway_id"]
_GATEWAY = ["gateway.tenant_id", "gateway.gateway_id"]
_STREAM_KEY = ["tenant_id", "gateway_id", "epoch"]
_STREAM = ["stream.tenant_id", "stream.gateway_id", "stream.epoch"]
_BATCH_KEY = [*_STREAM_KEY, "sequence"]
_BATCH = [f"gateway_batch.{column}" for column in _BATCH_KEY]


class StreamRow(TenantRow):
    """One store epoch of a gateway: its watermark and the epoch it followed, if any."""

    __tablename__ = "stream"

    gateway_id: Mapped[GatewayId] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    previous_epoch: Mapped[int | None]
    opened_at: Mapped[datetime]
    contiguous: Mapped[int]
    highest: Mapped[int]
    received_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(_GATEWAY_KEY, _GATEWAY),
        CheckConstraint("contiguous between 0 and highest", name="watermark"),
    )


class GatewayBatchRow(TenantRow):
    """A batch: the signed bytes as they came, and the receipt that was given for them."""

    __tablename__ = "gateway_batch"

    gateway_id: Mapped[GatewayId] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID]
    digest: Mapped[bytes]
    previous_hash: Mapped[bytes]
    key_id: Mapped[bytes]
    made_at: Mapped[datetime]
    received_at: Mapped[datetime]
    signed: Mapped[bytes]
    receipt: Mapped[bytes]

    __table_args__ = (
        UniqueConstraint("tenant_id", "batch_id"),
        UniqueConstraint("tenant_id", "gateway_id", "digest"),
        ForeignKeyConstraint(_STREAM_KEY, _STREAM),
        CheckConstraint("sequence >= 1", name="sequence_from_one"),
        table_flags(append_only=True),
    )


class BatchRefusalRow(TenantRow):
    """An authentic batch that contradicts what is stored: two histories signed with one key."""

    __tablename__ = "batch_refusal"

    gateway_id: Mapped[GatewayId] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    refusal_id: Mapped[UUID]
    epoch: Mapped[int]
    sequence: Mapped[int]
    reason: Mapped[str]
    received_at: Mapped[datetime]
    signed: Mapped[bytes]

    __table_args__ = (ForeignKeyConstraint(_GATEWAY_KEY, _GATEWAY), table_flags(append_only=True))


class PersonalItemRow(TenantRow):
    """The body of one personal item; null once its retention has run out."""

    __tablename__ = "personal_item"

    gateway_id: Mapped[GatewayId] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[UUID]
    retention: Mapped[str]
    received_at: Mapped[datetime]
    body: Mapped[bytes | None]

    __table_args__ = (
        ForeignKeyConstraint(_BATCH_KEY, _BATCH),
        Index("ix_personal_item_item", "tenant_id", "item_id"),
        Index(
            "ix_personal_item_expiry",
            "tenant_id",
            "retention",
            "received_at",
            postgresql_where=text("body is not null"),
        ),
    )
