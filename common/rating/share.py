"""Sharing a pool: weigh the premises by a tariff's rule, split the priced pool by largest remainder, rate each part.

The pool is priced and rounded once, then split, so the parts always sum to it. A premises whose weight cannot be
worked out stops the split and is named: leaving it out would make the others pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import lcm

from common.errors import RefusalError
from common.money.split import split_by_weight
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import RatingRequest, Share
from common.rating.variables import Variables
from common.tariff.compile import CompiledTariff


class UnweighedError(RefusalError):
    """Premises whose share cannot be worked out, each with the reason."""

    def __init__(self, reasons: Mapping[str, RatingRefusedError]) -> None:
        self.reasons = dict(reasons)
        super().__init__("; ".join(f"{key}: {reason}" for key, reason in sorted(reasons.items())))


def apportion(pool_fen: int, weights: Mapping[str, Fraction | int]) -> dict[str, int]:
    """Return the parts of a pool by largest remainder, ties to the smaller key; they sum to the pool.

    Raises:
        RefusalError: there is no weight, a weight is negative, or all are zero.
    """
    exact = {key: Fraction(weight) for key, weight in weights.items()}
    scale = lcm(*(weight.denominator for weight in exact.values()))
    return split_by_weight(pool_fen, {key: int(weight * scale) for key, weight in exact.items()})


def weigh(tariff: CompiledTariff, requests: Mapping[str, RatingRequest]) -> dict[str, Fraction]:
    """Return the weights of the premises that share; those the rule excludes are left out.

    Raises:
        UnweighedError: some weights cannot be worked out; all of them are named.
        RatingRefusedError: the tariff says nothing about sharing.
    """
    rule = tariff.document.share
    if rule is None:
        raise RatingRefusedError(RefusalKind.NO_PLAN, f"{tariff.code} is not shared")
    weights: dict[str, Fraction] = {}
    reasons: dict[str, RatingRefusedError] = {}
    for key, request in requests.items():
        variables = Variables(tariff.document, request, request.quantity_milli)
        try:
            if variables.holds(rule.condition):
                weights[key] = variables.evaluate(rule.weight)
        except RatingRefusedError as reason:
            reasons[key] = reason
    if reasons:
        raise UnweighedError(reasons)
    return weights


def split_pool(pool_fen: int, weights: Mapping[str, Fraction]) -> dict[str, Share]:
    """Return each premises' share of a pool, ready to be rated.

    Raises:
        RefusalError: there is no weight, a weight is negative, or all are zero.
    """
    parts = apportion(pool_fen, weights)
    total = sum(weights.values(), Fraction(0))
    return {
        key: Share(pool_fen=pool_fen, part_fen=parts[key], weight=weight, weights=total, sharers=len(weights))
        for key, weight in weights.items()
    }
