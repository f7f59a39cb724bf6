"""`python -m tests.bench.rating`: how fast a tariff is compiled and rated, by value and by column.

Two ratios are gates, each measured against the tightest code for the same tariff in the same run: columns against a
plain numpy pass over the same columns (10 times at most), one value against a hand-written loop (3 times at most).
The absolute figures are reported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from time import process_time

import numpy as np

from cloud.rating.columns import Column, ColumnTariff
from common.money.rounding import RoundingMode, divide
from common.rating.engine import rate
from common.tariff.compile import CompiledTariff, compile_tariff
from common.tariff.document import parse_tariff
from tests.common.tariff import library
from tests.common.tariff.builders import graduated, tariff, usage

ROWS = 1_000_000
VALUES = 20_000
LINES = 1_000
REPEATS = 15
COLUMN_RATIO_MAX = 10
VALUE_RATIO_MAX = 3
NANO_PER_FEN = 10_000_000
BOUNDS = (2_880_000, 4_800_000)
PRICES = (488_300, 538_300, 788_300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure with its unit, and the gate it has to pass if it has one; what is `expected` of one core is no gate."""

    name: str
    value: Fraction
    unit: str
    most: int | None = None
    expected: str = ""

    @property
    def passed(self) -> bool:
        """Return whether the gate holds."""
        return self.most is None or self.value <= self.most


def fastest(*runs: Callable[[], object]) -> list[Fraction]:
    """Return the processor seconds of the fastest turn of each run; they take turns, so a busy machine slows all."""
    seconds: list[list[Fraction]] = [[] for _ in runs]
    for _ in range(REPEATS):
        for run, taken in zip(runs, seconds, strict=True):
            start = process_time()
            run()
            taken.append(Fraction(process_time() - start))
    return [min(taken) for taken in seconds]


def annual_tiers() -> CompiledTariff:
    """Return three annual tiers, the commonest tariff of all."""
    return graduated(["2880", "4800"], ["0.4883", "0.5383", "0.7883"])


def columns() -> tuple[Column, Column]:
    """Return a usage and a prior usage for each row, spread over all tiers."""
    source = np.random.default_rng(20_261_123)
    return source.integers(0, 600_000, ROWS), source.integers(0, 6_000_000, ROWS)


def plain_pass(quantity: Column, prior: Column) -> Column:
    """Price both columns at one price and round: the least any rating by column has to do."""
    total: Column = (prior + quantity) * PRICES[0]
    total -= prior * PRICES[0]
    total += NANO_PER_FEN // 2
    total //= NANO_PER_FEN
    return total


def tight_loop(rows: Sequence[tuple[int, int]]) -> list[int]:
    """Price rows with this one tariff written out by hand."""
    low, high = BOUNDS
    first, second, third = PRICES
    at_low, at_high = low * first, low * first + (high - low) * second

    def cost(x: int) -> int:
        if x <= low:
            return x * first
        if x <= high:
            return at_low + (x - low) * second
        return at_high + (x - high) * third

    return [(cost(prior + quantity) - cost(prior) + NANO_PER_FEN // 2) // NANO_PER_FEN for quantity, prior in rows]


def by_value(compiled: CompiledTariff, rows: Sequence[tuple[int, int]]) -> list[int]:
    """Price rows with the step table of any tariff."""
    between = compiled.plans[0].charges[0].tables[""].between
    mode = RoundingMode.HALF_UP
    return [divide(int(between(prior, quantity)), NANO_PER_FEN, mode) for quantity, prior in rows]


def household_bill() -> CompiledTariff:
    """Return a household's bill of six lines: three tiered, three at one price."""
    tiers = {"bounds": ["180", "260"]}
    priced = [{"key": f"t{n}", "prices": ["2.07", "4.07", "6.07"]} for n in range(3)]
    return tariff(tiers=tiers, charges=[*priced, *({"key": f"u{n}", "price": "1.36"} for n in range(3))])


def measure_columns() -> list[Measure]:
    """Measure rating by column against a plain pass over the same columns."""
    quantity, prior = columns()
    compiled, bill = annual_tiers(), household_bill()
    priced = ColumnTariff(compiled, compiled.plans[0])
    billed = ColumnTariff(bill, bill.plans[0])
    seconds, plain, bills = fastest(
        lambda: priced.amounts({"usage": quantity}, prior),
        lambda: plain_pass(quantity, prior),
        lambda: billed.amounts({"usage": quantity}, prior),
    )
    return [
        Measure(name="columns / plain numpy pass", value=seconds / plain, unit="x", most=COLUMN_RATIO_MAX),
        Measure(name="tier ratings by column", value=ROWS / seconds, unit="/s", expected=">= 5,000,000"),
        Measure(name="six-line bills by column", value=ROWS / bills, unit="/s", expected=">= 300,000"),
    ]


def measure_values() -> list[Measure]:
    """Measure rating by value against a hand-written loop, and whole lines with trace and hash."""
    quantity, prior = columns()
    rows = [(int(own), int(before)) for own, before in zip(quantity[:VALUES], prior[:VALUES], strict=True)]
    compiled = annual_tiers()
    requests = [usage(own, before) for own, before in rows[:LINES]]
    seconds, tight, lines = fastest(
        lambda: by_value(compiled, rows),
        lambda: tight_loop(rows),
        lambda: [rate(compiled, request) for request in requests],
    )
    return [
        Measure(name="by value / hand-written loop", value=seconds / tight, unit="x", most=VALUE_RATIO_MAX),
        Measure(name="lines by value", value=VALUES / seconds, unit="/s", expected=">= 300,000"),
        Measure(name="lines with trace and hash", value=LINES / lines, unit="/s"),
    ]


def measure_compiling() -> list[Measure]:
    """Measure compiling the largest tariff of the library."""
    largest = max(library.tariff_files(), key=lambda path: path.stat().st_size)
    loaded = library.load(largest)
    (seconds,) = fastest(lambda: compile_tariff(parse_tariff(loaded)))
    return [Measure(name=f"compiling {largest.stem}", value=seconds * 1_000, unit="ms", expected="< 5")]


def main() -> int:
    """Print every measure and return 0 when all gates hold."""
    measures = [*measure_columns(), *measure_values(), *measure_compiling()]
    for measure in measures:
        gate = "" if measure.most is None else f"  (at most {measure.most}: {'pass' if measure.passed else 'FAIL'})"
        expected = f"  (expected {measure.expected})" if measure.expected else ""
        figure = f"{float(measure.value):,.1f}"
        sys.stdout.write(f"{measure.name:32} {figure:>16} {measure.unit}{gate}{expected}\n")
    return 0 if all(measure.passed for measure in measures) else 1


if __name__ == "__main__":
    sys.exit(main())
