"""Metered charges: one line for each meter and segment, priced behind the usage counted since the tier year began.

The running total belongs to the premises: it goes on over a meter replacement and over a sale. Where a register is
missing there is an exception, and later lines of the same place that would rest on it are exceptions too. Only where a
price changes and no reading stands at that midnight is the usage around it spread by days, and the line says so. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from cloud.metering.usage import MissingKind, MissingUsage, SegmentKind, Span, UsageSegment
from cloud.rating.drafts import Draft, calendar_for, placed, priced
from cloud.rating.lines import ExceptionKind, RatingException
from cloud.rating.scope import Desk, PlacedMeter, Scope
from cloud.rating.segments import Segment, meters_in, priced_apart
from common.civil import Period
from common.rating.request import RatingRequest, SplitUsage
from common.tariff.revision import split_usage_by_days

_MISSING_KINDS = {
    MissingKind.NO_READING: ExceptionKind.NO_READING,
    MissingKind.HELD_READING: ExceptionKind.HELD_READING,
    MissingKind.BACKWARDS: ExceptionKind.BACKWARDS,
}
_WORDS = {
    MissingKind.NO_READING: ("没有读数", "has no reading for"),
    MissingKind.HELD_READING: ("读数存疑待核实", "has a doubtful reading, held for a person, on"),
    MissingKind.BACKWARDS: ("读数倒走", "ran backwards by"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedDays:
    """A meter and days on which it counted."""

    meter: PlacedMeter
    days: Period

    @property
    def span(self) -> Span:
        """Return the days as a question to the registers."""
        return Span(
            meter_id=self.meter.meter_id,
            quantity=self.meter.quantity,
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
    """Return the day on which the running total of the segment's tariff began, or None when it keeps none."""
    tariff = scope.prices.compiled[segment.revision.body_sha]
    span = tariff.document.accumulation.span_of(segment.service.start)
    return None if span is None else span.start


def rate_metered(desk: Desk, segment: Segment) -> Iterator[Draft | RatingException]:
    """Yield a line for each meter of a segment, or the exceptions that stand for it."""
    counted = meters_in(meters_for(desk.scope, segment), segment.service)
    if counted is None:
        yield _no_meter(segment)
        return
    prior = _prior(desk, segment)
    if isinstance(prior, MissingUsage):
        yield missing(segment, prior)
        return
    for meter, days in counted:
        found = _counted(desk, CountedDays(meter=meter, days=days), segment.cuts)
        if isinstance(found, MissingUsage):
            yield missing(segment, found)
            return
        yield _line(desk, segment, found, prior)
        prior += found.usage.quantity_milli


