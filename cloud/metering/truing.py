"""An estimate gives way to the true reading: when a batch brings one, or when a person reads the meter.

The estimate is never changed; a later revision stands over it, and a case tells that bills which rest on it are to be
corrected. A reading that is held for doubt takes nobody's place.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from cloud.kit.db import Unit
from cloud.metering import estimate_rows, repository
from cloud.metering.blocks import Point, unpack
from cloud.metering.corrections import Correction, revise_reading
from cloud.metering.events import OddityFound
from cloud.metering.mapping import block_of
from cloud.metering.tables import ReadingEstimateRow
from cloud.metering.unpacking import DayKey
from cloud.metering.usage import BOUNDARY_TOLERANCE, HELD
from common.clock import to_epoch_ms
from common.ids import CommunityId, MeterId
from common.measure.quantity import format_milli
from common.reading.reading import Quality

ESTIMATE_TRUED = "estimate_trued"
_ONE_DAY = timedelta(days=1)
_TOLERANCE_MS = int(BOUNDARY_TOLERANCE.total_seconds() * 1_000)


async def true_up(unit: Unit, community_id: CommunityId, keys: Collection[DayKey]) -> int:
    """Let readings of some days, just stored, take the place of estimates; return how many gave way."""
    meters = {key.meter_id for key in keys}
    days = {key.day for key in keys} | {key.day + _ONE_DAY for key in keys}
    count = 0
    for estimate, withdrawn in await estimate_rows.standing_estimates(unit.session, community_id, meters, days):
        point = await _true_point(unit, estimate)
        if point is not None and (not withdrawn or point.at_ms == to_epoch_ms(estimate.read_at)):
            await _give_way(unit, estimate, point)
            count += 1
    return count


async def enter_reading(unit: Unit, correction: Correction) -> int:
    """Store what a person read, as `revise_reading` does; an estimate that stood there gives way.

    The bills that rest on the estimate become a case.
    """
    newest = await repository.newest_revision(
        unit.session, correction.community_id, correction.meter_id, correction.quantity, correction.read_at
    )
    rev = await revise_reading(unit, correction)
    if newest is not None and newest.rev != rev and newest.quality & Quality.ESTIMATED:
        standing = await estimate_rows.estimate_of(unit.session, newest)
        if standing is not None and correction.value_milli is not None:
            _tell(unit, standing, correction.value_milli)
    return rev


async def _true_point(unit: Unit, estimate: ReadingEstimateRow) -> Point | None:
    """Return the reading nearest to the estimate's midnight that nothing is held against, or None."""
    keys = [
        DayKey(meter_id=MeterId(estimate.meter_id), quantity=estimate.quantity, day=day)
        for day in (estimate.day - _ONE_DAY, estimate.day)
    ]
    at_ms = to_epoch_ms(estimate.read_at)
    points = [
        point
        for row in await repository.newest_blocks(unit.session, CommunityId(estimate.community_id), keys)
        for point in unpack(block_of(row))
        if abs(point.at_ms - at_ms) <= _TOLERANCE_MS and not point.quality & (HELD | Quality.ESTIMATED)
    ]
    return min(points, key=lambda point: abs(point.at_ms - at_ms), default=None)


async def _give_way(unit: Unit, estimate: ReadingEstimateRow, point: Point) -> None:
    """Withdraw the estimate; where the reading is of the same instant, state the reading instead."""
    same = point.at_ms == to_epoch_ms(estimate.read_at)
    correction = Correction(
        community_id=CommunityId(estimate.community_id),
        meter_id=MeterId(estimate.meter_id),
        quantity=estimate.quantity,
        read_at=estimate.read_at,
        value_milli=point.value_milli if same else None,
        quality=point.quality if same else Quality.GOOD,
        reason=estimate_rows.TRUED,
    )
    await revise_reading(unit, correction)
    _tell(unit, estimate, point.value_milli)


def _tell(unit: Unit, estimate: ReadingEstimateRow, true_milli: int) -> None:
    said, true = format_milli(estimate.value_milli), format_milli(true_milli)
    unit.publish(
        OddityFound(
            key=f"{ESTIMATE_TRUED}:{estimate.meter_id}:{estimate.day}:{estimate.rev}",
            kind="exception",
            reason=ESTIMATE_TRUED,
            object_kind="meter",
            object_id=estimate.meter_id,
            subject=estimate.day.isoformat(),
            community_id=CommunityId(estimate.community_id),
            owner_role="manager",
            detail_zh=f"{estimate.day} 零点估读 {said}，真实读数 {true}；请在“估读”页更正已出的账单。",
            detail_en=f"estimated {said} at midnight of {estimate.day}, truly {true}; correct the bills on Estimates.",
            figures={"estimated_milli": estimate.value_milli, "true_milli": true_milli},
        )
    )
