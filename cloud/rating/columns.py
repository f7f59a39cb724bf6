"""The step tables of a tariff over whole columns: the same figures as `common.rating`, many rows at a time.

Only what a compiled table says is evaluated here, so there is no second set of rules; a tariff that needs more than
its tables (conditions, windows, adjustments, rounding before the line) is not taken, and its rows are rated one by
one. A column whose figures could leave 64 bits is worked out in Python's integers, which refuse instead of wrapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from common.errors import ensure
from common.money.amount import INT64_MAX
from common.money.rounding import RoundingMode, divide
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.tariff.compile import CompiledCharge, CompiledPlan, CompiledTariff
from common.tariff.formula import Name
from common.tariff.model import Per, PriceTable, RoundingStage
from common.tariff.steps import NANO, BeyondTableError, Boundary, StepTable, TierMode

Column: TypeAlias = npt.NDArray[np.int64]
# Rows worked on at a time: few enough that every intermediate column stays in the cache of one core.
CHUNK_ROWS = 8_192
NO_PRICE = -1
WINDOW_PREFIX = "usage_"


class ColumnTable:
    """One step table over columns of milli-units; costs are exact counts of 10**-9 major units."""

    def __init__(self, table: StepTable) -> None:
        columns = (table.bounds, table.slopes, table.offsets)
        ensure(all(isinstance(item, int) for column in columns for item in column), "a column table is of integers")
        self.table = table
        self._bounds, self._slopes, self._offsets = (np.array(column, dtype=np.int64) for column in columns)
        self._continuous = table.mode is TierMode.GRADUATED and _is_continuous(table)

    def most(self, x: int) -> int:
        """Return a figure that nothing worked out for quantities up to x passes."""
        return max(int(item) for item in self.table.offsets) + 2 * x * max(int(item) for item in self.table.slopes)

    def between(self, prior: Column, quantity: Column) -> Column:
        """Return the cost of each quantity after its prior one; the caller has checked limits and size."""
        return self._overlaps(prior, quantity) if self._continuous else self._differences(prior, quantity)

    def _overlaps(self, prior: Column, quantity: Column) -> Column:
        """Add up, step by step, the part of each quantity above a bound times the rise of the slope there."""
        total = prior + quantity
        cost: Column = quantity * self._slopes[0]
        for bound, rise in zip(self._bounds[1:], np.diff(self._slopes), strict=True):
            above = total - bound
            np.maximum(above, 0, out=above)
            np.minimum(above, quantity, out=above)
            above *= rise
            cost += above
        return cost

    def _differences(self, prior: Column, quantity: Column) -> Column:
        return self._running(prior + quantity) - np.where(prior > 0, self._running(prior), 0)

    def _running(self, x: Column) -> Column:
        step = self._steps(x)
        cost: Column = self._offsets[step] + (x - self._bounds[step]) * self._slopes[step]
        return cost

    def single(self, prior: Column, quantity: Column) -> tuple[npt.NDArray[np.bool_], Column]:
        """Return which rows touch one step only, and the slope of the last step that each touches."""
        high = prior + quantity
        first, last = self._steps(prior), self._steps(high)
        following = self._bounds[np.minimum(first + 1, len(self._bounds) - 1)]
        first = first + ((first < last) & (following == prior))
        one_piece = self.table.mode is not TierMode.GRADUATED
        return (first == last) | one_piece, self._slopes[last]

    def _steps(self, x: Column) -> npt.NDArray[np.intp]:
        if self.table.boundary is Boundary.UPPER:
            return np.searchsorted(self._bounds, x, side="right") - 1
        return np.maximum(np.searchsorted(self._bounds, x, side="left") - 1, 0)


def _is_continuous(table: StepTable) -> bool:
    steps = list(zip(table.bounds, table.slopes, table.offsets, strict=True))
    joined = all(offset + (high - low) * slope == after for (low, slope, offset), (high, _, after) in pairwise(steps))
    return joined and table.offsets[0] == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _ColumnCharge:
    """A charge as a table, the column it stands on, and what its cost is multiplied by."""

    table: ColumnTable
    column: str
    tiered: bool
    factor: int


class ColumnTariff:
    """A tariff whose lines are the sum of its tables, rounded once."""

    def __init__(self, tariff: CompiledTariff, plan: CompiledPlan, months: Fraction = Fraction(1)) -> None:
        """Take one plan of a tariff for a period worth so many months.

        Raises:
            InvariantError: the tariff is not one that `takes` allows.
        """
        ensure(takes(tariff, plan), f"{tariff.code} is more than its tables")
        times = [months if compiled.charge.per is Per.MONTH else Fraction(1) for compiled in plan.charges]
        scale = lcm(*(share.denominator for share in times))
        self._charges = [
            part
            for compiled, share in zip(plan.charges, times, strict=True)
            for part in _column_charges(compiled, int(share * scale))
        ]
        (self._step,) = (step for step in tariff.document.rounding if step.stage is RoundingStage.LINE)
        self._divisor = scale * NANO * self._step.grid // tariff.currency.minor_per_major

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the columns that the charges stand on."""
        return frozenset(charge.column for charge in self._charges)

    def single_prices(self, columns: Mapping[str, Column], prior: Column) -> Column:
        """Return the price in millionths of each row whose explanation is one component, `NO_PRICE` for the others."""
        none = np.full(len(prior), NO_PRICE, dtype=np.int64)
        if len(self._charges) != 1:
            return none
        (charge,) = self._charges
        low = prior if charge.tiered else np.zeros_like(prior)
        single, prices = charge.table.single(low, columns[charge.column])
        return np.where(single, prices, none)

    def amounts(self, columns: Mapping[str, Column], prior: Column) -> Column:
        """Return the amount of each row in minor units, equal to what rating the rows one by one gives.

        `columns` holds milli-units by the name the charges use (`usage`, `area`, `usage_peak`); none may be negative.

        Raises:
            BeyondTableError: a row lies above what a table prices.
            AmountTooLargeError: an amount does not fit 64 bits.
        """
        used = {charge.column for charge in self._charges}
        most = max((int(columns[name].max(initial=0)) for name in used), default=0) + int(prior.max(initial=0))
        ensure(all(int(columns[name].min(initial=0)) >= 0 for name in used), "columns are not negative")
        for charge in self._charges:
            _check_limit(charge, columns[charge.column], prior)
        figures = sum(charge.table.most(most) * charge.factor for charge in self._charges)
        if most + figures + self._divisor > INT64_MAX // 2:
            return self._one_by_one(columns, prior)
        amounts = np.empty(len(prior), dtype=np.int64)
        for start in range(0, len(prior), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            costs = [self._costs(charge, columns, prior, rows) for charge in self._charges]
            amounts[rows] = self._round(np.sum(costs, axis=0) if len(costs) > 1 else costs[0])
        return amounts

    def _costs(self, charge: _ColumnCharge, columns: Mapping[str, Column], prior: Column, rows: slice) -> Column:
        quantity = columns[charge.column][rows]
        before = prior[rows] if charge.tiered else np.zeros_like(quantity)
        costs: Column = charge.table.between(before, quantity) * charge.factor
        return costs

    def _round(self, costs: Column) -> Column:
        """Return exact costs on the grid of the line; a line below zero is refused as one by one."""
        if costs.min(initial=0) < 0:
            raise RatingRefusedError(RefusalKind.NEGATIVE_AMOUNT, "a line comes to less than zero")
        whole: Column = costs // self._divisor
        rest = costs - whole * self._divisor
        match self._step.mode:
            case RoundingMode.HALF_UP:
                whole += rest >= self._divisor - rest
            case RoundingMode.HALF_EVEN:
                whole += (rest > self._divisor - rest) | ((rest == self._divisor - rest) & (whole % 2 == 1))
            case RoundingMode.UP:
                whole += rest > 0
            case RoundingMode.DOWN:
                pass
        return whole * self._step.grid

    def _one_by_one(self, columns: Mapping[str, Column], prior: Column) -> Column:
        rows = [
            self._amount({name: int(column[n]) for name, column in columns.items()}, int(prior[n]))
            for n in range(len(prior))
        ]
        return np.array(rows, dtype=np.int64)

    def _amount(self, row: Mapping[str, int], prior: int) -> int:
        total = 0
        for charge in self._charges:
            cost = charge.table.table.between(prior if charge.tiered else 0, row[charge.column])
            total += int(cost) * charge.factor
        if total < 0:
            raise RatingRefusedError(RefusalKind.NEGATIVE_AMOUNT, "a line comes to less than zero")
        return divide(total, self._divisor, self._step.mode) * self._step.grid


def takes(tariff: CompiledTariff, plan: CompiledPlan) -> bool:
    """Return whether a plan is nothing but tables over columns, so that columns can price it."""
    document = tariff.document
    plain = not (document.adjustments or document.free_allowance or document.whole_units or document.cheapest)
    stages = {step.stage for step in document.rounding} - {RoundingStage.BILL}
    return (
        plain
        and stages == {RoundingStage.LINE}
        and bool(plan.charges)
        and all(_takes_charge(compiled) for compiled in plan.charges)
    )


def _takes_charge(compiled: CompiledCharge) -> bool:
    charge = compiled.charge
    return (
        _takes_tables(compiled)
        and charge.condition.always
        and charge.per in {Per.ONCE, Per.MONTH}
        and isinstance(charge.quantity.tree, Name)
        and all(
            isinstance(item, int)
            for table in compiled.tables.values()
            for column in (table.bounds, table.slopes, table.offsets)
            for item in column
        )
    )


def _takes_tables(compiled: CompiledCharge) -> bool:
    """Return whether a charge is one constant table, or one for each window without tiers."""
    pricing = compiled.charge.pricing
    if not isinstance(pricing, PriceTable) or set(compiled.tables) != set(pricing.entries):
        return False
    if pricing.windowed:
        return compiled.charge.tiers is None and compiled.charge.quantity.text == "usage"
    return set(compiled.tables) == {PriceTable.ANY}


def _column_charges(compiled: CompiledCharge, factor: int) -> list[_ColumnCharge]:
    pricing = compiled.charge.pricing
    windowed = isinstance(pricing, PriceTable) and pricing.windowed
    return [
        _ColumnCharge(
            table=ColumnTable(table),
            column=f"{WINDOW_PREFIX}{name}" if windowed else compiled.charge.quantity.text,
            tiered=compiled.charge.tiers is not None,
            factor=factor,
        )
        for name, table in compiled.tables.items()
    ]


def _check_limit(charge: _ColumnCharge, quantity: Column, prior: Column) -> None:
    limit = charge.table.table.limit
    if limit is not None and bool((quantity > int(limit) - (prior if charge.tiered else 0)).any()):
        raise BeyondTableError(f"a row lies above {Fraction(limit) / 1000}, beyond which the tariff gives no price")
