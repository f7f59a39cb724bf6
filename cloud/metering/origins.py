"""Where a register came from: the batch that brought it, and whether every day of a meter is there.

The chain of a bill goes on from here to the signed batch and the raw frame in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.metering import repository
from cloud.metering.blocks import unpack
from cloud.metering.mapping import block_of
from cloud.metering.registers import ONE_DAY, RegisterQuestion
from cloud.metering.service import register_book
from cloud.metering.unpacking import DayKey
from cloud.metering.usage import HELD, RegisterRef
from common.civil import Period
from common.clock import to_epoch_ms
from common.errors import InvariantError
from common.ids import CommunityId, GatewayId, MeterId
from common.reading.reading import Quality, Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOrigin:
    """The batch that first brought a register, or the correction that stands over it.

    `original_milli` is what the batch said where a correction replaced it, None where nothing was read.
    """

    gateway_id: GatewayId | None
    store_epoch: int | None
    sequence: int | None
    original_milli: int | None
    original_quality: Quality | None
    revision: int | None
    reason: str | None


class DayState(StrEnum):
    """What is known of one meter on one day."""

    COMPLETE = "complete"
    HELD = "held"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDay:
    """One register of one meter on one day: how many readings there are, and whether its midnight can be used."""

    meter_id: MeterId
    quantity: Quantity
    day: date
    count: int
    state: DayState


async def origin(session: AsyncSession, community_id: CommunityId, ref: RegisterRef) -> RegisterOrigin:
    """Return where a register came from.

    Raises:
        InvariantError: the block it names does not hold it.
    """
    reason = None
    if ref.revision is not None:
        row = await repository.revision_at(
            session, community_id, (ref.meter_id, ref.quantity), ref.read_at, ref.revision
        )
        reason = None if row is None else row.reason
    if ref.block_day is None or ref.block_rev is None:
        return RegisterOrigin(
            gateway_id=None,
            store_epoch=None,
            sequence=None,
            original_milli=None,
            original_quality=None,
            revision=ref.revision,
            reason=reason,
        )
    key = DayKey(meter_id=ref.meter_id, quantity=ref.quantity, day=ref.block_day)
    at_ms = to_epoch_ms(ref.read_at)
    for block in await repository.block_revisions(session, community_id, key, ref.block_rev):
        point = next((point for point in unpack(block_of(block)) if point.at_ms == at_ms), None)
        if point is not None:
            return RegisterOrigin(
                gateway_id=GatewayId(block.gateway_id),
                store_epoch=block.store_epoch,
                sequence=block.sequence,
                original_milli=point.value_milli,
                original_quality=point.quality,
                revision=ref.revision,
                reason=reason,
            )
    raise InvariantError(f"block {ref.block_day} of meter {ref.meter_id} holds no reading of {ref.read_at}")


async def completeness(session: AsyncSession, question: RegisterQuestion) -> tuple[MeterDay, ...]:
    """Return for each meter, register and day of a question whether its midnight register is there and can be used.

    A day whose register was entered by hand is complete. The days come in order of meter, register and day.
    """
    book = await register_book(session, question)
    span = Period(min(question.days), max(question.days) + ONE_DAY)
    edges = await repository.day_counts(session, question.community_id, question.meters, span)
    counts = {edge.key: edge.count for edge in edges}
    keys = [
        DayKey(meter_id=meter_id, quantity=quantity, day=day)
        for meter_id in sorted(question.meters)
        for quantity in sorted(question.quantities)
        for day in sorted(question.days)
    ]
    return tuple(_day(key, counts.get(key, 0), book.at(key.meter_id, key.quantity, key.day)) for key in keys)


def holes(days: Sequence[MeterDay]) -> tuple[MeterDay, ...]:
    """Return the days that wait for a reading or for a person."""
    return tuple(day for day in days if day.state is not DayState.COMPLETE)


def _day(key: DayKey, count: int, register: RegisterRef | None) -> MeterDay:
    state = DayState.MISSING if register is None else DayState.HELD if register.quality & HELD else DayState.COMPLETE
    return MeterDay(meter_id=key.meter_id, quantity=key.quantity, day=key.day, count=count, state=state)
