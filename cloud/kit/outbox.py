"""Messages to the outside and from it, each exactly once on our side.

A message out is a row in the unit that decided it, delivered by a job afterwards at least once: receivers tell
repeats by its id. A message in is noted by its source and id: the second of the same is recognised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import UniqueConstraint, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from cloud.kit.db import MACHINERY, Unit
from cloud.kit.jobs import NewJob
from cloud.kit.runner import Handler, JobContext
from cloud.kit.tables import JsonObject, TenantRow, table_flags
from common.errors import RefusalError

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


class Sender(Protocol):
    """A channel to the outside; it recognises a message that it was given before by its id."""

    async def send(self, message_id: UUID, payload: JsonObject) -> str:
        """Hand a message over and return the channel's receipt."""
        ...


def deliver_by(senders: Mapping[str, Sender]) -> Handler:
    """Return the handler that hands each message to the sender of its channel.

    A message to a channel that has no sender stays, and its job is tried again and then shown to a person.
    """

    async def deliver(context: JobContext) -> None:
        message_id = UUID(str(context.job.payload["message_id"]))
        async with context.view() as session:
            message = (await session.scalars(select(OutboxRow).where(OutboxRow.message_id == message_id))).one()
        sender = senders.get(message.channel)
        if sender is None:
            raise RefusalError(f"no sender is set up for the channel {message.channel}")
        receipt = await sender.send(message_id, message.payload)
        async with context.finishing_unit() as unit:
            await mark_delivered(unit, message_id, receipt)

    return deliver


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
