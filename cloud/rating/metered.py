"""Metered charges: one line for each meter and segment, priced behind the usage counted since the tier year began.

The running total belongs to the premises: it goes on over a meter replacement and over a sale. Where a register is
missing there is an exception, and later lines of the same place that would rest on it are exceptions too. Only where a
price changes and no reading stands at that midnight is the usage around it spread by days, and the line says so. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from itertools import pairwise

from cloud.metering.usage import MissingKind, MissingUsage, SegmentKind, UsageSegment
from cloud.rating.counted import Counted, CountedDays, counted, counted_meters, prior_days
from cloud.rating.drafts import Draft, calendar_for, placed, priced, refused
from cloud.rating.lines import ExceptionKind, RatingException
from cloud.rating.scope import Desk, Scope
from cloud.rating.segments import Segment
from cloud.rating.windowed import WindowUsage, wanted_rates, window_usage
from common.civil import Period
from common.rating.refusal import RatingRefusedError
from common.rating.request import RatingRequest

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


def rate_metered(desk: Desk, segment: Segment) -> Iterator[Draft | RatingException]:
    """Yield a line for each meter of a segment, or the exceptions that stand for it."""
    parts = counted_meters(desk.scope, segment)
    if not parts:
        yield _no_meter(segment)
        return
    prior = _prior(desk, segment)
    if isinstance(prior, MissingUsage):
        yield missing(segment, prior)
        return
    for part in parts:
        found = counted(desk, part, segment.cuts)
        if isinstance(found, MissingUsage):
            yield missing(segment, found)
            return
        windows = _windows(desk, segment, part, found.usage)
        if isinstance(windows, MissingUsage):
            yield missing(segment, windows)
            return
        yield windows if isinstance(windows, RatingException) else _line(desk, segment, found, prior, windows)
        prior += found.usage.quantity_milli


def _windows(
    desk: Desk, segment: Segment, part: CountedDays, usage: UsageSegment
) -> WindowUsage | MissingUsage | RatingException:
    """Return the usage by window of one meter, or the exception of a calendar or running total that is not known."""
    try:
        return window_usage(desk, segment, part, usage)
    except RatingRefusedError as refusal:
        return refused(segment, refusal, part.meter.meter_id)


def missing(segment: Segment, usage: MissingUsage) -> RatingException:
    """Return the exception of a usage that is not known."""
    word_zh, word_en = _WORDS[usage.kind]
    moment_zh = "零点" if usage.moment == time() else f"{usage.moment:%H:%M} "
    return RatingException(
        premises_id=segment.premises_id,
        charge_item_id=segment.item.charge_item_id,
        kind=_MISSING_KINDS[usage.kind],
        detail_zh=f"{segment.item.name_zh} {usage.period}：表具在 {usage.day} {moment_zh}{word_zh}。请补抄或核实。",
        detail_en=f"{segment.item.name_en} {usage.period}: the meter {word_en} {usage.day} {usage.moment:%H:%M}. "
        "Read or confirm it.",
        object_id=usage.meter_id,
    )


def _prior(desk: Desk, segment: Segment) -> int | MissingUsage:
    """Return what was counted from the start of the tier year to a segment, across bridged cuts as they are billed."""
    total = 0
    for part in prior_days(desk.scope, segment):
        inside = [cut for cut in segment.cuts if part.days.start < cut < part.days.end]
        for start, end in pairwise([part.days.start, *inside, part.days.end]):
            days = CountedDays(meter=part.meter, days=Period(start, end))
            found = counted(desk, days, segment.cuts)
            if isinstance(found, MissingUsage):
                return found
            total += found.usage.quantity_milli
    return total


def wanted_days(scope: Scope, segment: Segment) -> Iterator[CountedDays]:
    """Yield every stretch whose usage a segment will ask for, so that all registers are read at once."""
    yield from prior_days(scope, segment)
    for part in counted_meters(scope, segment):
        yield part
        yield from wanted_rates(scope, segment, part)


def _line(
    desk: Desk, segment: Segment, found: Counted, prior_milli: int, windows: WindowUsage
) -> Draft | RatingException:
    usage = found.usage
    quantity = sum(windows.now.values()) if windows.now else usage.quantity_milli
    request = placed(
        desk.scope,
        segment,
        RatingRequest(
            period=usage.period,
            quantity_milli=None if windows.now else quantity,
            prior_milli=prior_milli,
            windows_milli=windows.now,
            prior_windows_milli=windows.prior,
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
        quantity_milli=quantity,
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
