"""Storing what gateways send, and answering what meters counted.

A batch is stored once, whatever the order or number of its deliveries; a day's block grows by revisions that contain
all that was known before. Usage is read for a whole community in a fixed number of statements.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import Unit
from cloud.metering import repository
from cloud.metering.blocks import Point, merge, pack, unpack
from cloud.metering.events import BatchUnpacked, EstimatesStored, ParkingReported, UseReported
from cloud.metering.findings import clock_skew, findings_of
from cloud.metering.mapping import block_of, block_row, gap_rows, key_of, provisional_rows
from cloud.metering.registers import (
    BlockEdges,
    IntervalQuestion,
    Register,
    RegisterBook,
    RegisterQuestion,
    Revision,
    joined,
    overlay,
    standing_points,
)
from cloud.metering.tables import BatchWatermarkRow, UnpackedBatchRow
from cloud.metering.truing import true_up
from cloud.metering.unpacking import DayKey, DayPoints, MeterHome, points_by_day
from cloud.metering.usage import RegisterRef
from common.civil import Period
from common.clock import to_epoch_ms
from common.ids import CommunityId, GatewayId, MeterId
from common.reading.reading import Quality
from common.wire.batch import BatchContent, BatchHeader
from common.wire.records import AccessEvent, ChargingEvent, ParkingEvent


async def store_readings(unit: Unit, content: BatchContent, homes: Mapping[MeterId, MeterHome]) -> bool:
    """Store the readings, gaps, estimates and oddities of one batch; return False when it was stored before.

    Args:
        unit: the unit of work; block revisions are recorded at its business time.
        content: the batch as ingest opened it, its signature already verified.
        homes: community and zone of every meter that the gateway may report.
    """
    header = content.header
    placed = points_by_day(content, homes)
    noted = UnpackedBatchRow(
        tenant_id=unit.tenant,
        gateway_id=header.gateway_id,
        store_epoch=header.epoch,
        sequence=header.sequence,
        made_at=header.made.at,
        readings=placed.count,
        recorded_at=unit.now,
    )
    if not await repository.note_unpacked(unit.session, noted):
        return False
    await _store_blocks(unit, header, placed, homes)
    unit.session.add_all(gap_rows(unit.tenant, unit.now, content, homes))
    estimates = list(provisional_rows(unit.tenant, unit.now, content, homes))
    unit.session.add_all(estimates)
    for community_id, start, end in sorted({(row.community_id, row.period_start, row.period_end) for row in estimates}):
        _tell_estimates(unit, header, CommunityId(community_id), Period(start, end))
    skewed = clock_skew(header, unit.now)
    for finding in (*findings_of(content, placed, homes), *(() if skewed is None else (skewed,))):
        unit.publish(finding)
    await _advance_watermark(unit, header)
    unit.record("unpacked", "gateway_batch", header.gateway_id, after={"sequence": header.sequence})
    _tell(unit, content)
    return True


async def register_book(session: AsyncSession, question: RegisterQuestion) -> RegisterBook:
    """Return the registers that a question asks for, from which usages follow; four statements at most."""
    (found,) = await register_books(session, [question])
    return found


async def register_books(session: AsyncSession, questions: Sequence[RegisterQuestion]) -> tuple[RegisterBook, ...]:
    """Return for each of some questions of one community and instant the registers that it asks for, no others.

    They are read together, in four statements at most.
    """
    whole = joined(questions)
    revisions = await _revisions(session, whole)
    edges = await repository.block_edges(session, whole)
    opened = await _opened_where_withdrawn(session, whole.community_id, edges, revisions)
    refs: dict[Register, dict[date, tuple[RegisterRef, ...]]] = defaultdict(dict)
    for edge in edges:
        known = edge.refs(opened[edge.key]) if edge.key in opened else edge.edge_refs()
        refs[edge.register][edge.key.day] = known
    rollovers: dict[Register, list[date]] = defaultdict(list)
    for rollover in await repository.rollovers(session, whole):
        rollovers[(MeterId(rollover.meter_id), rollover.quantity)].append(rollover.day)
    return tuple(_book(question, refs, revisions, rollovers) for question in questions)


def _book(
    question: RegisterQuestion,
    refs: Mapping[Register, Mapping[date, tuple[RegisterRef, ...]]],
    revisions: Mapping[Register, Sequence[Revision]],
    rollovers: Mapping[Register, Sequence[date]],
) -> RegisterBook:
    """Return what answers one question out of what answers all."""
    start, end = question.window
    days = sorted(question.block_days)
    own: dict[Register, list[RegisterRef]] = {}
    revised: dict[Register, list[Revision]] = {}
    for register in itertools.product(question.meters, question.quantities):
        if (of_days := refs.get(register)) is not None:
            own[register] = [ref for day in days for ref in of_days.get(day, ())]
        if register in revisions:
            revised[register] = [one for one in revisions[register] if start <= one.read_at <= end]
    return RegisterBook(_overlaid(own, revised), rollovers, question.zone)


async def interval_book(session: AsyncSession, question: IntervalQuestion) -> RegisterBook:
    """Return the registers at the asked times of each day, for look-up by instant; two statements.

    Of a day without corrections only the readings next to those times are kept.
    """
    revisions = await _revisions(session, question)
    refs: dict[Register, list[RegisterRef]] = defaultdict(list)
    for row in await repository.blocks_inside(session, question):
        key, block = key_of(row), block_of(row)
        points = unpack(block)
        if (key.meter_id, key.quantity) not in revisions:
            points = standing_points(points, question.instants_of(key.day))
        edge = BlockEdges(
            key=key, rev=row.rev, first=block.first, last=block.last, count=block.count, quality=block.quality
        )
        refs[edge.register].extend(edge.refs(points))
    return RegisterBook(_overlaid(refs, revisions), {}, question.zone)


async def _revisions(session: AsyncSession, question: RegisterQuestion) -> Mapping[Register, Sequence[Revision]]:
    revisions: dict[Register, list[Revision]] = defaultdict(list)
    for row in await repository.revisions(session, question):
        revision = Revision(
            meter_id=MeterId(row.meter_id),
            quantity=row.quantity,
            read_at=row.read_at,
            rev=row.rev,
            value_milli=row.value_milli,
            quality=Quality(row.quality),
        )
        revisions[(revision.meter_id, revision.quantity)].append(revision)
    return revisions


def _overlaid(
    refs: Mapping[Register, Sequence[RegisterRef]], revisions: Mapping[Register, Sequence[Revision]]
) -> dict[Register, tuple[RegisterRef, ...]]:
    return {
        register: overlay(refs.get(register, ()), revisions.get(register, ()))
        for register in refs.keys() | revisions.keys()
    }


async def watermarks(session: AsyncSession, gateways: Collection[GatewayId]) -> dict[GatewayId, datetime | None]:
    """Return until when each gateway's batches are unpacked without a hole; None where nothing is."""
    until: dict[GatewayId, datetime | None] = dict.fromkeys(gateways)
    for row in await repository.watermarks(session, gateways):
        gateway_id = GatewayId(row.gateway_id)
        instants = [instant for instant in (until[gateway_id], row.complete_until) if instant is not None]
        until[gateway_id] = max(instants, default=None)
    return until


