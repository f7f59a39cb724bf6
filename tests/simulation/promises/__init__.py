"""The comparison behind `make demo-check`: one row for each promise of the house and for each claim of the story.

The auditor reads what the story left behind (database, gateway stores, the devices' logs, the channel's own book) and
knows nothing of the code that wrote it: no module of the product is imported here. Nothing is written.
"""

from __future__ import annotations

from tests.simulation.promises import chains, companies, documents, money, prices, registers, signatures, site
from tests.simulation.promises.stores import Comparison, Row, Stores, json_lines, looking

COMPARISONS: tuple[Comparison, ...] = (
    chains.LINES_EXPLAINED,
    chains.PAYMENTS_EXPLAINED,
    registers.NOTHING_LOST,
    prices.ONE_PRICE,
    documents.IMMUTABLE,
    prices.NEVER_ZERO,
    site.WORKS_ALONE,
    companies.COMPANIES_APART,
    money.NOT_POOLED,
    site.NOBODY_LOCKED_OUT,
    signatures.ANYONE_CAN_CHECK,
    money.RECONCILED,
    documents.CORRECTED,
    site.GATE_WHILE_CUT,
    registers.REAL_WIRES,
)

__all__ = ["COMPARISONS", "Comparison", "Row", "Stores", "compare", "compare_one", "exchanges_over_wires"]


def compare(stores: Stores) -> list[Row]:
    """Return every row."""
    with looking(stores) as look:
        return [comparison.row(look) for comparison in COMPARISONS]


def compare_one(stores: Stores, key: str) -> Row:
    """Return one row, compared anew."""
    comparison = next(comparison for comparison in COMPARISONS if comparison.key == key)
    with looking(stores) as look:
        return comparison.row(look)


def exchanges_over_wires(stores: Stores) -> int:
    """Return how many exchanges the devices answered, counted in their own logs."""
    return sum(len(json_lines(path)) for path in (*stores.exchanges, stores.gate_log))
