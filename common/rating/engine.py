"""The rating engine: one tariff, one request, one rated line with the trace that explains it.

The gateway and the cloud call the same function. The order is visible here and nowhere else:

    plan       the first plan whose condition holds (or the cheapest of all that hold, when the tariff says so)
    before     whole units, free allowance                                   `before`
    pricer     charges, a session or a late charge, exact                    `catalog`
    after      adjustments as listed, rounding of components and charges     `after`
    earlier    what visits before this one were charged on lines of their own
    line       the line is rounded once, and the minor units are spread over the components

Pure: no clock, no input or output, no float. Whatever is missing refuses the line; nothing missing is priced as zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from common.civil import Period
from common.errors import ensure
from common.money.amount import INT64_MAX
from common.rating.after import adjust_components
from common.rating.before import Usage, prepare_usage
from common.rating.catalog import price_rule
from common.rating.line import Component, ComponentKind, RatedLine, spread_fen, total_of
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import RatingRequest, SplitCause
from common.rating.rounding import round_amount, round_components
from common.rating.variables import Variables
from common.tariff.canonical import plain_sha
from common.tariff.compile import CompiledPlan, CompiledTariff
from common.tariff.model import RoundingStage, RoundingStep, Words

ENGINE_VERSION = 1
_FREE_LABEL = Words(zh="免费额度", en="free allowance")
_ROUNDING_LABEL = Words(zh="尾数取整", en="rounding")
_EARLIER_LABEL = Words(zh="此前停放已计费", en="charged for earlier visits")
EARLIER_KEY = "earlier_visits"
_MILLI = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Priced:
    """The exact outcome of one plan."""

    plan: CompiledPlan
    components: tuple[Component, ...]
    exact: Fraction
    carried_milli: int


def rate(tariff: CompiledTariff, request: RatingRequest) -> RatedLine:
    """Return the rated line of a request.

    Raises:
        RatingRefusedError: something the tariff needs is missing, contradictory or out of range.
    """
    return rate_parts([(tariff, request)])


def rate_parts(parts: Sequence[tuple[CompiledTariff, RatingRequest]]) -> RatedLine:
    """Return one line over parts that follow each other in time, such as two sides of a price change.

    Each part is priced exactly under its own revision; the line is rounded once, by the plan of the last one.

    Raises:
        RatingRefusedError: a part cannot be priced.
    """
    ensure(len(parts) > 0, "a line has a part")
    priced = [_price_part(tariff, request) for tariff, request in parts]
    components = [item for number, part in enumerate(priced, 1) for item in _placed(part.components, parts, number)]
    tariff, request = parts[-1]
    exact = sum((part.exact for part in priced[1:]), priced[0].exact)
    (step,) = (step for step in tariff.document.rounding if step.stage is RoundingStage.LINE)
    amount_fen, finished = _close(components, step)
    return RatedLine(
        tariff_code=tariff.code,
        body_sha=tariff.body_sha,
        plan=priced[-1].plan.plan.label,
        currency=tariff.currency,
        period=request.period if len(parts) == 1 else Period(parts[0][1].period.start, request.period.end),
        amount_fen=amount_fen,
        components=finished,
        input_sha=input_sha(parts),
        engine_version=ENGINE_VERSION,
        exact=exact,
        carried_milli=priced[-1].carried_milli,
    )


def input_sha(parts: Sequence[tuple[CompiledTariff, RatingRequest]]) -> str:
    """Return the hash of all that the line depends on: engine, tariff bodies and requests."""
    return plain_sha([ENGINE_VERSION, [[tariff.body_sha, request.to_plain()] for tariff, request in parts]])


def _price_part(tariff: CompiledTariff, request: RatingRequest) -> _Priced:
    priced = _price_all(tariff, request)
    session = request.session
    if session is None or not session.charged:
        return priced
    before = rate(tariff, replace(request, session=session.earlier)).amount_fen
    return _less_charged(priced, before)


def _less_charged(priced: _Priced, before_fen: int) -> _Priced:
    """Return the price of all visits less the line of the earlier ones; it never falls below zero."""
    credit = min(Fraction(before_fen), total_of(priced.components))
    if not credit:
        return priced
    charged = Component(
        kind=ComponentKind.REBATE, key=EARLIER_KEY, charge=EARLIER_KEY, label=_EARLIER_LABEL, amount=-credit
    )
    return replace(priced, components=(*priced.components, charged), exact=priced.exact - credit)


def _price_all(tariff: CompiledTariff, request: RatingRequest) -> _Priced:
    usage = prepare_usage(tariff.document, request)
    variables = Variables(tariff.document, request, usage.billed)
    plans = [plan for plan in tariff.plans if variables.holds(plan.plan.condition)]
    if not plans:
        raise RatingRefusedError(RefusalKind.NO_PLAN, f"{tariff.code} has no case for this request")
    if not tariff.document.cheapest:
        return _price_plan(plans[0], variables, usage)
    return min((_price_plan(plan, variables, usage) for plan in plans), key=lambda priced: priced.exact)


def _price_plan(plan: CompiledPlan, variables: Variables, usage: Usage) -> _Priced:
    components = [*_free(usage, variables), *price_rule(plan, variables)]
    adjusted = adjust_components(components, variables)
    exact = total_of(adjusted)
    if exact < 0:
        raise RatingRefusedError(RefusalKind.NEGATIVE_AMOUNT, f"the line comes to {exact} minor units")
    return _Priced(
        plan=plan,
        components=tuple(round_components(variables.document.rounding, adjusted)),
        exact=exact,
        carried_milli=usage.carried_milli,
    )


def _free(usage: Usage, variables: Variables) -> list[Component]:
    if not usage.free:
        return []
    quantity = Fraction(usage.free, _MILLI)
    return [
        Component(
            kind=ComponentKind.FREE,
            key="free_allowance",
            charge="free_allowance",
            label=_FREE_LABEL,
            quantity=quantity,
            unit=variables.unit,
            amount=Fraction(0),
        )
    ]


def _placed(
    components: Sequence[Component], parts: Sequence[tuple[CompiledTariff, RatingRequest]], number: int
) -> Sequence[Component]:
    """Return the components of a part with its place in the period; in a line of several parts the key names it too.

    A period that was not cut leaves them as they are.
    """
    request = parts[number - 1][1]
    if len(parts) == 1 and request.parts == 1:
        return components
    place = {"period": str(request.period)}
    if len(parts) == 1:
        place |= {"part": str(request.part), "parts": str(request.parts)}
    else:
        place |= {"part": str(number), "parts": str(len(parts))}
    if request.split is not None:
        place["cause"] = str(request.split.cause)
        if request.split.usage is not None:
            place["usage"] = str(request.split.usage)
    elif len({tariff.body_sha for tariff, _ in parts}) > 1:
        place["cause"] = str(SplitCause.PRICE)
    prefix = f"part{number}:" if len(parts) > 1 else ""
    return [replace(item, key=f"{prefix}{item.key}", labels={**item.labels, **place}) for item in components]


def _close(components: list[Component], step: RoundingStep) -> tuple[int, tuple[Component, ...]]:
    """Return the rounded line and its components with whole minor units; a coarse grid has a component of its own."""
    exact = total_of(components)
    amount_fen = round_amount(step, exact)
    if abs(amount_fen) > INT64_MAX:
        raise RatingRefusedError(RefusalKind.TOO_LARGE, f"{amount_fen} minor units do not fit 64 bits")
    if step.grid == 1:
        return amount_fen, _with_fen(components, amount_fen)
    fine = round_amount(replace(step, grid=1), exact)
    rounding = Component(
        kind=ComponentKind.ROUNDING,
        key="rounding",
        charge="rounding",
        label=_ROUNDING_LABEL,
        amount=Fraction(amount_fen - fine),
        fen=amount_fen - fine,
        labels={"grid": str(step.grid), "mode": str(step.mode)},
    )
    return amount_fen, (*_with_fen(components, fine), *((rounding,) if rounding.fen else ()))


def _with_fen(components: Sequence[Component], total: int) -> tuple[Component, ...]:
    whole = spread_fen([component.amount for component in components], total)
    return tuple(component.closed(fen) for component, fen in zip(components, whole, strict=True))
