"""From the contents of one batch to the points of each meter, quantity and civil day. Pure; no database.

A reading counts for the instant at which it was taken. A reading of a meter that the community does not know is not
dropped in silence: the meter is named, and the signed batch keeps the reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from cloud.metering.blocks import Point
from common.civil import civil_day, midnight
from common.clock import from_epoch_ms, to_epoch_ms
from common.ids import CommunityId, MeterId
from common.reading.reading import Quality, Quantity
from common.wire.batch import BatchContent
from common.wire.stamp import ClockSource

_QUANTITIES = frozenset(member.value for member in Quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterHome:
    """The community in which a meter is, and the zone in which its days begin."""

    community_id: CommunityId
    zone: tzinfo


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DayKey:
    """Which block a point belongs to."""

    meter_id: MeterId
    quantity: Quantity
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPoints:
    """All points of a batch by block, the meters and quantities nobody knows, and how many points were placed."""

    by_day: Mapping[DayKey, tuple[Point, ...]]
    unknown_meters: frozenset[MeterId]
    unknown_quantities: frozenset[str]
    count: int


class _Days:
    """The civil day of an instant in a zone; neighbouring instants share the look-up."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._day = date.min
        self._start_ms = self._end_ms = 0

    def of(self, at_ms: int) -> date:
        """Return the civil day that holds an instant."""
        if not self._start_ms <= at_ms < self._end_ms:
            self._day = civil_day(from_epoch_ms(at_ms), self._zone)
            self._start_ms = to_epoch_ms(midnight(self._day, self._zone))
            self._end_ms = to_epoch_ms(midnight(self._day + timedelta(days=1), self._zone))
        return self._day


def points_by_day(content: BatchContent, homes: Mapping[MeterId, MeterHome]) -> DayPoints:
    """Return the points of a batch by meter, quantity and civil day of the meter's community."""
    by_day: dict[DayKey, list[Point]] = {}
    days = {meter_id: _Days(home.zone) for meter_id, home in homes.items()}
    unknown_meters: set[MeterId] = set()
    unknown_quantities: set[str] = set()
    count = 0
    for point in content.points():
        meter_id, quantity = point.series.meter_id, point.series.quantity
        if meter_id not in days:
            unknown_meters.add(meter_id)
        elif quantity not in _QUANTITIES:
            unknown_quantities.add(quantity)
        else:
            key = DayKey(meter_id=meter_id, quantity=Quantity(quantity), day=days[meter_id].of(point.at_ms))
            quality = Quality(point.quality)
            if point.source is ClockSource.BOUNDED:
                quality |= Quality.CLOCK_BOUNDED
            by_day.setdefault(key, []).append(Point(at_ms=point.at_ms, value_milli=point.value_milli, quality=quality))
            count += 1
    return DayPoints(
        by_day={key: tuple(points) for key, points in by_day.items()},
        unknown_meters=frozenset(unknown_meters),
        unknown_quantities=frozenset(unknown_quantities),
        count=count,
    )
