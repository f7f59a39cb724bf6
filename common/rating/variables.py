"""The named values of one rating: what formulas, conditions and tiers may ask of a request.

Asking is lazy, so a line is refused only for what its own tariff needs. Nothing missing is ever taken as zero.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import assert_never

from common.civil import Period
from common.rating.proration import month_shares, months_of
from common.rating.refusal import RatingRefusedError, RefusalKind
from common.rating.request import RatingRequest
from common.tariff.document import TariffDocument
from common.tariff.formula import Formula, FormulaError
from common.tariff.model import Condition, Per
from common.tariff.steps import Exact

_MILLI = 1_000
_MONTHS_PER_YEAR = 12
_USAGE_PREFIX = "usage_"


class Variables:
    """Looks names up in a request, under the declarations of a tariff; `usage` is the billed total in milli-units."""

    def __init__(self, document: TariffDocument, request: RatingRequest, usage: Exact | None) -> None:
        self.document = document
        self.request = request
        self._usage = usage
        self._found: dict[str, Fraction] = {}

    @property
    def usage(self) -> Exact:
        """Return the billed usage in milli-units.

        Raises:
            RatingRefusedError: there is no reading.
        """
        if self._usage is None:
            raise RatingRefusedError(RefusalKind.NO_USAGE, f"there is no usage for {self.request.period}")
        return self._usage

    @property
    def minor_per_major(self) -> int:
        """Return how many minor units make one major unit of the tariff's currency."""
        return self.document.header.currency.minor_per_major

    @property
    def unit(self) -> str:
        """Return the unit of the usage, empty when the tariff counts none."""
        return str(self.document.header.unit or "")

    def months(self) -> list[Period]:
        """Return the civil months that the period touches, whatever day its own months are counted from."""
        return list(months_of(self.request.period))

    def __call__(self, name: str) -> Fraction:
        """Return the value of a name.

        Raises:
            RatingRefusedError: the request does not carry it, or its formula cannot be worked out.
        """
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def trait(self, name: str) -> str:
        """Return the choice of a trait.

        Raises:
            RatingRefusedError: the request does not say it, or says a choice the tariff does not know.
        """
        declared = self.document.traits[name]
        if name == "metering":
            return "windows" if self.request.windows_milli else "single"
        choice = self.request.traits.get(name, declared.default)
        if choice not in declared.choices:
            raise RatingRefusedError(RefusalKind.NO_TRAIT, f"{name} is {choice}, not of {', '.join(declared.choices)}")
        return choice

    def holds(self, condition: Condition) -> bool:
        """Return whether a condition holds for the request."""
        if condition.always:
            return True
        period = self.request.period
        return (
            (not condition.start_months or period.start.month in condition.start_months)
            and (not condition.end_months or period.end.month in condition.end_months)
            and all(self.trait(name) in choices for name, choices in condition.traits.items())
            and all(self(name) in allowed for name, allowed in condition.ranges.items())
        )

    def evaluate(self, formula: Formula) -> Fraction:
        """Return the value of a formula.

        Raises:
            RatingRefusedError: it cannot be worked out.
        """
        try:
            return formula.evaluate(self)
        except FormulaError as error:
            raise RatingRefusedError(RefusalKind.FORMULA, f"{formula.text}: {error}") from error

    def month_shares(self) -> list[Fraction]:
        """Return the share of each month of the period under the tariff's proration."""
        return month_shares(self.request.period, self.document.proration, self.request.anchor)

    def time_shares(self, per: Per) -> list[Fraction]:
        """Return the parts of time a price applies to: one for each month, or one for all."""
        match per:
            case Per.ONCE:
                return [Fraction(1)]
            case Per.DAY:
                return [Fraction(self.request.period.days)]
            case Per.MONTH:
                return self.month_shares()
            case Per.YEAR:
                return [Fraction(share, _MONTHS_PER_YEAR) for share in self.month_shares()]
            case unknown:
                assert_never(unknown)

    def _find(self, name: str) -> Fraction:
        if name in _BUILT_IN:
            return _BUILT_IN[name](self)
        if name in self.document.values:
            return self.evaluate(self.document.values[name])
        if name in self.document.facts:
            return self._fact(name)
        window = name.removeprefix(_USAGE_PREFIX)
        if window not in self.request.windows_milli:
            raise RatingRefusedError(RefusalKind.NO_USAGE, f"there is no usage in the window {window}")
        return Fraction(self.request.windows_milli[window], _MILLI)

    def _fact(self, name: str) -> Fraction:
        fact = self.document.facts[name]
        value = self.request.facts.get(fact.key)
        if value is not None:
            return Fraction(value, fact.scale.denominator)
        if fact.default is None:
            raise RatingRefusedError(RefusalKind.NO_FACT, f"{fact.key} is not known")
        return fact.default


def _year_days(day: date) -> int:
    return (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days


_BUILT_IN: dict[str, Callable[[Variables], Fraction]] = {
    "usage": lambda variables: Fraction(variables.usage, _MILLI),
    "prior": lambda variables: Fraction(variables.request.prior_milli, _MILLI),
    "days": lambda variables: Fraction(variables.request.period.days),
    "months": lambda variables: sum(variables.month_shares(), Fraction(0)),
    "month": lambda variables: Fraction(variables.request.period.start.month),
    "year_days": lambda variables: Fraction(_year_days(variables.request.period.start)),
    "bill_days": lambda variables: Fraction((variables.request.bill or variables.request.period).days),
    "first_year_days": lambda variables: Fraction(
        _year_days((variables.request.bill or variables.request.period).start)
    ),
    "part": lambda variables: Fraction(variables.request.part),
    "parts": lambda variables: Fraction(variables.request.parts),
}
