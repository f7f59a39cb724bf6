"""The registers of many meters at many midnights, as known at one instant, laid out for look-up.

Built from the first and last register of the newest blocks, overlaid by corrected and hand-read values. Pure values
and functions; no database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from cloud.metering.blocks import Point
from cloud.metering.unpacking import DayKey
from cloud.metering.usage import (
    MissingUsage,
    RegisterRef,
    Span,
    UsageSegment,
    register_at,
    register_on_installing,
    register_on_removing,
    usage_between,
)
from common.civil import midnight
from common.clock import from_epoch_ms
from common.ids import CommunityId, MeterId
from common.reading.reading import Quality, Quantity, Resource

ONE_DAY = timedelta(days=1)
# The cumulative register that bills a resource.
BILLED_QUANTITY: Mapping[Resource, Quantity] = {
    Resource.ELECTRICITY: Quantity.ENERGY_FORWARD,
    Resource.WATER: Quantity.VOLUME,
    Resource.HOT_WATER: Quantity.VOLUME,
    Resource.GAS: Quantity.VOLUME,
    Resource.HEAT: Quantity.HEAT_ENERGY,
}
Register = tuple[MeterId, Quantity]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterQuestion:
    """Which registers are wanted: these meters at the midnights that begin these days, as known at an instant."""

    community_id: CommunityId
    meters: frozenset[MeterId]
    quantities: frozenset[Quantity]
    days: frozenset[date]
    zone: tzinfo
    known_at: datetime

    @property
    def block_days(self) -> frozenset[date]:
        """Return the days whose blocks may hold a reading that stands for one of the midnights."""
        return self.days | {day - ONE_DAY for day in self.days}

    @property
    def window(self) -> tuple[datetime, datetime]:
        """Return the first and the last instant at which a reading may matter."""
        return midnight(min(self.days) - ONE_DAY, self.zone), midnight(max(self.days) + 2 * ONE_DAY, self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The newest corrected value of one instant; a value of None withdraws the reading."""

    meter_id: MeterId
    quantity: Quantity
    read_at: datetime
    rev: int
    value_milli: int | None
    quality: Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEdges:
    """The columns of one block that stand beside its body."""

    key: DayKey
    rev: int
    first: Point
    last: Point
    count: int
    quality: Quality

    @property
    def register(self) -> Register:
        """Return which register the block is of."""
        return self.key.meter_id, self.key.quantity

    def refs(self, points: Iterable[Point]) -> tuple[RegisterRef, ...]:
        """Return points of the block as registers that name it."""
        return tuple(
            RegisterRef(
                meter_id=self.key.meter_id,
                quantity=self.key.quantity,
                read_at=from_epoch_ms(point.at_ms),
                value_milli=point.value_milli,
                quality=point.quality,
                block_day=self.key.day,
                block_rev=self.rev,
            )
            for point in points
        )

    def edge_refs(self) -> tuple[RegisterRef, ...]:
        """Return first and last register; one when they are the same."""
        return self.refs((self.first,) if self.count == 1 else (self.first, self.last))


def overlay(refs: Iterable[RegisterRef], revisions: Iterable[Revision]) -> tuple[RegisterRef, ...]:
    """Return registers with corrected values over them, in order of time; withdrawn ones are left out."""
    by_instant = {ref.read_at: ref for ref in refs}
    for revision in revisions:
        if revision.value_milli is None:
            by_instant.pop(revision.read_at, None)
            continue
        base = by_instant.get(revision.read_at) or RegisterRef(
            meter_id=revision.meter_id,
            quantity=revision.quantity,
            read_at=revision.read_at,
            value_milli=revision.value_milli,
            quality=revision.quality,
        )
        by_instant[revision.read_at] = replace(
            base, value_milli=revision.value_milli, quality=revision.quality, revision=revision.rev
        )
    return tuple(by_instant[instant] for instant in sorted(by_instant))


class RegisterBook:
    """Registers by meter and quantity, and the usages that follow from them."""

    def __init__(
        self,
        refs: Mapping[Register, Collection[RegisterRef]],
        rollovers: Mapping[Register, Collection[date]],
        zone: tzinfo,
    ) -> None:
        self._refs = refs
        self._rollovers = rollovers
        self._zone = zone

    def at(self, meter_id: MeterId, quantity: Quantity, day: date) -> RegisterRef | None:
        """Return the register at the midnight that begins a day, or None when no reading stands for it."""
        return register_at(midnight(day, self._zone), self._refs.get((meter_id, quantity), ()))

    def usage(self, span: Span) -> UsageSegment | MissingUsage:
        """Return what a meter counted over a span, or why that is not known."""
        register = (span.meter_id, span.quantity)
        known = replace(span, rollovers=tuple(self._rollovers.get(register, ())))
        return usage_between(known, self._start(span), self._end(span))

    def _start(self, span: Span) -> RegisterRef | None:
        boundary = self.at(span.meter_id, span.quantity, span.period.start)
        if boundary is not None or not span.starts_installed:
            return boundary
        refs = self._refs.get((span.meter_id, span.quantity), ())
        return register_on_installing(midnight(span.period.start, self._zone), refs)

    def _end(self, span: Span) -> RegisterRef | None:
        if not span.ends_removed:
            return self.at(span.meter_id, span.quantity, span.period.end)
        refs = self._refs.get((span.meter_id, span.quantity), ())
        return register_on_removing(midnight(span.period.end, self._zone), refs)
