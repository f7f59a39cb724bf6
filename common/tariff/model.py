"""The values a tariff is made of once its document has been read. Data only; nothing here prices anything.

A tariff has plans, of which a condition picks one; a plan has charges over quantities, each with prices, or it has the
rules of a session, a late charge or a share. Adjustments follow in the order written, then the rounding plan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum
from fractions import Fraction

from common.civil import Period
from common.measure.quantity import Unit
from common.money.amount import Currency
from common.money.rounding import RoundingMode
from common.tariff.formula import Formula
from common.tariff.steps import Boundary, TierMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A label in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the rule was published, and when; or why no day is known."""

    title: str
    day: date | None
    undated: str = ""


class FactScale(StrEnum):
    """The integer scale in which a fact arrives; the key of the fact ends with the scale, `area_milli`."""

    COUNT = "count"
    MILLI = "milli"
    MICRO = "micro"
    FEN = "fen"

    @property
    def denominator(self) -> int:
        """Return how many units of the scale make one."""
        return {FactScale.COUNT: 1, FactScale.MILLI: 1_000, FactScale.MICRO: 1_000_000, FactScale.FEN: 100}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A typed variable that premises, meter or contract supply; without a default its absence refuses the line."""

    name: str
    scale: FactScale
    default: Fraction | None = None

    @property
    def key(self) -> str:
        """Return the key under which a request carries the fact."""
        return self.name if self.scale is FactScale.COUNT else f"{self.name}_{self.scale}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """A named choice such as a household class; without a default its absence refuses the line."""

    name: str
    choices: tuple[str, ...]
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A numeric condition: `low <= value <= high`, either side open when None."""

    low: Fraction | None
    high: Fraction | None

    def __contains__(self, value: Fraction) -> bool:
        """Return whether the value lies in the range, both ends included."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """All of these must hold; an empty condition always does.

    `start_months` is the civil month in which the period starts (the usage month), `end_months` the month of its end
    date (the reading month of a half-open period).
    """

    start_months: frozenset[int] = frozenset()
    end_months: frozenset[int] = frozenset()
    traits: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)

    @property
    def always(self) -> bool:
        """Return whether nothing is asked."""
        return not (self.start_months or self.end_months or self.traits or self.ranges)


class Proration(StrEnum):
    """How a part of a month counts for a price per month."""

    ACTUAL_DAYS = "actual_days"
    THIRTY_DAYS = "thirty_days"
    STARTED_MONTHS = "started_months"
    WHOLE_MONTHS = "whole_months"
    NONE = "none"


class Per(StrEnum):
    """The time for which a price stands; `ONCE` means the period does not matter."""

    ONCE = "once"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class WindowOrder(StrEnum):
    """How usage by time window meets tiers over the total.

    `PROPORTIONAL` gives each window its share of every tier, `IN_ORDER` fills the tiers window by window as listed,
    `SEPARATE` counts each window against tiers of its own.
    """

    PROPORTIONAL = "proportional"
    IN_ORDER = "in_order"
    SEPARATE = "separate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplift:
    """More allowance for large households: `once` from a head count on, or for each person above a head count."""

    persons_from: int
    once: Fraction
    each: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """Upper bounds in units (the last tier is open unless `closed`), before uplift and scale."""

    bounds: tuple[Formula, ...]
    mode: TierMode = TierMode.GRADUATED
    boundary: Boundary = Boundary.LOWER
    uplift: Uplift | None = None
    scale: Formula | None = None
    closed: bool = False
    windows: WindowOrder = WindowOrder.PROPORTIONAL

    @property
    def count(self) -> int:
        """Return the count of tiers."""
        return len(self.bounds) + (not self.closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices in major units: one, or one a tier; flats are amounts for each tier reached."""

    by_tier: tuple[Formula, ...]
    flats: tuple[Formula, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Which prices hold: the one entry of `ANY`, or one entry a time window or a value of a trait."""

    ANY = ""

    entries: Mapping[str, Prices]
    trait: str = ""
    windowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One component of a tariff: a quantity times a price of the table, or an amount worked out by a formula."""

    key: str
    label: Words
    per: Per
    condition: Condition
    quantity: Formula
    tiers: Tiers | None
    pricing: PriceTable | Formula


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpan:
    """A span of the day `[start, end)` that may wrap past midnight; equal ends mean the whole day."""

    start: time
    end: time

    def __contains__(self, moment: time) -> bool:
        """Return whether the time of day lies in the span."""
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


class DayKind(StrEnum):
    """What a day is in the official calendar; a working Sunday is a workday."""

    WORKDAY = "workday"
    DAY_OFF = "day_off"
    STATUTORY = "statutory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The days on which a rule holds; an empty set of a kind asks nothing."""

    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    kinds: frozenset[DayKind] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A named time window; of several that hold, the first listed wins.

    `register` is the number of the rate register (T1 to T4) in which a meter by time of use counts it, None when no
    register does.
    """

    name: str
    label: Words
    spans: tuple[TimeSpan, ...]
    days: Days
    register: int | None = None

    def is_open(self, months: Collection[int]) -> bool:
        """Return whether the window holds in one of some civil months."""
        return not self.days.months or not self.days.months.isdisjoint(months)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accumulation:
    """The days of the year at which the running total starts anew; none means each bill stands alone."""

    starts: tuple[tuple[int, int], ...] = ()

    def span_of(self, day: date) -> Period | None:
        """Return the accumulation span that holds the day, or None when each bill stands alone."""
        if not self.starts:
            return None
        years = (day.year - 1, day.year, day.year + 1)
        marks = [date(year, month, first) for year in years for month, first in self.starts]
        index = max(i for i, mark in enumerate(marks) if mark <= day)
        return Period(marks[index], marks[index + 1])


class AdjustmentKind(StrEnum):
    """What an adjustment does to the amount before it."""

    DISCOUNT = "discount"
    SURCHARGE = "surcharge"
    REBATE = "rebate"
    MINIMUM = "minimum"
    CAP = "cap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """A step after pricing; `value` is a rate for discount and surcharge, an amount in major units for the others."""

    kind: AdjustmentKind
    key: str
    label: Words
    value: Formula
    per: Per
    on: frozenset[str]
    condition: Condition


class RoundingStage(StrEnum):
    """What is rounded, in the order in which stages can follow each other."""

    COMPONENT = "component"
    CHARGE = "charge"
    MONTH = "month"
    LINE = "line"
    BILL = "bill"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundingStep:
    """Round the amounts of a stage to a grid in minor units."""

    stage: RoundingStage
    grid: int
    mode: RoundingMode


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeUnits:
    """Only whole units are billed and the fraction is carried on; `size` in milli-units."""

    size_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What every tariff says of itself."""

    code: str
    name: Words
    currency: Currency
    unit: Unit | None
    source: Source | None
    effective_from: date | None
