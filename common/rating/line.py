"""The result of rating: an amount, and the trace of components that explains it to the fen.

`amount` of a component is exact, in minor units; `fen` is its whole part of the line, so that the fen of all
components sum to the line. The plain form is what is stored, sent and hashed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import floor

from common.civil import Period
from common.errors import ensure
from common.money.amount import Currency
from common.money.rounding import RoundingMode, divide
from common.tariff.model import Words

_MILLI = 1_000


class ComponentKind(StrEnum):
    """What a component is."""

    UNIT = "unit"
    TIER = "tier"
    AMOUNT = "amount"
    FREE = "free"
    SESSION = "session"
    LATE = "late"
    SHARE = "share"
    DISCOUNT = "discount"
    SURCHARGE = "surcharge"
    REBATE = "rebate"
    MINIMUM = "minimum"
    CAP = "cap"
    ROUNDING = "rounding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One step of the explanation.

    `key` is stable between ratings of the same item, so a correction can compare; `quantity` is in units (or months,
    minutes, debts, as `unit` says), `price_micro` per unit, `amount` exact in minor units.
    """

    kind: ComponentKind
    key: str
    charge: str
    label: Words
    amount: Fraction
    fen: int = 0
    quantity: Fraction | None = None
    unit: str = ""
    price_micro: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def closed(self, fen: int) -> Component:
        """Return the component with its whole minor units; written out, as every line does it for every component."""
        return Component(
            kind=self.kind,
            key=self.key,
            charge=self.charge,
            label=self.label,
            amount=self.amount,
            fen=fen,
            quantity=self.quantity,
            unit=self.unit,
            price_micro=self.price_micro,
            labels=self.labels,
        )

    @property
    def qty_milli(self) -> int | None:
        """Return the quantity in milli-units, rounded half up where it is finer."""
        if self.quantity is None:
            return None
        return divide(self.quantity.numerator * _MILLI, self.quantity.denominator, RoundingMode.HALF_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedLine:
    """A priced line: amount in minor units, exact sum before the line was rounded, and the trace."""

    tariff_code: str
    body_sha: str
    plan: Words
    currency: Currency
    period: Period
    amount_fen: int
    components: tuple[Component, ...]
    input_sha: str
    engine_version: int
    exact: Fraction
    carried_milli: int = 0

    def __post_init__(self) -> None:
        """Check that the components add up to the line."""
        total = sum(component.fen for component in self.components)
        ensure(total == self.amount_fen, f"components of {total} do not make a line of {self.amount_fen}")

    @property
    def tail(self) -> Fraction:
        """Return what rounding added, in minor units."""
        return self.amount_fen - self.exact


def total_of(components: Sequence[Component]) -> Fraction:
    """Return the exact sum of components in minor units."""
    return sum((item.amount for item in components[1:]), components[0].amount) if components else Fraction(0)


def spread_fen(amounts: Sequence[Fraction], total: int) -> list[int]:
    """Return whole minor units for exact amounts that sum to the total, by largest remainder, ties to the earlier."""
    if not amounts:
        return []
    if len(amounts) == 1:
        return [total]
    floors = [floor(amount) for amount in amounts]
    left_over = total - sum(floors)
    order = sorted(range(len(amounts)), key=lambda index: (floors[index] - amounts[index], index))
    each, extra = divmod(left_over, len(amounts))
    return [whole + each + (order.index(index) < extra) for index, whole in enumerate(floors)]
