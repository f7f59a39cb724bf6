"""What a meter counted hour by hour, and what a virtual meter makes of others: their sum, less some of them.

An hour whose registers are not both sure is not known, and neither is a sum that it belongs to; it is never zero. Pure
values and functions; no database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from uuid import UUID

from cloud.fleet.values import InstalledMeter
from cloud.metering.registers import BILLED_QUANTITY, RegisterBook
from cloud.metering.usage import HELD, Span, scaled
from common.civil import Period
from common.errors import RefusalError
from common.ids import CommunityId, MeterId
from common.reading.reading import Resource

HOURS_A_DAY = 24
HOURS = frozenset(time(hour) for hour in range(HOURS_A_DAY))
NAME_LENGTH_MAX = 60
PARTS_MAX = 200
_ONE_DAY = timedelta(days=1)
_HALF_HOUR = timedelta(minutes=30)

Hours = tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualMeter:
    """What a virtual meter is made of from a day on: the sum of some meters less the sum of others."""

    community_id: CommunityId
    virtual_id: UUID
    name: str
    resource: Resource
    effective_from: date
    plus: frozenset[MeterId]
    minus: frozenset[MeterId]

    def __post_init__(self) -> None:
        """Check name and parts.

        Raises:
            RefusalError: it has no name, no meter to begin with, too many, or one on both sides.
        """
        if not 0 < len(self.name.strip()) <= NAME_LENGTH_MAX:
            raise RefusalError(f"a virtual meter has a name of 1 to {NAME_LENGTH_MAX} characters")
        if not self.plus or len(self.plus) + len(self.minus) > PARTS_MAX:
            raise RefusalError(f"a virtual meter adds up at least one meter, and has at most {PARTS_MAX} parts")
        if self.plus & self.minus:
            raise RefusalError("the same meter cannot be added and taken away")

    @property
    def parts(self) -> frozenset[MeterId]:
        """Return every meter it is made of."""
        return self.plus | self.minus


def hours_of(book: RegisterBook, meter: InstalledMeter, day: date, zone: tzinfo) -> list[int | None]:
    """Return what each hour of a day used, in milli-units after the multiplier; None where a register is not sure."""
    span = span_of(meter, Period(day, day + _ONE_DAY))
    instants = [datetime.combine(day, time(hour), tzinfo=zone).astimezone(UTC) for hour in range(HOURS_A_DAY)]
    instants.append(datetime.combine(day + _ONE_DAY, time(), tzinfo=zone).astimezone(UTC))
    sure = [_sure(book, span, instant) for instant in instants]
    return [None if a is None or b is None or b < a else b - a for a, b in pairwise(sure)]


def virtual_hours(virtual: VirtualMeter, hours: Mapping[MeterId, Sequence[int | None]]) -> Hours:
    """Return the hours of a virtual meter; an hour in which one part is not known is not known."""
    signed = [(sign, hours.get(part)) for sign, parts in ((1, virtual.plus), (-1, virtual.minus)) for part in parts]
    return tuple(_added(signed, hour) for hour in range(HOURS_A_DAY))


def total(hours: Sequence[int | None]) -> int | None:
    """Return the sum of a day's hours, None when one of them is not known."""
    known = [one for one in hours if one is not None]
    return sum(known) if len(known) == len(hours) else None


def span_of(meter: InstalledMeter, period: Period) -> Span:
    """Return the days of a meter as a span of its billed register."""
    return Span(
        meter_id=meter.meter_id,
        quantity=BILLED_QUANTITY[meter.resource],
        period=period,
        multiplier_milli=meter.multiplier_milli,
        digits=meter.digits,
    )


def _added(signed: Sequence[tuple[int, Sequence[int | None] | None]], hour: int) -> int | None:
    sum_milli = 0
    for sign, hours in signed:
        used = None if hours is None else hours[hour]
        if used is None:
            return None
        sum_milli += sign * used
    return sum_milli


def _sure(book: RegisterBook, span: Span, instant: datetime) -> int | None:
    """Return the register at a full hour; a reading further than half an hour away stands for another one."""
    ref = book.at_instant(span.meter_id, span.quantity, instant)
    if ref is None or ref.quality & HELD or abs(ref.read_at - instant) > _HALF_HOUR:
        return None
    return scaled(ref.value_milli, span)
