"""Usage by time window: what the rate registers of a meter counted, or what its readings show where windows turn.

A meter by time of use has a register for each rate, and a window of a tariff names the one that counts it. Where a
tariff knows prices by window only and the meter has no such registers, the readings at the times of day at which
windows begin and end tell the windows apart. A tariff that also prices a meter with one register does so. Where
a register is missing the usage is missing, never zero. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from itertools import pairwise

from cloud.metering.usage import HELD, MissingKind, MissingUsage, RegisterRef, SegmentKind, UsageSegment, scaled
from cloud.rating.counted import CountedDays, counted, counted_meters, prior_days
from cloud.rating.drafts import calendar_for
from cloud.rating.scope import Desk, Scope
from cloud.rating.segments import Segment
from common.civil import Period, midnight
from common.measure.quantity import MILLI
from common.rating.proration import months_of
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.windows import WindowFinder, rate_registers, usage_by_window
from common.reading.reading import Quantity
from common.tariff.compile import CompiledTariff
from common.tariff.model import Window
from common.tariff.window_use import counts_windows_apart, priced_by_window_only

RATE_QUANTITY: Mapping[int, Quantity] = {
    1: Quantity.ENERGY_T1,
    2: Quantity.ENERGY_T2,
    3: Quantity.ENERGY_T3,
    4: Quantity.ENERGY_T4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowUsage:
    """What a meter counted by window, in milli-units: now, and before since the running totals began.

    Both are empty for a meter that is priced by its total; `prior` is given only where tiers count windows apart.
    """

    now: Mapping[str, int] = field(default_factory=dict)
    prior: Mapping[str, int] = field(default_factory=dict)


def window_quantities(tariff: CompiledTariff, days: Period) -> dict[str, Quantity]:
    """Return the rate registers that a tariff asks for over some days, by window.

    None where its prices know no window, or where registers cannot tell the windows of those days apart.
    """
    months = {month.start.month for month in months_of(days)}
    registers = rate_registers(tariff.document.windows, months)
    return {name: RATE_QUANTITY[register] for name, register in registers.items()}


def wanted_rates(scope: Scope, segment: Segment, part: CountedDays) -> Iterator[CountedDays]:
    """Yield the stretches of the rate registers that a segment may ask for beside a stretch of its meter."""
    tariff = scope.prices.compiled[segment.revision.body_sha]
    before = prior_days(scope, segment) if counts_windows_apart(tariff.document) else ()
    for quantity in window_quantities(tariff, segment.service).values():
        for stretch in (part, *before):
            yield replace(stretch, quantity=quantity)


def wanted_intervals(desk: Desk, segments: Iterable[Segment]) -> tuple[list[CountedDays], frozenset[time]]:
    """Return the stretches whose readings inside the days are asked for, and the times of day that matter."""
    parts: list[CountedDays] = []
    moments: set[time] = set()
    for segment in segments:
        tariff = desk.scope.prices.compiled[segment.revision.body_sha]
        if not priced_by_window_only(tariff.document):
            continue
        found = [part for part in counted_meters(desk.scope, segment) if not _registers(desk, segment, part)]
        parts += found
        if found:
            moments.update(_finder(desk, segment).edges)
    return parts, frozenset(moments)


def window_usage(desk: Desk, segment: Segment, part: CountedDays, usage: UsageSegment) -> WindowUsage | MissingUsage:
    """Return what a meter counted in each window of a part of a segment.

    Raises:
        RatingRefusedError: the windows ask for an official calendar, or for running totals, that are not known.
    """
    tariff = desk.scope.prices.compiled[segment.revision.body_sha]
    registers = _registers(desk, segment, part)
    if not registers and not priced_by_window_only(tariff.document):
        return WindowUsage()
    now = _by_registers(desk, segment, [part], registers) if registers else _by_readings(desk, segment, part, usage)
    if isinstance(now, MissingUsage) or not counts_windows_apart(tariff.document):
        return now if isinstance(now, MissingUsage) else WindowUsage(now=now)
    before = prior_days(desk.scope, segment)
    if before and not registers:
        detail = "the tiers count each window apart, and only rate registers tell what each counted before"
        raise RatingRefusedError(RefusalKind.NO_USAGE, detail)
    prior = _by_registers(desk, segment, before, registers)
    return prior if isinstance(prior, MissingUsage) else WindowUsage(now=now, prior=prior)


def _registers(desk: Desk, segment: Segment, part: CountedDays) -> dict[str, Quantity]:
    """Return the rate registers by window, nothing when the meter never told of any of them."""
    quantities = window_quantities(desk.scope.prices.compiled[segment.revision.body_sha], segment.service)
    told = any(desk.registers.knows(part.meter.meter_id, quantity) for quantity in quantities.values())
    return quantities if told else {}


def _by_registers(
    desk: Desk, segment: Segment, parts: Sequence[CountedDays], registers: Mapping[str, Quantity]
) -> dict[str, int] | MissingUsage:
    windows = dict.fromkeys(registers, 0)
    for part in parts:
        for name, quantity in registers.items():
            found = counted(desk, replace(part, quantity=quantity), segment.cuts)
            if isinstance(found, MissingUsage):
                return found
            windows[name] += found.usage.quantity_milli
    return windows


def _by_readings(desk: Desk, segment: Segment, part: CountedDays, usage: UsageSegment) -> dict[str, int] | MissingUsage:
    """Return the usage between the times at which windows turn, each in the window in which it began."""
    finder = _finder(desk, segment)
    start, end = (midnight(day, desk.scope.zone) for day in (part.days.start, part.days.end))
    edges = [first for first, _ in finder.pieces(start, end)]
    registers: list[tuple[datetime, RegisterRef]] = [(max(start, usage.from_register.read_at), usage.from_register)]
    for edge in edges[1:]:
        if usage.from_register.read_at < edge < usage.to_register.read_at:
            found = desk.intervals.at_instant(part.meter.meter_id, part.meter.quantity, edge)
            if found is None or found.quality & HELD:
                kind = MissingKind.NO_READING if found is None else MissingKind.HELD_READING
                return _missing(desk, part, kind, edge)
            registers.append((edge, found))
    rolls = usage.kind is SegmentKind.ROLLOVER
    intervals = [
        (edge, _between(part, first, last, rolls=rolls))
        for (edge, first), (_, last) in pairwise([*registers, (end, usage.to_register)])
    ]
    backwards = [edge for edge, milli in intervals if milli < 0]
    if backwards or sum(milli for _, milli in intervals) != usage.quantity_milli:
        return _missing(desk, part, MissingKind.BACKWARDS, min(backwards, default=end))
    return usage_by_window(finder, intervals)


def _between(part: CountedDays, first: RegisterRef, last: RegisterRef, *, rolls: bool) -> int:
    """Return what was counted between two registers; one that falls has rolled over where that was confirmed."""
    turn = 10**part.meter.digits * MILLI if rolls and last.value_milli < first.value_milli else 0
    return scaled(last.value_milli + turn, part.span) - scaled(first.value_milli, part.span)


def _missing(desk: Desk, part: CountedDays, kind: MissingKind, instant: datetime) -> MissingUsage:
    local = instant.astimezone(desk.scope.zone)
    return MissingUsage(
        meter_id=part.meter.meter_id, period=part.days, kind=kind, day=local.date(), moment=local.time()
    )


def _finder(desk: Desk, segment: Segment) -> WindowFinder[Window]:
    windows = desk.scope.prices.compiled[segment.revision.body_sha].document.windows
    return WindowFinder(windows, desk.scope.zone, calendar_for(desk.scope, segment))
