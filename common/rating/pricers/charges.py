"""Prices charges: a quantity times a price, flat or in tiers, by window or class, for a time or once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from common.rating.line import Component, ComponentKind
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.rounding import round_months
from common.rating.variables import Variables
from common.tariff.compile import CompiledCharge, CompiledPlan
from common.tariff.formula import Formula, FormulaError
from common.tariff.model import Charge, Per, PriceTable, Tiers, WindowOrder
from common.tariff.steps import NANO, AmountTooLargeError, BeyondTableError, Exact, Slice, StepTable
from common.tariff.tables import BadTableError, as_exact, make_table

_MILLI = 1_000
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """A quantity to price with one entry of the price table, in milli-units, and what was counted before it.

    `share` is the part of every step that belongs to it, when several windows share the tiers of one total.
    None stands for all of it.
    """

    entry: str
    prior: Exact
    quantity: Exact
    share: Fraction | None = None


def price_charges(plan: CompiledPlan, variables: Variables) -> list[Component]:
    """Return the exact components of every charge whose condition holds.

    Raises:
        RatingRefusedError: something the prices need is missing, or an amount is negative.
    """
    components: list[Component] = []
    for compiled in plan.charges:
        if variables.holds(compiled.charge.condition):
            pricing = compiled.charge.pricing
            if isinstance(pricing, Formula):
                components.append(_worked_out(compiled.charge, pricing, variables))
            else:
                components.extend(_priced(compiled, pricing, variables))
    return components


def _worked_out(charge: Charge, amount: Formula, variables: Variables) -> Component:
    value = variables.evaluate(amount) * variables.minor_per_major
    if value < 0:
        raise RatingRefusedError(RefusalKind.NEGATIVE_AMOUNT, f"{charge.key}: {amount.text} is {value} minor units")
    total, labels = _over_time(charge, value, variables)
    return Component(
        kind=ComponentKind.AMOUNT, key=charge.key, charge=charge.key, label=charge.label, amount=total, labels=labels
    )


def _priced(compiled: CompiledCharge, pricing: PriceTable, variables: Variables) -> Iterator[Component]:
    charge = compiled.charge
    for stretch in _stretches(charge, pricing, variables):
        table = compiled.tables.get(stretch.entry) or _make_table(charge, pricing, stretch.entry, variables)
        try:
            slices = list(table.slices(stretch.prior, stretch.quantity))
        except AmountTooLargeError as error:
            raise RatingRefusedError(RefusalKind.TOO_LARGE, f"{charge.key}: {error}") from error
        except BeyondTableError as error:
            raise RatingRefusedError(RefusalKind.NO_PRICE, f"{charge.key}: {error}") from error
        for part in slices:
            yield _component(charge, stretch, part, variables)


def _make_table(charge: Charge, pricing: PriceTable, entry: str, variables: Variables) -> StepTable:
    try:
        return make_table(charge.tiers, pricing.entries[entry], variables)
    except (BadTableError, FormulaError) as error:
        raise RatingRefusedError(RefusalKind.FORMULA, f"{charge.key}: {error}") from error


def _stretches(charge: Charge, pricing: PriceTable, variables: Variables) -> list[_Stretch]:
    prior = _prior(charge.tiers, variables)
    if pricing.windowed:
        return _window_stretches(charge.tiers, prior, variables)
    entry = variables.trait(pricing.trait) if pricing.trait else PriceTable.ANY
    return [_Stretch(entry=entry, prior=prior, quantity=_quantity(charge, variables))]


def _quantity(charge: Charge, variables: Variables) -> Exact:
    if charge.quantity.text == "usage":
        return variables.usage
    quantity = variables.evaluate(charge.quantity) * _MILLI
    if quantity < 0:
        raise RatingRefusedError(RefusalKind.NEGATIVE_USAGE, f"{charge.key}: {charge.quantity.text} is below zero")
    return as_exact(quantity)


def _prior(tiers: Tiers | None, variables: Variables) -> int:
    """Return the usage counted before, after a check that the period stays within one accumulation."""
    if tiers is None:
        return 0
    request = variables.request
    span = variables.document.accumulation.span_of(request.period.start)
    if span is not None and request.period.end > span.end:
        detail = f"{request.period} crosses {span.end}, where the tiers start anew; rate the two sides apart"
        raise RatingRefusedError(RefusalKind.CROSSES_RESET, detail)
    return request.prior_milli


def _window_stretches(tiers: Tiers | None, prior: int, variables: Variables) -> list[_Stretch]:
    usage = _window_usage(variables)
    request = variables.request
    if tiers is None:
        return [_Stretch(entry=name, prior=0, quantity=quantity) for name, quantity in usage.items()]
    match tiers.windows:
        case WindowOrder.SEPARATE:
            before = request.prior_windows_milli
            return [_Stretch(entry=name, prior=before.get(name, 0), quantity=own) for name, own in usage.items()]
        case WindowOrder.IN_ORDER:
            return _in_order(usage, prior)
        case WindowOrder.PROPORTIONAL:
            total = sum(usage.values())
            shares = {name: Fraction(own, total) if total else Fraction(0) for name, own in usage.items()}
            return [
                _Stretch(entry=name, prior=prior, quantity=total, share=share)
                for name, share in shares.items()
                if share
            ]
        case unknown:
            assert_never(unknown)


def _in_order(usage: dict[str, int], prior: int) -> list[_Stretch]:
    stretches: list[_Stretch] = []
    for name, own in usage.items():
        stretches.append(_Stretch(entry=name, prior=prior, quantity=own))
        prior += own
    return stretches


def _window_usage(variables: Variables) -> dict[str, int]:
    """Return the usage by window in the order of the tariff; a window that the period needs must be there."""
    windows, written = variables.document.windows, variables.request.windows_milli
    names = list(dict.fromkeys(window.name for window in windows))
    for name in written:
        if name not in names:
            raise RatingRefusedError(RefusalKind.USAGE_MISMATCH, f"the tariff has no window {name}")
    months = {month.start.month for month in variables.months()}
    needed = {window.name for window in windows if window.is_open(months)}
    for name in names:
        if name in needed and name not in written:
            raise RatingRefusedError(RefusalKind.NO_USAGE, f"there is no usage in the window {name}")
    return {name: written[name] for name in names if name in written}


def _component(charge: Charge, stretch: _Stretch, part: Slice, variables: Variables) -> Component:
    base, quantity = Fraction(part.cost * variables.minor_per_major, NANO), Fraction(part.quantity, _MILLI)
    if stretch.share is not None:
        base, quantity = base * stretch.share, quantity * stretch.share
    amount, labels = _over_time(charge, base, variables)
    key = charge.key
    if stretch.entry:
        key, labels["entry"] = f"{key}:{stretch.entry}", stretch.entry
    if charge.tiers is not None:
        key, labels["tier"] = f"{key}:tier{part.step + 1}", str(part.step + 1)
    if charge.quantity.text != "usage":
        labels["basis"] = charge.quantity.text
    return Component(
        kind=ComponentKind.TIER if charge.tiers is not None else ComponentKind.UNIT,
        key=key,
        charge=charge.key,
        label=charge.label,
        quantity=quantity,
        unit=variables.unit if charge.quantity.names <= {"usage"} else "",
        price_micro=int(part.slope),
        amount=amount,
        labels=labels,
    )


def _over_time(charge: Charge, base: Fraction, variables: Variables) -> tuple[Fraction, dict[str, str]]:
    """Return the amount over the time of the price, rounded month by month where the plan says so."""
    if charge.per is Per.ONCE:
        return base, {}
    shares = variables.time_shares(charge.per)
    amounts = [base * share for share in shares]
    if charge.per is Per.MONTH:
        amounts = round_months(variables.document.rounding, amounts)
    return sum(amounts, Fraction(0)), {"per": str(charge.per), "times": str(sum(shares, Fraction(0)))}
