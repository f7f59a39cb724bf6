"""The rounding plan of a tariff: each stage at its place, in the order written, and nothing rounded elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

from common.money.rounding import divide
from common.rating.line import Component
from common.tariff.model import RoundingStage, RoundingStep

Plan = Sequence[RoundingStep]


def step_of(plan: Plan, stage: RoundingStage) -> RoundingStep | None:
    """Return the step of a stage, None when the plan leaves the stage exact."""
    return next((step for step in plan if step.stage is stage), None)


def round_amount(step: RoundingStep, amount: Fraction) -> int:
    """Return an exact amount in minor units on the grid of a step."""
    return divide(amount.numerator, amount.denominator * step.grid, step.mode) * step.grid


def round_months(plan: Plan, amounts: Iterable[Fraction]) -> list[Fraction]:
    """Return the amounts of single months, each rounded when the plan rounds months."""
    step = step_of(plan, RoundingStage.MONTH)
    return [Fraction(round_amount(step, amount)) if step is not None else amount for amount in amounts]


def round_components(plan: Plan, components: Sequence[Component]) -> list[Component]:
    """Return the components, each rounded when the plan rounds components, and then charge by charge.

    A charge that is rounded as a whole has the difference put on the last of its components.
    """
    rounded = list(components)
    single = step_of(plan, RoundingStage.COMPONENT)
    if single is not None:
        rounded = [replace(item, amount=Fraction(round_amount(single, item.amount))) for item in rounded]
    charge = step_of(plan, RoundingStage.CHARGE)
    return rounded if charge is None else _round_charges(charge, rounded)


def _round_charges(step: RoundingStep, components: list[Component]) -> list[Component]:
    totals: dict[str, Fraction] = {}
    last: dict[str, int] = {}
    for index, item in enumerate(components):
        totals[item.charge] = totals.get(item.charge, Fraction(0)) + item.amount
        last[item.charge] = index
    for charge, total in totals.items():
        item = components[last[charge]]
        components[last[charge]] = replace(item, amount=item.amount + round_amount(step, total) - total)
    return components


def round_bill(plan: Plan, total_fen: int) -> int:
    """Return what rounding at the level of the bill adds to a total, to be written as a line of its own."""
    step = step_of(plan, RoundingStage.BILL)
    return round_amount(step, Fraction(total_fen)) - total_fen if step is not None else 0
