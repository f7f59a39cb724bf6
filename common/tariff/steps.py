"""The integer step table that every price over a quantity compiles to, and its one evaluator.

A table is a piecewise linear cost: `cost(x) = offset[i] + (x - bound[i]) * slope[i]` for the step i that holds x.
Graduated tiers, volume tiers, whole-band prices and flat amounts per reached tier all have this form. Bounds are
milli-units, slopes millionths of the major unit per unit, so a cost is an exact count of 10**-9 major units.
A bound or slope that a tariff works out per request may be a fraction; the arithmetic stays exact.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from common.errors import RefusalError, ensure
from common.money.amount import INT64_MAX

Exact: TypeAlias = int | Fraction
NANO_PER_MICRO = 1_000
NANO = 1_000_000_000


class TierMode(StrEnum):
    """How tiers turn a quantity into an amount."""

    GRADUATED = "graduated"
    VOLUME = "volume"
    BAND = "band"


class Boundary(StrEnum):
    """The tier to which a quantity exactly on a bound belongs."""

    LOWER = "lower"
    UPPER = "upper"


# Looking a member up on an enum costs more than the comparison; this is the innermost loop of rating.
_LOWER = Boundary.LOWER


class BeyondTableError(RefusalError):
    """A quantity above the last bound of a table that says nothing beyond it."""


class AmountTooLargeError(RefusalError):
    """An amount beyond 64 bits: refused, never wrapped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The part of a quantity that lies in one step."""

    step: int
    quantity: Exact
    slope: Exact
    cost: Exact


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTable:
    """Steps as parallel columns; `bounds` are the starts of the steps and begin with 0.

    `limit` is the last quantity priced, None when the last step is open. Invariant: the columns are of one length
    and the bounds rise.
    """

    bounds: tuple[Exact, ...]
    slopes: tuple[Exact, ...]
    offsets: tuple[Exact, ...]
    mode: TierMode = TierMode.GRADUATED
    limit: Exact | None = None
    boundary: Boundary = Boundary.LOWER

    def __post_init__(self) -> None:
        """Check the shape."""
        ensure(len(self.bounds) == len(self.slopes) == len(self.offsets) > 0, "the columns of a step table match")
        ensure(self.bounds[0] == 0, "a step table starts at zero")
        ensure(all(low < high for low, high in pairwise(self.bounds)), "step bounds rise")

    def step_of(self, x: Exact) -> int:
        """Return the index of the step that holds a quantity of at least zero."""
        if self.boundary is Boundary.UPPER:
            return bisect_right(self.bounds, x) - 1
        return max(bisect_left(self.bounds, x) - 1, 0)

    def cost(self, x: Exact) -> Exact:
        """Return the cost of the first x milli-units in 10**-9 major units.

        Raises:
            BeyondTableError: x lies above the table's limit.
            AmountTooLargeError: the cost does not fit 64 bits.
        """
        if self.limit is not None and x > self.limit:
            raise BeyondTableError(f"the tariff gives no price above {Fraction(self.limit, 1000)}")
        bounds = self.bounds
        step = bisect_left(bounds, x) - 1 if self.boundary is _LOWER else bisect_right(bounds, x) - 1
        if step < 0:
            return self.offsets[0]
        cost = self.offsets[step] + (x - bounds[step]) * self.slopes[step]
        if cost > INT64_MAX:
            raise AmountTooLargeError("the amount does not fit 64 bits; check the quantity and the price")
        return cost

    def between(self, prior: Exact, quantity: Exact) -> Exact:
        """Return the cost of a quantity that follows a prior one; equal to the sum over `slices`."""
        if not prior:
            return self.cost(quantity)
        bounds = self.bounds
        step = bisect_left(bounds, prior) - 1 if self.boundary is _LOWER else bisect_right(bounds, prior) - 1
        paid = self.offsets[step] + (prior - bounds[step]) * self.slopes[step]
        return self.cost(prior + quantity) - paid

    def slices(self, prior: Exact, quantity: Exact) -> Iterator[Slice]:
        """Return the steps that a quantity after a prior one touches, in order; a zero quantity touches one.

        The costs sum to `between(prior, quantity)`. Volume and band prices apply to the whole, so they are one slice.
        """
        ensure(prior >= 0 and quantity >= 0, "quantities of a step table are not negative")
        low, high = prior, prior + quantity
        step, last = self.step_of(low), self.step_of(high)
        whole = self.cost(high)
        paid = whole - self.between(low, quantity) if low else 0
        if self.mode is not TierMode.GRADUATED:
            step = last
        while step < last:
            end = self.bounds[step + 1]
            cost = self.offsets[step] + (end - self.bounds[step]) * self.slopes[step]
            if end > low:
                yield Slice(step=step, quantity=end - low, slope=self.slopes[step], cost=cost - paid)
            low, paid, step = end, cost, step + 1
        if high > low or quantity == 0:
            yield Slice(step=last, quantity=high - low, slope=self.slopes[last], cost=whole - paid)


def build_table(
    *,
    mode: TierMode,
    upper_bounds: Sequence[Exact],
    prices: Sequence[Exact],
    flats: Sequence[Exact] = (),
    boundary: Boundary = Boundary.LOWER,
) -> StepTable:
    """Return the table of tiers given by their upper bounds (milli) and prices (micro); flats are micro amounts.

    One price more than bounds leaves the last tier open; as many prices as bounds closes the table at the last bound.
    """
    closed = len(prices) == len(upper_bounds)
    ensure(closed or len(prices) == len(upper_bounds) + 1, "a tier table has a price for each tier")
    starts = (0, *upper_bounds[: len(prices) - 1])
    limit = upper_bounds[-1] if closed and upper_bounds else None
    flat_amounts = tuple(flats) or (0,) * len(prices)
    offsets = _offsets(mode, starts, prices, flat_amounts)
    slopes = tuple(prices) if mode is not TierMode.BAND else (0,) * len(prices)
    return StepTable(bounds=starts, slopes=slopes, offsets=offsets, mode=mode, limit=limit, boundary=boundary)


def _offsets(
    mode: TierMode, starts: Sequence[Exact], prices: Sequence[Exact], flats: Sequence[Exact]
) -> tuple[Exact, ...]:
    if mode is TierMode.BAND:
        return tuple(price * NANO_PER_MICRO for price in prices)
    if mode is TierMode.VOLUME:
        return tuple(
            start * price + flat * NANO_PER_MICRO for start, price, flat in zip(starts, prices, flats, strict=True)
        )
    offsets: list[Exact] = [flats[0] * NANO_PER_MICRO]
    for index in range(1, len(prices)):
        width = starts[index] - starts[index - 1]
        offsets.append(offsets[-1] + width * prices[index - 1] + flats[index] * NANO_PER_MICRO)
    return tuple(offsets)
