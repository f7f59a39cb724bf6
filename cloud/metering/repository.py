"""Named queries over blocks, revisions, watermarks and sessions. Private to the domain.

Each reads a whole community's share at once: the count of statements does not grow with the count of meters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import RowMapping, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.metering.blocks import Point
from cloud.metering.registers import BlockEdges, IntervalQuestion, RegisterQuestion
from cloud.metering.tables import (
    BatchWatermarkRow,
    MeterDayBlockRow,
    MeterRolloverRow,
    ProvisionalLineRow,
    ReadingRevisionRow,
    UnpackedBatchRow,
    UsageClaimRow,
    UsageSessionRow,
)
from cloud.metering.unpacking import DayKey
from common.civil import Period
from common.clock import to_epoch_ms
from common.ids import CommunityId, GatewayId, MeterId, TenantId
from common.reading.reading import Quality, Quantity

_BLOCK_KEY = (MeterDayBlockRow.meter_id, MeterDayBlockRow.quantity, MeterDayBlockRow.day)
_REVISION_KEY = (ReadingRevisionRow.meter_id, ReadingRevisionRow.quantity, ReadingRevisionRow.read_at)
_BLOCK_EDGES = (
    MeterDayBlockRow.meter_id,
    MeterDayBlockRow.quantity,
    MeterDayBlockRow.day,
    MeterDayBlockRow.rev,
    MeterDayBlockRow.first_at,
    MeterDayBlockRow.first_milli,
    MeterDayBlockRow.first_quality,
    MeterDayBlockRow.last_at,
    MeterDayBlockRow.last_milli,
    MeterDayBlockRow.last_quality,
    MeterDayBlockRow.count,
    MeterDayBlockRow.quality,
)


async def note_unpacked(session: AsyncSession, row: UnpackedBatchRow) -> bool:
    """Note a batch as unpacked and return True, or return False when it was unpacked before."""
    values = {column.name: getattr(row, column.name) for column in UnpackedBatchRow.__table__.columns}
    statement = insert(UnpackedBatchRow).values(**values).on_conflict_do_nothing().returning(UnpackedBatchRow.sequence)
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def locked_watermark(
    session: AsyncSession, tenant: TenantId, gateway_id: GatewayId, store_epoch: int
) -> BatchWatermarkRow:
    """Return the watermark of a store, made at zero where it is new, held until the end of the transaction."""
    fresh = {"tenant_id": tenant, "gateway_id": gateway_id, "store_epoch": store_epoch, "contiguous": 0}
    await session.execute(insert(BatchWatermarkRow).values(**fresh).on_conflict_do_nothing())
    statement = (
        select(BatchWatermarkRow)
        .where(BatchWatermarkRow.gateway_id == gateway_id, BatchWatermarkRow.store_epoch == store_epoch)
        .with_for_update()
    )
    return (await session.execute(statement)).scalar_one()


async def unpacked_after(
    session: AsyncSession, gateway_id: GatewayId, store_epoch: int, sequence: int
) -> Sequence[UnpackedBatchRow]:
    """Return the unpacked batches of a store behind a sequence, in order."""
    statement = (
        select(UnpackedBatchRow)
        .where(
            UnpackedBatchRow.gateway_id == gateway_id,
            UnpackedBatchRow.store_epoch == store_epoch,
            UnpackedBatchRow.sequence > sequence,
        )
        .order_by(UnpackedBatchRow.sequence)
    )
    return (await session.execute(statement)).scalars().all()


async def watermarks(session: AsyncSession, gateways: Collection[GatewayId]) -> Sequence[BatchWatermarkRow]:
    """Return the watermarks of every store of some gateways."""
    statement = select(BatchWatermarkRow).where(BatchWatermarkRow.gateway_id.in_(gateways))
    return (await session.execute(statement)).scalars().all()


async def newest_blocks(
    session: AsyncSession, community_id: CommunityId, keys: Collection[DayKey]
) -> Sequence[MeterDayBlockRow]:
    """Return the newest revision of some blocks, bodies included."""
    wanted = [(key.meter_id, key.quantity, key.day) for key in keys]
    statement = (
        select(MeterDayBlockRow)
        .ext(distinct_on(*_BLOCK_KEY))
        .where(MeterDayBlockRow.community_id == community_id, tuple_(*_BLOCK_KEY).in_(wanted))
        .order_by(*_BLOCK_KEY, MeterDayBlockRow.rev.desc())
    )
    return (await session.execute(statement)).scalars().all()


async def block_edges(session: AsyncSession, question: RegisterQuestion) -> tuple[BlockEdges, ...]:
    """Return first and last register of the newest blocks known at the question's instant, without bodies."""
    statement = (
        select(*_BLOCK_EDGES)
        .ext(distinct_on(*_BLOCK_KEY))
        .where(
            MeterDayBlockRow.community_id == question.community_id,
            MeterDayBlockRow.meter_id.in_(question.meters),
            MeterDayBlockRow.quantity.in_(question.quantities),
            MeterDayBlockRow.day.in_(question.block_days),
            MeterDayBlockRow.recorded_at <= question.known_at,
        )
        .order_by(*_BLOCK_KEY, MeterDayBlockRow.rev.desc())
    )
    return tuple(_edges(row) for row in (await session.execute(statement)).mappings())


