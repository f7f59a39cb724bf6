"""Messages to the outside and from it, each exactly once on our side.

A message out is a row in the unit that decided it, delivered by a job afterwards at least once: receivers tell
repeats by its id. A message in is noted by its source and id: the second of the same is recognised.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.db import MACHINERY, Unit
from cloud.kit.jobs import NewJob
from cloud.kit.tables import JsonObject, TenantRow, table_flags

DELIVER = "outbox.deliver"


class OutboxRow(TenantRow):
    """A message to the outside."""

    __tablename__ = "outbox"

    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str]
    key: Mapped[str]
    payload: Mapped[dict[str, Any]]
    posted_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    receipt: Mapped[str | None]

    __table_args__ = (UniqueConstraint("tenant_id", "key"), table_flags(machinery=True))


class InboxRow(TenantRow):
    """A message from the outside that was heard."""

    __tablename__ = "inbox"

    source: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    heard_at: Mapped[datetime]

    __table_args__ = (table_flags(append_only=True, machinery=True),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What to tell whom through which channel; `key` makes it once."""

    channel: str
    key: str
    payload: JsonObject


async def post(unit: Unit, message: Message) -> None:
    """Post a message with this unit; a key posted before changes nothing."""
    message_id = unit.new_id()
    statement = (
        insert(OutboxRow)
        .values(
            tenant_id=unit.tenant,
            message_id=message_id,
            channel=message.channel,
            key=message.key,
            payload=dict(message.payload),
            posted_at=unit.now,
        )
        .on_conflict_do_nothing()
        .returning(OutboxRow.message_id)
    )
    fresh = await unit.session.scalar(statement, execution_options=MACHINERY)
    if fresh is not None:
        unit.enqueue(NewJob(kind=DELIVER, key=f"outbox:{message_id}", payload={"message_id": str(message_id)}))


async def mark_delivered(unit: Unit, message_id: UUID, receipt: str) -> None:
    """Note that a message has reached its channel; the first receipt stays."""
    statement = (
        update(OutboxRow)
        .where(OutboxRow.tenant_id == unit.tenant, OutboxRow.message_id == message_id)
        .values(
            delivered_at=func.coalesce(OutboxRow.delivered_at, unit.now),
            receipt=func.coalesce(OutboxRow.receipt, receipt),
        )
    )
    await unit.session.execute(statement, execution_options=MACHINERY)


async def hear(unit: Unit, source: str, event_id: str) -> bool:
    """Return True the first time a message of a source is heard, False for every repeat."""
    statement = (
        insert(InboxRow)
        .values(tenant_id=unit.tenant, source=source, event_id=event_id, heard_at=unit.now)
        .on_conflict_do_nothing()
        .returning(InboxRow.event_id)
    )
    return await unit.session.scalar(statement, execution_options=MACHINERY) is not None