def missing(segment: Segment, usage: MissingUsage) -> RatingException:
    """Return the exception of a usage that is not known."""
    word_zh, word_en = _WORDS[usage.kind]
    return RatingException(
        premises_id=segment.premises_id,
        charge_item_id=segment.item.charge_item_id,
        kind=_MISSING_KINDS[usage.kind],
        detail_zh=f"{segment.item.name_zh} {usage.period}：表具在 {usage.day} 零点{word_zh}。请补抄或核实。",
        detail_en=f"{segment.item.name_en} {usage.period}: the meter {word_en} {usage.day} 00:00. Read or confirm it.",
        object_id=usage.meter_id,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """A usage, and whether readings at both its ends gave it or the days between readings further apart."""

    usage: UsageSegment
    by: SplitUsage


def _counted(desk: Desk, part: CountedDays, cuts: Sequence[date]) -> _Counted | MissingUsage:
    """Return what a meter counted over days that begin and end at cuts.

    A cut inside without any reading is bridged: the usage between the nearest readings is spread by days, so that the
    parts still sum to what was counted. The ends of the whole are never bridged.
    """
    usage = desk.registers.usage(part.span)
    if isinstance(usage, UsageSegment):
        return _Counted(usage=usage, by=SplitUsage.READINGS)
    around = _readings_around(desk, part, cuts)
    if usage.kind is not MissingKind.NO_READING or around == part.days:
        return usage
    whole = desk.registers.usage(CountedDays(meter=part.meter, days=around).span)
    if isinstance(whole, MissingUsage):
        return whole
    edges = sorted({around.start, part.days.start, part.days.end, around.end})
    pieces = [Period(start, end) for start, end in pairwise(edges)]
    quantity = split_usage_by_days(whole.quantity_milli, pieces)[pieces.index(part.days)]
    return _Counted(usage=replace(whole, period=part.days, quantity_milli=quantity), by=SplitUsage.DAYS)


def _readings_around(desk: Desk, part: CountedDays, cuts: Sequence[date]) -> Period:
    """Return the days around some days between the nearest cuts at which the meter was read, or was put in or out."""
    if not cuts or part.days.start < cuts[0]:
        return part.days
    days = part.meter.within(Period(cuts[0], cuts[-1])) or part.days
    inside = [cut for cut in cuts if days.start < cut < days.end]
    read = [cut for cut in inside if desk.registers.at(part.meter.meter_id, part.meter.quantity, cut) is not None]
    return Period(
        max((cut for cut in read if cut <= part.days.start), default=days.start),
        min((cut for cut in read if cut >= part.days.end), default=days.end),
    )


def _prior(desk: Desk, segment: Segment) -> int | MissingUsage:
    """Return what was counted from the start of the tier year to a segment, across bridged cuts as they are billed."""
    total = 0
    for part in prior_days(desk.scope, segment):
        inside = [cut for cut in segment.cuts if part.days.start < cut < part.days.end]
        for start, end in pairwise([part.days.start, *inside, part.days.end]):
            days = CountedDays(meter=part.meter, days=Period(start, end))
            found = _counted(desk, days, segment.cuts)
            if isinstance(found, MissingUsage):
                return found
            total += found.usage.quantity_milli
    return total


def counted_total(desk: Desk, parts: Iterable[CountedDays]) -> int | MissingUsage:
    """Return what some meters counted together, or the first usage that is not known."""
    total = 0
    for part in parts:
        usage = desk.registers.usage(part.span)
        if isinstance(usage, MissingUsage):
            return usage
        total += usage.quantity_milli
    return total


def wanted_days(scope: Scope, segment: Segment) -> Iterator[CountedDays]:
    """Yield every stretch whose usage a segment will ask for, so that all registers are read at once."""
    yield from prior_days(scope, segment)
    counted = meters_in(meters_for(scope, segment), segment.service)
    for meter, days in counted or ():
        yield CountedDays(meter=meter, days=days)


def _line(desk: Desk, segment: Segment, found: _Counted, prior_milli: int) -> Draft | RatingException:
    usage = found.usage
    request = placed(
        desk.scope,
        segment,
        RatingRequest(
            period=usage.period,
            quantity_milli=usage.quantity_milli,
            prior_milli=prior_milli,
            facts=desk.facts_on(segment.service.start, segment.premises_id),
            calendar=calendar_for(desk.scope, segment),
        ),
        found.by,
    )
    line = priced(desk.scope, segment, request, usage.meter_id)
    if isinstance(line, RatingException):
        return line
    return Draft(
        segment=segment,
        request=request,
        line=line,
        quantity_milli=usage.quantity_milli,
        meter_id=usage.meter_id,
        from_register=usage.from_register,
        to_register=usage.to_register,
        estimated=usage.kind is SegmentKind.ESTIMATED,
    )


def _no_meter(segment: Segment) -> RatingException:
    return RatingException(
        premises_id=segment.premises_id,
        charge_item_id=segment.item.charge_item_id,
        kind=ExceptionKind.NO_METER,
        detail_zh=f"{segment.item.name_zh} {segment.service}：有日期没有表具。请登记表具或安装日期。",
        detail_en=f"{segment.item.name_en} {segment.service}: some days have no meter. Register it or mend its dates.",
    )