async def blocks_inside(session: AsyncSession, question: IntervalQuestion) -> Sequence[MeterDayBlockRow]:
    """Return the newest blocks known at the question's instant, bodies included."""
    statement = (
        select(MeterDayBlockRow)
        .ext(distinct_on(*_BLOCK_KEY))
        .where(
            MeterDayBlockRow.community_id == question.community_id,
            MeterDayBlockRow.meter_id.in_(question.meters),
            MeterDayBlockRow.quantity.in_(question.quantities),
            MeterDayBlockRow.day.in_(question.block_days),
            MeterDayBlockRow.recorded_at <= question.known_at,
        )
        .order_by(*_BLOCK_KEY, MeterDayBlockRow.rev.desc())
    )
    return (await session.execute(statement)).scalars().all()


async def revisions(session: AsyncSession, question: RegisterQuestion) -> Sequence[ReadingRevisionRow]:
    """Return the newest corrected values known at the question's instant, around its midnights."""
    start, end = question.window
    statement = (
        select(ReadingRevisionRow)
        .ext(distinct_on(*_REVISION_KEY))
        .where(
            ReadingRevisionRow.community_id == question.community_id,
            ReadingRevisionRow.meter_id.in_(question.meters),
            ReadingRevisionRow.quantity.in_(question.quantities),
            ReadingRevisionRow.read_at.between(start, end),
            ReadingRevisionRow.recorded_at <= question.known_at,
        )
        .order_by(*_REVISION_KEY, ReadingRevisionRow.rev.desc())
    )
    return (await session.execute(statement)).scalars().all()


async def rollovers(session: AsyncSession, question: RegisterQuestion) -> Sequence[MeterRolloverRow]:
    """Return the confirmed rollovers of the question's meters known at its instant."""
    statement = select(MeterRolloverRow).where(
        MeterRolloverRow.community_id == question.community_id,
        MeterRolloverRow.meter_id.in_(question.meters),
        MeterRolloverRow.recorded_at <= question.known_at,
    )
    return (await session.execute(statement)).scalars().all()


