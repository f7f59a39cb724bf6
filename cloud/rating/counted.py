"""What a meter counted over some days, and on which days a segment counts which meter.

The running total belongs to the premises: it goes on over a meter replacement and over a sale. A price change without a
reading at that midnight is bridged: the usage between the nearest readings is spread by days. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from cloud.metering.usage import MissingKind, MissingUsage, Span, UsageSegment
from cloud.rating.scope import Desk, PlacedMeter, Scope
from cloud.rating.segments import Segment, meters_in, priced_apart
from common.civil import Period
from common.rating.request import SplitUsage
from common.reading.reading import Quantity
from common.tariff.revision import split_usage_by_days


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedDays:
    """A meter and days on which it counted; `quantity` is another of its registers than the one that bills."""

    meter: PlacedMeter
    days: Period
    quantity: Quantity | None = None

    @property
    def span(self) -> Span:
        """Return the days as a question to the registers."""
        return Span(
            meter_id=self.meter.meter_id,
            quantity=self.quantity or self.meter.quantity,
            period=self.days,
            multiplier_milli=self.meter.multiplier_milli,
            digits=self.meter.digits,
            starts_installed=self.days.start == self.meter.start,
            ends_removed=self.days.end == self.meter.end,
        )


def meters_for(scope: Scope, segment: Segment) -> tuple[PlacedMeter, ...]:
    """Return the meters that a segment counts: the one it names, or all of the place that are not priced apart."""
    placed = [meter for meter in scope.meters.get(segment.premises_id, ()) if meter.resource is segment.item.resource]
    if segment.meter_id is not None:
        return tuple(meter for meter in placed if meter.meter_id == segment.meter_id)
    apart = priced_apart(scope, segment.item, segment.premises_id)
    return tuple(meter for meter in placed if meter.meter_id not in apart)


def prior_days(scope: Scope, segment: Segment) -> tuple[CountedDays, ...]:
    """Return the days from the start of the tier year to the segment, by meter."""
    start = tier_year_start(scope, segment)
    if start is None or start >= segment.service.start:
        return ()
    before = Period(start, segment.service.start)
    meters = meters_for(scope, segment)
    parts = ((meter, meter.within(before)) for meter in meters)
    return tuple(CountedDays(meter=meter, days=days) for meter, days in parts if days is not None)


def tier_year_start(scope: Scope, segment: Segment) -> date | None:
    """Return the day on which the running total of the segment's tariff began, or None when it keeps none.

    Tiers of one bill go on over a price change inside it: they begin with the days that one party owes.
    """
    tariff = scope.prices.compiled[segment.revision.body_sha]
    span = tariff.document.accumulation.span_of(segment.service.start)
    if span is None:
        return segment.cuts[0] if segment.cuts else None
    return span.start


def counted_meters(scope: Scope, segment: Segment) -> tuple[CountedDays, ...]:
    """Return the meters of a segment with the days on which each counted; none where days have no meter."""
    found = meters_in(meters_for(scope, segment), segment.service)
    return tuple(CountedDays(meter=meter, days=days) for meter, days in found or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A usage, and whether readings at both its ends gave it or the days between readings further apart."""

    usage: UsageSegment
    by: SplitUsage


def counted(desk: Desk, part: CountedDays, cuts: Sequence[date]) -> Counted | MissingUsage:
    """Return what a meter counted over days that begin and end at cuts.

    A cut inside without any reading is bridged: the usage between the nearest readings is spread by days, so that the
    parts still sum to what was counted. The ends of the whole are never bridged.
    """
    usage = desk.registers.usage(part.span)
    if isinstance(usage, UsageSegment):
        return Counted(usage=usage, by=SplitUsage.READINGS)
    around = _readings_around(desk, part, cuts)
    if usage.kind is not MissingKind.NO_READING or around == part.days:
        return usage
    whole = desk.registers.usage(replace(part, days=around).span)
    if isinstance(whole, MissingUsage):
        return whole
    edges = sorted({around.start, part.days.start, part.days.end, around.end})
    pieces = [Period(start, end) for start, end in pairwise(edges)]
    quantity = split_usage_by_days(whole.quantity_milli, pieces)[pieces.index(part.days)]
    return Counted(usage=replace(whole, period=part.days, quantity_milli=quantity), by=SplitUsage.DAYS)


def _readings_around(desk: Desk, part: CountedDays, cuts: Sequence[date]) -> Period:
    """Return the days around some days between the nearest cuts at which the meter was read, or was put in or out."""
    if not cuts or part.days.start < cuts[0]:
        return part.days
    days = part.meter.within(Period(cuts[0], cuts[-1])) or part.days
    inside = [cut for cut in cuts if days.start < cut < days.end]
    read = [cut for cut in inside if desk.registers.at(part.meter.meter_id, part.span.quantity, cut) is not None]
    return Period(
        max((cut for cut in read if cut <= part.days.start), default=days.start),
        min((cut for cut in read if cut >= part.days.end), default=days.end),
    )


def counted_total(desk: Desk, parts: Iterable[CountedDays], cuts: Sequence[date] = ()) -> int | MissingUsage:
    """Return what some meters counted together, bridged at cuts, or the first usage that is not known."""
    total = 0
    for part in parts:
        found = counted(desk, part, cuts)
        if isinstance(found, MissingUsage):
            return found
        total += found.usage.quantity_milli
    return total
