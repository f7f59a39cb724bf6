"""Between rows and values of metering. Private to the domain; no query here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from cloud.metering.blocks import Block, Point
from cloud.metering.tables import MeterDayBlockRow, ProvisionalLineRow, ReadingGapRow
from cloud.metering.unpacking import DayKey, MeterHome
from common.clock import from_epoch_ms, to_epoch_ms
from common.ids import MeterId, TenantId
from common.reading.reading import Quality
from common.wire.batch import BatchContent, BatchHeader
from common.wire.records import Gap, ProvisionalLine


def key_of(row: MeterDayBlockRow) -> DayKey:
    """Return which block a row holds."""
    return DayKey(meter_id=MeterId(row.meter_id), quantity=row.quantity, day=row.day)


def block_of(row: MeterDayBlockRow) -> Block:
    """Return the block of a row."""
    return Block(
        first=Point(at_ms=to_epoch_ms(row.first_at), value_milli=row.first_milli, quality=Quality(row.first_quality)),
        last=Point(at_ms=to_epoch_ms(row.last_at), value_milli=row.last_milli, quality=Quality(row.last_quality)),
        count=row.count,
        quality=Quality(row.quality),
        body=row.body,
    )


def block_row(key: DayKey, rev: int, block: Block, header: BatchHeader) -> MeterDayBlockRow:
    """Return the row of a block as of one batch; the caller adds company, community and time."""
    return MeterDayBlockRow(
        meter_id=key.meter_id,
        quantity=key.quantity,
        day=key.day,
        rev=rev,
        first_at=from_epoch_ms(block.first.at_ms),
        first_milli=block.first.value_milli,
        first_quality=int(block.first.quality),
        last_at=from_epoch_ms(block.last.at_ms),
        last_milli=block.last.value_milli,
        last_quality=int(block.last.quality),
        count=block.count,
        quality=int(block.quality),
        body=block.body,
        gateway_id=header.gateway_id,
        store_epoch=header.epoch,
        sequence=header.sequence,
    )


def gap_rows(
    tenant: TenantId, now: datetime, content: BatchContent, homes: Mapping[MeterId, MeterHome]
) -> Iterator[ReadingGapRow]:
    """Yield a row for each gap that a batch names, of meters we know."""
    header = content.header
    for entry, gap in content.records(Gap):
        home = homes.get(gap.meter_id)
        if home is not None:
            yield ReadingGapRow(
                tenant_id=tenant,
                community_id=home.community_id,
                meter_id=gap.meter_id,
                first_at=from_epoch_ms(gap.first_slot_ms),
                gateway_id=header.gateway_id,
                store_epoch=header.epoch,
                sequence=header.sequence,
                item=entry.seq,
                last_at=from_epoch_ms(gap.last_slot_ms),
                slots=gap.slots,
                reason=gap.reason,
                detail=gap.detail,
                recorded_at=now,
            )


def provisional_rows(
    tenant: TenantId, now: datetime, content: BatchContent, homes: Mapping[MeterId, MeterHome]
) -> Iterator[ProvisionalLineRow]:
    """Yield a row for each estimate of a batch, the last of several for one meter, charge and period."""
    header = content.header
    newest: dict[tuple[MeterId, str, str, str], ProvisionalLine] = {}
    for _, line in content.records(ProvisionalLine):
        newest[(line.meter_id, line.charge_code, line.period_start, line.period_end)] = line
    for line in newest.values():
        home = homes.get(line.meter_id)
        if home is not None:
            yield ProvisionalLineRow(
                tenant_id=tenant,
                community_id=home.community_id,
                meter_id=line.meter_id,
                charge_code=line.charge_code,
                period_start=date.fromisoformat(line.period_start),
                period_end=date.fromisoformat(line.period_end),
                gateway_id=header.gateway_id,
                store_epoch=header.epoch,
                sequence=header.sequence,
                usage_milli=line.usage_milli,
                amount_fen=line.amount_fen,
                tariff_code=line.tariff_code,
                tariff_from=date.fromisoformat(line.tariff_from),
                tariff_rev=line.tariff_rev,
                tariff_sha=line.tariff_sha,
                input_sha=line.input_sha,
                recorded_at=now,
            )