async def rollover_exists(
    session: AsyncSession, community_id: CommunityId, meter_id: MeterId, quantity: Quantity, day: date
) -> bool:
    """Return whether a rollover is confirmed."""
    statement = select(MeterRolloverRow.day).where(
        MeterRolloverRow.community_id == community_id,
        MeterRolloverRow.meter_id == meter_id,
        MeterRolloverRow.quantity == quantity,
        MeterRolloverRow.day == day,
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def blocks_at(
    session: AsyncSession, community_id: CommunityId, revs: Mapping[DayKey, int]
) -> Sequence[MeterDayBlockRow]:
    """Return named revisions of some blocks, bodies included."""
    wanted = [(key.meter_id, key.quantity, key.day, rev) for key, rev in revs.items()]
    statement = select(MeterDayBlockRow).where(
        MeterDayBlockRow.community_id == community_id, tuple_(*_BLOCK_KEY, MeterDayBlockRow.rev).in_(wanted)
    )
    return (await session.execute(statement)).scalars().all()


async def block_revisions(
    session: AsyncSession, community_id: CommunityId, key: DayKey, up_to_rev: int
) -> Sequence[MeterDayBlockRow]:
    """Return every revision of one block up to a revision, oldest first."""
    statement = (
        select(MeterDayBlockRow)
        .where(
            MeterDayBlockRow.community_id == community_id,
            MeterDayBlockRow.meter_id == key.meter_id,
            MeterDayBlockRow.quantity == key.quantity,
            MeterDayBlockRow.day == key.day,
            MeterDayBlockRow.rev <= up_to_rev,
        )
        .order_by(MeterDayBlockRow.rev)
    )
    return (await session.execute(statement)).scalars().all()


async def revision_at(
    session: AsyncSession, community_id: CommunityId, register: tuple[MeterId, Quantity], read_at: datetime, rev: int
) -> ReadingRevisionRow | None:
    """Return one correction of one instant."""
    statement = select(ReadingRevisionRow).where(
        ReadingRevisionRow.community_id == community_id,
        ReadingRevisionRow.meter_id == register[0],
        ReadingRevisionRow.quantity == register[1],
        ReadingRevisionRow.read_at == read_at,
        ReadingRevisionRow.rev == rev,
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def newest_revision(
    session: AsyncSession, community_id: CommunityId, meter_id: MeterId, quantity: Quantity, read_at: datetime
) -> ReadingRevisionRow | None:
    """Return the newest correction of one instant."""
    statement = (
        select(ReadingRevisionRow)
        .where(
            ReadingRevisionRow.community_id == community_id,
            ReadingRevisionRow.meter_id == meter_id,
            ReadingRevisionRow.quantity == quantity,
            ReadingRevisionRow.read_at == read_at,
        )
        .order_by(ReadingRevisionRow.rev.desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def day_counts(
    session: AsyncSession, community_id: CommunityId, meters: Collection[MeterId], days: Period
) -> tuple[BlockEdges, ...]:
    """Return count and quality of the newest block of each meter, quantity and day, without bodies."""
    statement = (
        select(*_BLOCK_EDGES)
        .ext(distinct_on(*_BLOCK_KEY))
        .where(
            MeterDayBlockRow.community_id == community_id,
            MeterDayBlockRow.meter_id.in_(meters),
            MeterDayBlockRow.day >= days.start,
            MeterDayBlockRow.day < days.end,
        )
        .order_by(*_BLOCK_KEY, MeterDayBlockRow.rev.desc())
    )
    return tuple(_edges(row) for row in (await session.execute(statement)).mappings())


async def provisional_lines(
    session: AsyncSession, community_id: CommunityId, ending_in: Period
) -> Sequence[ProvisionalLineRow]:
    """Return the newest estimate of each meter, charge and period that ends inside some days."""
    key = (
        ProvisionalLineRow.meter_id,
        ProvisionalLineRow.charge_code,
        ProvisionalLineRow.period_start,
        ProvisionalLineRow.period_end,
    )
    statement = (
        select(ProvisionalLineRow)
        .ext(distinct_on(*key))
        .where(
            ProvisionalLineRow.community_id == community_id,
            ProvisionalLineRow.period_end > ending_in.start,
            ProvisionalLineRow.period_end <= ending_in.end,
        )
        .order_by(*key, ProvisionalLineRow.recorded_at.desc(), ProvisionalLineRow.sequence.desc())
    )
    return (await session.execute(statement)).scalars().all()


async def sessions_ended(
    session: AsyncSession, community_id: CommunityId, days: Period, known_at: datetime
) -> Sequence[UsageSessionRow]:
    """Return the sessions that ended inside some days, as known at an instant."""
    statement = (
        select(UsageSessionRow)
        .where(
            UsageSessionRow.community_id == community_id,
            UsageSessionRow.ended_day >= days.start,
            UsageSessionRow.ended_day < days.end,
            UsageSessionRow.recorded_at <= known_at,
        )
        .order_by(UsageSessionRow.ended_at, UsageSessionRow.session_id)
    )
    return (await session.execute(statement)).scalars().all()


async def sessions_unclaimed(
    session: AsyncSession, community_id: CommunityId, before: date
) -> Sequence[UsageSessionRow]:
    """Return the sessions that ended before a day and that no bill line has charged."""
    claimed = select(UsageClaimRow.session_id).where(
        UsageClaimRow.community_id == community_id, UsageClaimRow.session_id == UsageSessionRow.session_id
    )
    statement = (
        select(UsageSessionRow)
        .where(UsageSessionRow.community_id == community_id, UsageSessionRow.ended_day < before, ~claimed.exists())
        .order_by(UsageSessionRow.ended_at, UsageSessionRow.session_id)
    )
    return (await session.execute(statement)).scalars().all()


async def usage_session(session: AsyncSession, community_id: CommunityId, session_id: UUID) -> UsageSessionRow | None:
    """Return a stored session, or None."""
    statement = select(UsageSessionRow).where(
        UsageSessionRow.community_id == community_id, UsageSessionRow.session_id == session_id
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def claims_of(
    session: AsyncSession, community_id: CommunityId, session_ids: Collection[UUID]
) -> Sequence[UsageClaimRow]:
    """Return the claims on some sessions."""
    statement = select(UsageClaimRow).where(
        UsageClaimRow.community_id == community_id, UsageClaimRow.session_id.in_(session_ids)
    )
    return (await session.execute(statement)).scalars().all()


def _edges(row: RowMapping) -> BlockEdges:
    return BlockEdges(
        key=DayKey(meter_id=MeterId(row["meter_id"]), quantity=row["quantity"], day=row["day"]),
        rev=row["rev"],
        first=Point(
            at_ms=to_epoch_ms(row["first_at"]),
            value_milli=row["first_milli"],
            quality=Quality(row["first_quality"]),
        ),
        last=Point(
            at_ms=to_epoch_ms(row["last_at"]), value_milli=row["last_milli"], quality=Quality(row["last_quality"])
        ),
        count=row["count"],
        quality=Quality(row["quality"]),
    )
