"""Prices late charges: simple interest by days on each open debt, never on a late charge itself."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from common.rating.line import Component, ComponentKind
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import Debt
from common.rating.variables import Variables
from common.tariff.late_model import DayCount, GraceKind, LateRule
from common.tariff.model import Words
from common.tariff.plan import LATE_KEY

_THIRTY = 30
_LABEL = Words(zh="违约金", en="late charge")
_CAP_LABEL = Words(zh="违约金封顶", en="cap of the late charge")


def price_late(rule: LateRule, variables: Variables) -> list[Component]:
    """Return a component for each debt and rate; debts that are not late, or bear no charge, give none.

    Raises:
        RatingRefusedError: there are no debts or no day of payment, or a debt is negative.
    """
    request = variables.request
    if not request.debts or request.paid_on is None:
        raise RatingRefusedError(RefusalKind.NO_DEBTS, "a late charge needs the open debts and the day of payment")
    components: list[Component] = []
    for debt in request.debts:
        if debt.amount_fen < 0:
            raise RatingRefusedError(RefusalKind.NEGATIVE_AMOUNT, f"the debt {debt.key} is {debt.amount_fen} fen")
        if debt.kind not in rule.excluded:
            components.extend(_price_debt(rule, debt, request.paid_on, variables))
    return components


def _price_debt(rule: LateRule, debt: Debt, paid_on: date, variables: Variables) -> list[Component]:
    start, end = _late_span(rule, debt.due, paid_on)
    turn = date(debt.due.year + 1, 1, 1) if rule.rate_later is not None else end
    turn = min(max(turn, start), end)
    later = rule.rate_later or rule.rate
    spans = (("", start, turn, rule.rate), (":later", turn, end, later))
    components = [
        _component(debt, suffix, _days(rule, first, last), variables.evaluate(rate))
        for suffix, first, last, rate in spans
        if first < last
    ]
    if rule.cap_share is None:
        return components
    cap = debt.amount_fen * variables.evaluate(rule.cap_share)
    excess = sum((item.amount for item in components), Fraction(0)) - cap
    if excess <= 0:
        return components
    return [
        *components,
        Component(
            kind=ComponentKind.CAP,
            key=f"{LATE_KEY}:{debt.key}:cap",
            charge=LATE_KEY,
            label=_CAP_LABEL,
            amount=-excess,
            labels={"cap": str(cap), "debt": debt.key},
        ),
    ]


def _late_span(rule: LateRule, due: date, paid_on: date) -> tuple[date, date]:
    """Return the half-open span of days that are charged; empty (start at its end) when the debt is not late."""
    start = due if rule.count_due_day else due + timedelta(days=1)
    end = paid_on + timedelta(days=1) if rule.count_paid_day else paid_on
    if (end - start).days <= rule.grace_days:
        return start, start
    if rule.grace is GraceKind.FORGIVING:
        start += timedelta(days=rule.grace_days)
    return start, end


def _days(rule: LateRule, start: date, end: date) -> int:
    if rule.day_count is DayCount.ACTUAL:
        return (end - start).days
    months = (end.year - start.year) * 12 + end.month - start.month
    return months * _THIRTY + min(end.day, _THIRTY) - min(start.day, _THIRTY)


def _component(debt: Debt, suffix: str, days: int, rate: Fraction) -> Component:
    return Component(
        kind=ComponentKind.LATE,
        key=f"{LATE_KEY}:{debt.key}{suffix}",
        charge=LATE_KEY,
        label=_LABEL,
        quantity=Fraction(days),
        unit="day",
        amount=debt.amount_fen * rate * days,
        labels={"principal_fen": str(debt.amount_fen), "rate": str(rate), "debt": debt.key, "due": str(debt.due)},
    )