async def _opened_where_withdrawn(
    session: AsyncSession,
    community_id: CommunityId,
    edges: Sequence[BlockEdges],
    revisions: Mapping[Register, Sequence[Revision]],
) -> dict[DayKey, tuple[Point, ...]]:
    """Unpack only those blocks whose first or last register was withdrawn, so that the next one can stand for it."""
    keys = [
        edge.key
        for edge in edges
        if any(
            revision.value_milli is None and to_epoch_ms(revision.read_at) in (edge.first.at_ms, edge.last.at_ms)
            for revision in revisions.get(edge.register, ())
        )
    ]
    if not keys:
        return {}
    revs = {edge.key: edge.rev for edge in edges}
    rows = await repository.blocks_at(session, community_id, {key: revs[key] for key in keys})
    return {key_of(row): unpack(block_of(row)) for row in rows}


async def _store_blocks(unit: Unit, header: BatchHeader, placed: DayPoints, homes: Mapping[MeterId, MeterHome]) -> None:
    by_community: dict[CommunityId, list[DayKey]] = defaultdict(list)
    for key in placed.by_day:
        by_community[homes[key.meter_id].community_id].append(key)
    for community_id, keys in by_community.items():
        known = {key_of(row): row for row in await repository.newest_blocks(unit.session, community_id, keys)}
        for key in sorted(keys):
            before = known.get(key)
            old = unpack(block_of(before)) if before is not None else ()
            merged = merge(old, placed.by_day[key])
            if merged != old:
                rev = before.rev + 1 if before is not None else 1
                row = block_row(key, rev, pack(merged), header)
                row.tenant_id, row.community_id, row.recorded_at = unit.tenant, community_id, unit.now
                unit.session.add(row)
        await unit.session.flush()
        await true_up(unit, community_id, keys)


def _tell(unit: Unit, content: BatchContent) -> None:
    gateway_id, epoch, sequence = content.header.gateway_id, content.header.epoch, content.header.sequence
    unit.publish(BatchUnpacked(gateway_id=gateway_id, store_epoch=epoch, sequence=sequence))
    if next(content.records(ParkingEvent), None) is not None:
        unit.publish(ParkingReported(gateway_id=gateway_id, store_epoch=epoch, sequence=sequence))
    if any(next(content.records(kind), None) is not None for kind in (AccessEvent, ChargingEvent)):
        unit.publish(UseReported(gateway_id=gateway_id, store_epoch=epoch, sequence=sequence))


def _tell_estimates(unit: Unit, header: BatchHeader, community_id: CommunityId, period: Period) -> None:
    key = f"{header.gateway_id}:{header.epoch}:{header.sequence}:{community_id}:{period}"
    unit.publish(EstimatesStored(key=key, community_id=community_id, period=period))


async def _advance_watermark(unit: Unit, header: BatchHeader) -> None:
    mark = await repository.locked_watermark(unit.session, unit.tenant, header.gateway_id, header.epoch)
    behind = await repository.unpacked_after(unit.session, header.gateway_id, header.epoch, mark.contiguous)
    advance(mark, behind)


def advance(mark: BatchWatermarkRow, behind: Sequence[UnpackedBatchRow]) -> None:
    """Move a watermark over the batches that follow it, up to the first hole."""
    for batch in behind:
        if batch.sequence != mark.contiguous + 1:
            break
        mark.contiguous = batch.sequence
        mark.complete_until = max(batch.made_at, mark.complete_until or batch.made_at)
