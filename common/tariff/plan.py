"""Plans: which rules hold when, and the keys under which the steps of a rated line are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from common.tariff.formula import Formula
from common.tariff.late_model import LateRule
from common.tariff.model import Charge, Condition, Words
from common.tariff.session_model import SessionRule

ChargeList: TypeAlias = tuple[Charge, ...]
Rule: TypeAlias = ChargeList | SessionRule | LateRule

SESSION_KEY = "session"
LATE_KEY = "late_charge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The rule that holds when the condition does."""

    key: str
    label: Words
    condition: Condition
    rule: Rule

    @property
    def charges(self) -> ChargeList:
        """Return the charges, none for a session or a late charge."""
        return self.rule if isinstance(self.rule, tuple) else ()

    @property
    def charge_keys(self) -> frozenset[str]:
        """Return the keys that adjustments can name."""
        match self.rule:
            case SessionRule():
                return frozenset({SESSION_KEY})
            case LateRule():
                return frozenset({LATE_KEY})
            case charges:
                return frozenset(charge.key for charge in charges)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRule:
    """How a pool is split: by the weight of each premises for which the condition holds."""

    weight: Formula
    condition: Condition
    label: Words
