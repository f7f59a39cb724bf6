"""What a debt has come to in late charges by a day: simple interest, each part until the day it was settled. Pure.

A line is told by its movements. What is credited was never owed, whenever the credit came; what was settled bears
interest until its day; the rest until today. So the charge grows with days, stops at payment, and follows a payment
that is taken back. Nothing is ever charged on a late charge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from cloud.ledger.accounts import EARNED_AS, AccountType
from cloud.ledger.journals import LineMove
from common.civil import Period
from common.errors import ensure
from common.money.rounding import RoundingMode, divide
from common.rating.engine import rate
from common.rating.line import Component, RatedLine, spread_fen
from common.rating.request import Debt, RatingRequest
from common.tariff.compile import CompiledTariff

_DAY = timedelta(days=1)
_CHARGED = frozenset(EARNED_AS.values()) | {AccountType.OPENING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a debt and the day until which it bore interest: that of its payment, or today."""

    fen: int
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LateReckoning:
    """What one debt has come to, with the requests that rate it again."""

    line: RatedLine
    requests: tuple[RatingRequest, ...]
    input_shas: tuple[str, ...]


def parts_of(moves: Sequence[LineMove], through: date) -> tuple[Part, ...]:
    """Return the parts of a debt, those settled first; what is settled after a day is open on it."""
    principal_fen = sum(move.fen for move in moves if move.other in _CHARGED)
    settled: list[Part] = []
    for move in sorted((one for one in moves if one.other not in _CHARGED), key=lambda one: one.business_date):
        if move.fen > 0:
            settled = _taken_back(settled, move.fen)
        else:
            settled.append(Part(fen=-move.fen, until=move.business_date))
    # Only now: what is taken back later is the newest settlement, which may itself be of a later day.
    settled = [part for part in settled if part.until <= through]
    open_fen = principal_fen - sum(part.fen for part in settled)
    ensure(open_fen >= 0, "no line is settled above what was charged")
    return (*settled, *((Part(fen=open_fen, until=through),) if open_fen else ()))


def _taken_back(settled: Sequence[Part], fen: int) -> list[Part]:
    """Return what stays settled once an amount was taken back, the newest settlement first."""
    left = list(settled)
    while fen and left:
        last = left.pop()
        if last.fen > fen:
            left.append(replace(last, fen=last.fen - fen))
            return left
        fen -= last.fen
    return left


def reckon(tariff: CompiledTariff, key: str, kind: str, due: date, parts: Sequence[Part]) -> LateReckoning | None:
    """Return the late charge of a debt by its parts, rounded once half up, or None when it bears none.

    Raises:
        RatingRefusedError: the tariff prices no late charge.
    """
    requests: list[RatingRequest] = []
    lines: list[RatedLine] = []
    for n, part in enumerate(parts):
        if part.until <= due:
            continue
        request = RatingRequest(
            period=Period(due, part.until + _DAY),
            debts=(Debt(key=f"{key}:{n}", amount_fen=part.fen, due=due, kind=kind),),
            paid_on=part.until,
        )
        line = rate(tariff, request)
        if line.exact:
            requests.append(request)
            lines.append(line)
    if not lines:
        return None
    return LateReckoning(
        line=_together(lines, due),
        requests=tuple(requests),
        input_shas=tuple(line.input_sha for line in lines),
    )


def _together(lines: Sequence[RatedLine], due: date) -> RatedLine:
    exact = sum((line.exact for line in lines), Fraction(0))
    amount = divide(exact.numerator, exact.denominator, RoundingMode.HALF_UP)
    components = [component for line in lines for component in line.components]
    fens = spread_fen([component.amount for component in components], amount)
    last = max(line.period.end for line in lines)
    return replace(
        lines[0],
        period=Period(due, last),
        amount_fen=amount,
        exact=exact,
        components=tuple(_with(component, fen) for component, fen in zip(components, fens, strict=True)),
    )


def _with(component: Component, fen: int) -> Component:
    return replace(component, fen=fen)
