"""The steps before pricing, in order: what was metered -> whole units with the fraction carried -> free allowance.

Whole units come first, because the allowance is given on what is billed; a fraction carried is never also free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import RatingRequest
from common.rating.variables import Variables
from common.tariff.document import TariffDocument
from common.tariff.steps import Exact
from common.tariff.tables import as_exact

_MILLI = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The usage on its way to the price, in milli-units; `billed` is None when nothing was metered."""

    billed: Exact | None
    carried_milli: int = 0
    free: Exact = 0


def prepare_usage(document: TariffDocument, request: RatingRequest) -> Usage:
    """Return the usage after every step.

    Raises:
        RatingRefusedError: the usage is negative, or windows and total differ.
    """
    usage = Usage(billed=metered_total(request))
    for step in _STEPS:
        usage = step(usage, document, request)
    return usage


def metered_total(request: RatingRequest) -> int | None:
    """Return the total usage in milli-units, from the total or the windows; None when there is neither.

    Raises:
        RatingRefusedError: a usage is negative, or windows and total differ.
    """
    counted = [request.prior_milli, request.carried_milli, *request.prior_windows_milli.values()]
    total = sum(request.windows_milli.values()) if request.windows_milli else None
    for value in (request.quantity_milli, *request.windows_milli.values(), *counted):
        if value is not None and value < 0:
            raise RatingRefusedError(RefusalKind.NEGATIVE_USAGE, f"the usage {value} milli is below zero")
    if request.quantity_milli is None or total is None:
        return request.quantity_milli if total is None else total
    if total != request.quantity_milli:
        detail = f"windows of {total} milli do not make the total of {request.quantity_milli} milli"
        raise RatingRefusedError(RefusalKind.USAGE_MISMATCH, detail)
    return total


def _carry_fraction(usage: Usage, document: TariffDocument, request: RatingRequest) -> Usage:
    if document.whole_units is None or usage.billed is None:
        return usage
    units, left = divmod(int(usage.billed) + request.carried_milli, document.whole_units.size_milli)
    return replace(usage, billed=units * document.whole_units.size_milli, carried_milli=left)


def _give_allowance(usage: Usage, document: TariffDocument, request: RatingRequest) -> Usage:
    if document.free_allowance is None or usage.billed is None:
        return usage
    allowance = Variables(document, request, usage.billed).evaluate(document.free_allowance) * _MILLI
    free = as_exact(min(max(allowance, Fraction(0)), Fraction(usage.billed)))
    return replace(usage, billed=as_exact(Fraction(usage.billed - free)), free=free)


_STEPS: tuple[Callable[[Usage, TariffDocument, RatingRequest], Usage], ...] = (_carry_fraction, _give_allowance)
