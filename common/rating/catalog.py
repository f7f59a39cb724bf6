"""Which pricer prices which rule. A new shape of price is one file in `pricers` and one line here."""

from __future__ import annotations

from typing import assert_never

from common.rating.line import Component
from common.rating.pricers.charges import price_charges
from common.rating.pricers.late import price_late
from common.rating.pricers.session import price_session
from common.rating.pricers.share import price_share
from common.rating.variables import Variables
from common.tariff.compile import CompiledPlan
from common.tariff.late_model import LateRule
from common.tariff.session_model import SessionRule


def price_rule(plan: CompiledPlan, variables: Variables) -> list[Component]:
    """Return the exact components of a plan.

    Raises:
        RatingRefusedError: something the rule needs is missing, contradictory or out of range.
    """
    if variables.request.share is not None:
        return price_share(variables.document, variables.request.share)
    match plan.plan.rule:
        case SessionRule() as rule:
            return price_session(rule, variables)
        case LateRule() as rule:
            return price_late(rule, variables)
        case tuple():
            return price_charges(plan, variables)
        case unknown:
            assert_never(unknown)
