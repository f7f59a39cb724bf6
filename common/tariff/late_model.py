"""The rules of a late charge: simple interest by days on open debts. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from common.tariff.formula import Formula


class GraceKind(StrEnum):
    """What grace days mean: `FORGIVING` days are never charged, `DELAYING` ones are charged once grace has passed."""

    FORGIVING = "forgiving"
    DELAYING = "delaying"


class DayCount(StrEnum):
    """How days are counted: as they are, or with months of thirty days."""

    ACTUAL = "actual"
    THIRTY_DAY_MONTHS = "thirty_day_months"


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRule:
    """A daily rate; from 1 January after the due date `rate_later` holds when it is given.

    The due day does not count unless `count_due_day`, the day of payment does unless `count_paid_day` is off. The
    charge on one debt never passes `cap_share` of it, and debts of an excluded kind bear none.
    """

    rate: Formula
    rate_later: Formula | None
    grace_days: int
    grace: GraceKind
    day_count: DayCount
    count_due_day: bool
    count_paid_day: bool
    cap_share: Formula | None
    excluded: frozenset[str]
