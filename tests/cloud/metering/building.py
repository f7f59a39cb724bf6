"""Small builders of batches, as a gateway would have made them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from cloud.metering.unpacking import MeterHome
from common.civil import midnight
from common.clock import to_epoch_ms
from common.ids import CommunityId, GatewayId, MeterId
from common.wire.batch import GENESIS, VERSION, BatchContent, BatchHeader, Column, Series
from common.wire.records import Entry, Record
from common.wire.stamp import ClockSource, Stamp

ZONE = ZoneInfo("Asia/Shanghai")
COMMUNITY = CommunityId(UUID(int=0xC0))
GATEWAY = GatewayId(UUID(int=0x9A))
EPOCH = 77
HOUR_MS = 3_600_000


def meter(number: int) -> MeterId:
    return MeterId(UUID(int=0x3000 + number))


def homes(count: int = 3) -> dict[MeterId, MeterHome]:
    return {meter(n): MeterHome(community_id=COMMUNITY, zone=ZONE) for n in range(1, count + 1)}


def at(day: date, hour: int = 0) -> datetime:
    """Return the UTC instant of an hour of a civil day in the community."""
    return datetime.fromtimestamp(midnight(day, ZONE).timestamp() + hour * 3600, tz=UTC)


def stamp(made_at: datetime) -> Stamp:
    return Stamp(boot_no=1, boot_ms=1, at_ms=to_epoch_ms(made_at), source=ClockSource.SYNCHRONISED, uncertainty_ms=0)


def column(
    series: int,
    start: datetime,
    values: Sequence[int | None],
    *,
    step_ms: int = 24 * HOUR_MS,
    flags: Sequence[tuple[int, int]] = (),
) -> Column:
    return Column(
        series=series,
        start_ms=to_epoch_ms(start),
        step_ms=step_ms,
        values=tuple(values),
        flags=tuple(flags),
        boot_no=1,
        source=ClockSource.SYNCHRONISED,
        uncertainty_ms=0,
        within_ms=0,
    )


def batch(
    sequence: int,
    made_at: datetime,
    columns: Sequence[Column],
    *,
    meters: Sequence[MeterId] = (),
    records: Sequence[Record] = (),
) -> BatchContent:
    """Return a batch whose series are the energy registers of the meters named (or of meters 1, 2, 3)."""
    named = meters or [meter(1), meter(2), meter(3)]
    return BatchContent(
        header=BatchHeader(
            version=VERSION,
            gateway_id=GATEWAY,
            epoch=EPOCH,
            previous_epoch=0,
            sequence=sequence,
            previous_hash=GENESIS,
            made=stamp(made_at),
        ),
        series=tuple(Series(meter_id=one, quantity="energy_forward", unit="kWh", profile="p@1") for one in named),
        columns=tuple(columns),
        entries=tuple(Entry(seq=n, stamp=stamp(made_at), record=record) for n, record in enumerate(records, 1)),
    )
