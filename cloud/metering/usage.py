"""Usage: differences of register values at civil midnights, never stored twice and never guessed.

The register of a meter at a midnight depends on the midnight and on what is known alone, so neighbouring segments share
their boundary and tile time: no gap, no overlap, and their sum is the last register minus the first plus rollovers.
The formula itself is `common.reading.usage`, the one the gateway estimates with.
A register that is absent or held yields `MissingUsage`, never zero. Pure values and functions; no database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from common.civil import Period
from common.ids import MeterId
from common.reading.reading import Quality, Quantity
from common.reading.usage import MeterFacts, RegisterSpan, scaled_milli, span_usage_milli

BOUNDARY_TOLERANCE = timedelta(hours=1)
EXCHANGE_TOLERANCE = timedelta(days=1)
# A register that may be false, or whose date may be, bills nothing until a person confirmed or replaced it.
HELD = Quality.SUSPECT | Quality.BACKWARDS | Quality.JUMP | Quality.CLOCK_BOUNDED


class MissingKind(StrEnum):
    """Why a usage is not known."""

    NO_READING = "no_reading"
    HELD_READING = "held_reading"
    BACKWARDS = "backwards"


class SegmentKind(StrEnum):
    """How a usage came to be known."""

    MEASURED = "measured"
    ESTIMATED = "estimated"
    ROLLOVER = "rollover"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRef:
    """A register value and where it is kept, so that it can be traced to its signed batch.

    `value_milli` is before the multiplier. `block_day` and `block_rev` name the block that holds it;
    `revision` is set instead when a corrected or hand-read value stands over the block.
    """

    meter_id: MeterId
    quantity: Quantity
    read_at: datetime
    value_milli: int
    quality: Quality
    block_day: date | None = None
    block_rev: int | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSegment:
    """What one meter counted over a span of civil days, in milli-units after the multiplier."""

    meter_id: MeterId
    period: Period
    from_register: RegisterRef
    to_register: RegisterRef
    quantity_milli: int
    kind: SegmentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingUsage:
    """A usage that is not known, and the instant whose register is at fault: a midnight unless `moment` says other."""

    meter_id: MeterId
    period: Period
    kind: MissingKind
    day: date
    moment: time = time()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days during which one meter counted for one place, with the facts that turn registers into usage.

    `digits` is the count of whole digits of the register. `starts_installed` says that the span begins on the day the
    meter was installed, `ends_removed` that it ends on the day it was removed: there the first or last reading of
    that day stands for the midnight. `rollovers` are the days on which the register was confirmed to have
    passed its highest value.
    """

    meter_id: MeterId
    quantity: Quantity
    period: Period
    multiplier_milli: int
    digits: int
    starts_installed: bool = False
    ends_removed: bool = False
    rollovers: tuple[date, ...] = ()

    @property
    def facts(self) -> MeterFacts:
        """Return what turns registers of the span into usage."""
        return MeterFacts(multiplier_milli=self.multiplier_milli, digits=self.digits)


def register_at(midnight: datetime, candidates: Iterable[RegisterRef]) -> RegisterRef | None:
    """Return the reading that stands for a midnight: the nearest within an hour, the later one of two equally near."""
    near = [ref for ref in candidates if abs(ref.read_at - midnight) <= BOUNDARY_TOLERANCE]
    return min(near, key=lambda ref: (abs(ref.read_at - midnight), midnight - ref.read_at), default=None)


def register_on_installing(midnight: datetime, candidates: Iterable[RegisterRef]) -> RegisterRef | None:
    """Return the first reading of the day on which a meter was installed."""
    after = [ref for ref in candidates if midnight <= ref.read_at <= midnight + EXCHANGE_TOLERANCE]
    return min(after, key=lambda ref: ref.read_at, default=None)


def register_on_removing(midnight: datetime, candidates: Iterable[RegisterRef]) -> RegisterRef | None:
    """Return the last reading of a meter that was removed on the day that begins at the midnight."""
    near = [ref for ref in candidates if abs(ref.read_at - midnight) <= EXCHANGE_TOLERANCE]
    return max(near, key=lambda ref: ref.read_at, default=None)


def usage_between(
    span: Span, from_register: RegisterRef | None, to_register: RegisterRef | None
) -> UsageSegment | MissingUsage:
    """Return what a meter counted over a span, or why that is not known.

    A register that went backwards is a usage only when a rollover was confirmed inside the span.
    """
    if from_register is None:
        return _missing(span, MissingKind.NO_READING, span.period.start)
    if to_register is None:
        return _missing(span, MissingKind.NO_READING, span.period.end)
    for register, day in ((from_register, span.period.start), (to_register, span.period.end)):
        if register.quality & HELD:
            return _missing(span, MissingKind.HELD_READING, day)
    turns = sum(1 for day in span.rollovers if day in span.period)
    counted = span_usage_milli(
        RegisterSpan(
            facts=span.facts,
            start_milli=from_register.value_milli,
            end_milli=to_register.value_milli,
            rollovers=turns,
        )
    )
    if counted is None:
        return _missing(span, MissingKind.BACKWARDS, span.period.end)
    return UsageSegment(
        meter_id=span.meter_id,
        period=span.period,
        from_register=from_register,
        to_register=to_register,
        quantity_milli=counted,
        kind=_kind(turns, from_register.quality | to_register.quality),
    )


def scaled(register_milli: int, span: Span) -> int:
    """Return a register after the multiplier; scaled before subtracting, so that segments add up exactly."""
    return scaled_milli(register_milli, span.facts)


def _kind(turns: int, quality: Quality) -> SegmentKind:
    if quality & Quality.ESTIMATED:
        return SegmentKind.ESTIMATED
    return SegmentKind.ROLLOVER if turns else SegmentKind.MEASURED


def _missing(span: Span, kind: MissingKind, day: date) -> MissingUsage:
    return MissingUsage(meter_id=span.meter_id, period=span.period, kind=kind, day=day)
