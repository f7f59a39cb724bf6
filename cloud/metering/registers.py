"""The registers of many meters at many midnights, as known at one instant, laid out for look-up.

Built from the first and last register of the newest blocks, overlaid by corrected and hand-read values. Pure values
and functions; no database.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from cloud.metering.blocks import Point
from cloud.metering.unpacking import DayKey
from cloud.metering.usage import (
    BOUNDARY_TOLERANCE,
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
from common.clock import from_epoch_ms, to_epoch_ms
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


def joined(questions: Sequence[RegisterQuestion]) -> RegisterQuestion:
    """Return one question that asks for all that some questions of one community and instant ask for, and maybe more.

    One that asks for no meter is passed over.
    """
    asking = [one for one in questions if one.meters] or questions[:1]
    return replace(
        asking[0],
        meters=frozenset().union(*(one.meters for one in asking)),
        quantities=frozenset().union(*(one.quantities for one in asking)),
        days=frozenset().union(*(one.days for one in asking)),
    )


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


def _read_at(ref: RegisterRef) -> datetime:
    return ref.read_at


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


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalQuestion(RegisterQuestion):
    """Which registers are wanted inside the days too: at these times of each day, in the zone of the question."""

    moments: frozenset[time]

    def instants_of(self, day: date) -> tuple[datetime, ...]:
        """Return the instants of a day that are asked for, and the midnight that ends it, in UTC."""
        inside = [datetime.combine(day, moment, tzinfo=self.zone).astimezone(UTC) for moment in sorted(self.moments)]
        return (*inside, midnight(day + ONE_DAY, self.zone))


def standing_points(points: Sequence[Point], instants: Iterable[datetime]) -> tuple[Point, ...]:
    """Return those of a day's points that may stand for one of some instants: the nearest before and after each."""
    times = [point.at_ms for point in points]
    places = {place for instant in instants for place in _around(times, to_epoch_ms(instant))}
    return tuple(points[place] for place in sorted(places))


def _around(times: Sequence[int], at_ms: int) -> Iterator[int]:
    following = bisect_left(times, at_ms)
    yield from (place for place in (following - 1, following) if 0 <= place < len(times))


class RegisterBook:
    """Registers by meter and quantity, and the usages that follow from them."""

    def __init__(
        self,
        refs: Mapping[Register, Collection[RegisterRef]],
        rollovers: Mapping[Register, Collection[date]],
        zone: tzinfo,
    ) -> None:
        self._refs = {key: sorted(known, key=lambda ref: ref.read_at) for key, known in refs.items()}
        self._rollovers = rollovers
        self._zone = zone

    def at(self, meter_id: MeterId, quantity: Quantity, day: date) -> RegisterRef | None:
        """Return the register at the midnight that begins a day, or None when no reading stands for it."""
        return self.at_instant(meter_id, quantity, midnight(day, self._zone))

    def at_instant(self, meter_id: MeterId, quantity: Quantity, instant: datetime) -> RegisterRef | None:
        """Return the register at an instant, or None when no reading stands for it."""
        refs = self._refs.get((meter_id, quantity), [])
        first = bisect_left(refs, instant - BOUNDARY_TOLERANCE, key=_read_at)
        last = bisect_right(refs, instant + BOUNDARY_TOLERANCE, key=_read_at)
        return register_at(instant, refs[first:last])

    def knows(self, meter_id: MeterId, quantity: Quantity) -> bool:
        """Return whether a meter told anything of a register."""
        return bool(self._refs.get((meter_id, quantity)))

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
