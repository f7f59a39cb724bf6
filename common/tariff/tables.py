"""From the tiers and prices of a charge to its step table: once at compile time, or per request where values decide.

Both ways go through the same function, so a tariff with constants and one with facts price alike.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from common.errors import RefusalError
from common.tariff.formula import Lookup
from common.tariff.model import Prices, Tiers
from common.tariff.steps import Exact, StepTable, TierMode, build_table

MILLI = 1_000
MICRO = 1_000_000


class BadTableError(RefusalError):
    """Bounds or prices worked out from facts that make no tiers."""


def is_constant(tiers: Tiers | None, prices: Prices) -> bool:
    """Return whether the table can be built once, without a request."""
    formulas = [*prices.by_tier, *prices.flats, *(tiers.bounds if tiers is not None else ())]
    if tiers is not None and (tiers.uplift is not None or tiers.scale is not None):
        return False
    return all(formula.constant is not None for formula in formulas)


def make_table(tiers: Tiers | None, prices: Prices, lookup: Lookup) -> StepTable:
    """Return the step table of a price entry.

    Raises:
        BadTableError: bounds or prices worked out from facts make no tiers.
        FormulaError: a formula cannot be worked out.
    """
    micro = tuple(as_exact(formula.evaluate(lookup) * MICRO) for formula in prices.by_tier)
    flats = tuple(as_exact(formula.evaluate(lookup) * MICRO) for formula in prices.flats)
    if min((*micro, *flats)) < 0:
        raise BadTableError("a price worked out from facts is negative; check the facts")
    if tiers is None:
        return build_table(mode=TierMode.GRADUATED, upper_bounds=(), prices=micro, flats=flats)
    bounds = _bounds(tiers, lookup)
    if any(low >= high for low, high in pairwise((0, *bounds))):
        raise BadTableError("tier bounds worked out from facts do not rise; check the facts")
    by_tier = micro if len(micro) > 1 else micro * tiers.count
    return build_table(mode=tiers.mode, upper_bounds=bounds, prices=by_tier, flats=flats, boundary=tiers.boundary)


def _bounds(tiers: Tiers, lookup: Lookup) -> tuple[Exact, ...]:
    extra = Fraction(0)
    if tiers.uplift is not None:
        above = lookup("persons") - tiers.uplift.persons_from + 1
        if above > 0:
            extra = tiers.uplift.once + tiers.uplift.each * above
    scale = tiers.scale.evaluate(lookup) if tiers.scale is not None else Fraction(1)
    return tuple(as_exact((bound.evaluate(lookup) + extra) * scale * MILLI) for bound in tiers.bounds)


def as_exact(value: Fraction) -> Exact:
    """Return a whole fraction as an int, which is faster and prints plainly; others stay fractions."""
    return value.numerator if value.denominator == 1 else value
