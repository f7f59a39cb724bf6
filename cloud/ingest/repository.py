"""Named queries of ingest. Private to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.ingest.tables import BatchRefusalRow, GatewayBatchRow, PersonalItemRow, StreamRow
from common.ids import GatewayId

# The end of the unbroken run of stored sequences that begins right after :sequence, itself when nothing is there.
_RUN_END = text("""
    select coalesce(max(run.sequence), :sequence) from (
      select sequence, sequence - row_number() over (order by sequence) as island
        from gateway_batch where gateway_id = :gateway_id and epoch = :epoch and sequence > :sequence
    ) as run where run.island = :sequence
""")
# Ranges of sequences that are missing between the watermark and the highest one stored, the arriving one included.
_MISSING = text("""
    select before + 1 as first, sequence - 1 as last from (
      select sequence, lag(sequence, 1, :contiguous) over (order by sequence) as before from (
        select sequence from gateway_batch where gateway_id = :gateway_id and epoch = :epoch
        union select :arrived
      ) as held where sequence > :contiguous
    ) as steps where sequence > before + 1 order by sequence limit :ranges
""").bindparams(*(bindparam(name, type_=BigInteger) for name in ("contiguous", "arrived", "ranges")))


async def stream(session: AsyncSession, gateway_id: GatewayId, epoch: int) -> StreamRow | None:
    """Return a stream."""
    query = select(StreamRow).where(StreamRow.gateway_id == gateway_id, StreamRow.epoch == epoch)
    return await session.scalar(query)


async def streams(session: AsyncSession, gateway_id: GatewayId) -> Sequence[StreamRow]:
    """Return the streams of a gateway, oldest first."""
    query = select(StreamRow).where(StreamRow.gateway_id == gateway_id)
    return (await session.scalars(query.order_by(StreamRow.opened_at, StreamRow.epoch))).all()


async def neighbours(
    session: AsyncSession, gateway_id: GatewayId, epoch: int, sequence: int
) -> dict[int, tuple[bytes, bytes]]:
    """Return digest and previous hash of the batches at a sequence and on both sides of it, where stored."""
    query = select(GatewayBatchRow.sequence, GatewayBatchRow.digest, GatewayBatchRow.previous_hash).where(
        GatewayBatchRow.gateway_id == gateway_id,
        GatewayBatchRow.epoch == epoch,
        GatewayBatchRow.sequence.between(sequence - 1, sequence + 1),
    )
    return {row.sequence: (row.digest, row.previous_hash) for row in await session.execute(query)}


async def run_end(session: AsyncSession, gateway_id: GatewayId, epoch: int, sequence: int) -> int:
    """Return the last sequence of the unbroken stored run that begins right after one."""
    values = {"gateway_id": gateway_id, "epoch": epoch, "sequence": sequence}
    return int((await session.execute(_RUN_END, values)).scalar_one())


async def missing(
    session: AsyncSession, stream_key: tuple[GatewayId, int], contiguous: int, arrived: int, ranges: int
) -> list[tuple[int, int]]:
    """Return the first missing ranges of a stream (gateway, epoch) once the arriving sequence is stored."""
    gateway_id, epoch = stream_key
    values = {
        "gateway_id": gateway_id,
        "epoch": epoch,
        "contiguous": contiguous,
        "arrived": arrived,
        "ranges": ranges,
    }
    return [(row.first, row.last) for row in await session.execute(_MISSING, values)]


async def receipt(session: AsyncSession, gateway_id: GatewayId, epoch: int, sequence: int) -> bytes | None:
    """Return the receipt that was given for a batch."""
    return await session.scalar(
        select(GatewayBatchRow.receipt).where(
            GatewayBatchRow.gateway_id == gateway_id,
            GatewayBatchRow.epoch == epoch,
            GatewayBatchRow.sequence == sequence,
        )
    )


async def batch(session: AsyncSession, gateway_id: GatewayId, epoch: int, sequence: int) -> GatewayBatchRow | None:
    """Return a batch."""
    return await session.scalar(
        select(GatewayBatchRow).where(
            GatewayBatchRow.gateway_id == gateway_id,
            GatewayBatchRow.epoch == epoch,
            GatewayBatchRow.sequence == sequence,
        )
    )


async def personal_bodies(
    session: AsyncSession, gateway_id: GatewayId, epoch: int, sequence: int
) -> Sequence[PersonalItemRow]:
    """Return the personal lane of a batch in its order."""
    query = select(PersonalItemRow).where(
        PersonalItemRow.gateway_id == gateway_id,
        PersonalItemRow.epoch == epoch,
        PersonalItemRow.sequence == sequence,
    )
    return (await session.scalars(query.order_by(PersonalItemRow.place))).all()


async def expire_personal(session: AsyncSession, before: Mapping[str, datetime], others_before: datetime) -> int:
    """Forget the bodies that came before the instant of their retention class, and return how many."""
    limits = [
        (PersonalItemRow.retention == retention) & (PersonalItemRow.received_at < limit)
        for retention, limit in before.items()
    ]
    others = PersonalItemRow.retention.not_in(before) & (PersonalItemRow.received_at < others_before)
    expired = (
        update(PersonalItemRow)
        .where(PersonalItemRow.body.is_not(None), or_(others, *limits))
        .values(body=None)
        .returning(PersonalItemRow.item_id)
    )
    return len((await session.execute(expired)).all())


async def note_refusal(session: AsyncSession, row: BatchRefusalRow) -> UUID | None:
    """Keep a refused batch; return None when it is known already."""
    values = {column.key: getattr(row, column.key) for column in BatchRefusalRow.__table__.columns}
    kept = insert(BatchRefusalRow).values(values).on_conflict_do_nothing().returning(BatchRefusalRow.refusal_id)
    return (await session.execute(kept)).scalar_one_or_none()
