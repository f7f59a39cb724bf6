"""The adjustments after pricing, in the order in which the tariff lists them, on exact amounts.

Rounding comes after them, because a minimum or cap is stated on the exact sum. Each adjustment is a component of its
own with its own key, so a correction compares it like any other and never edits the components it acts on.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import assert_never

from common.rating.line import Component, ComponentKind
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.variables import Variables
from common.tariff.model import Adjustment, AdjustmentKind


def adjust_components(components: Sequence[Component], variables: Variables) -> list[Component]:
    """Return the components with every adjustment that holds; where nothing was charged late, nothing is adjusted.

    Raises:
        RatingRefusedError: an adjustment cannot be worked out.
    """
    finished = list(components)
    if not finished:
        return finished
    for adjustment in variables.document.adjustments:
        if variables.holds(adjustment.condition):
            step = _adjust(adjustment, finished, variables)
            if step is not None:
                finished.append(step)
    return finished


def _adjust(adjustment: Adjustment, components: Sequence[Component], variables: Variables) -> Component | None:
    base = sum((item.amount for item in components if not adjustment.on or item.charge in adjustment.on), Fraction(0))
    value = variables.evaluate(adjustment.value)
    if value < 0:
        raise RatingRefusedError(RefusalKind.NEGATIVE_AMOUNT, f"{adjustment.key}: {adjustment.value.text} is negative")
    change = _change(adjustment, base, value, variables)
    if change == 0:
        return None
    return Component(
        kind=ComponentKind(adjustment.kind),
        key=adjustment.key,
        charge=adjustment.key,
        label=adjustment.label,
        amount=change,
        labels={"value": str(value), "base": str(base)},
    )


def _change(adjustment: Adjustment, base: Fraction, value: Fraction, variables: Variables) -> Fraction:
    times = sum(variables.time_shares(adjustment.per), Fraction(0))
    amount = value * times * variables.minor_per_major
    match adjustment.kind:
        case AdjustmentKind.DISCOUNT:
            return -base * min(value, Fraction(1))
        case AdjustmentKind.SURCHARGE:
            return base * value
        case AdjustmentKind.REBATE:
            return -min(amount, max(base, Fraction(0)))
        case AdjustmentKind.MINIMUM:
            return max(amount - base, Fraction(0))
        case AdjustmentKind.CAP:
            return min(amount - base, Fraction(0))
        case unknown:
            assert_never(unknown)
