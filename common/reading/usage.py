"""Usage from registers: differences after the multiplier, confirmed rollovers, one meter following another.

Registers are scaled before they are subtracted, so neighbouring spans add up exactly to the whole. A register that
went backwards without a confirmed rollover gives no usage at all: unknown is never zero, and never negative. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from common.errors import ensure
from common.measure.quantity import MILLI
from common.money.amount import check_int64
from common.money.rounding import RoundingMode, divide

DIGITS_MAX = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFacts:
    """What turns a register into usage: the multiplier in thousandths, and the count of whole digits if known."""

    multiplier_milli: int = MILLI
    digits: int | None = None

    def __post_init__(self) -> None:
        """Check multiplier and digits."""
        ensure(self.multiplier_milli > 0, "the multiplier of a meter is positive")
        ensure(self.digits is None or 1 <= self.digits <= DIGITS_MAX, f"a register has 1 to {DIGITS_MAX} whole digits")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSpan:
    """Two registers of one meter, in milli-units before the multiplier.

    `rollovers` counts how often the register passed its highest value in between, as confirmed by a person or by the
    meter; it is never guessed from a smaller value.
    """

    facts: MeterFacts
    start_milli: int
    end_milli: int
    rollovers: int = 0

    def __post_init__(self) -> None:
        """Check that a rollover is possible."""
        ensure(self.rollovers >= 0, "rollovers are counted")
        ensure(self.rollovers == 0 or self.facts.digits is not None, "a rollover needs the register's digits")


def scaled_milli(register_milli: int, facts: MeterFacts) -> int:
    """Return a register after the multiplier, in milli-units, rounded half up."""
    return divide(register_milli * facts.multiplier_milli, MILLI, RoundingMode.HALF_UP)


def span_usage_milli(span: RegisterSpan) -> int | None:
    """Return what one meter counted, in milli-units after the multiplier; None when its register went backwards."""
    full_turn_milli = 0 if span.facts.digits is None else 10**span.facts.digits * MILLI
    end_milli = span.end_milli + span.rollovers * full_turn_milli
    usage = scaled_milli(end_milli, span.facts) - scaled_milli(span.start_milli, span.facts)
    return check_int64(usage, "usage") if usage >= 0 else None


def chain_usage_milli(spans: Iterable[RegisterSpan]) -> int | None:
    """Return what the meters of one place counted one after another; None when any of them is not known.

    At a replacement the old meter's span ends with its removal register and the new one's starts with its own.
    """
    total = 0
    for span in spans:
        usage = span_usage_milli(span)
        if usage is None:
            return None
        total += usage
    return check_int64(total, "usage")
