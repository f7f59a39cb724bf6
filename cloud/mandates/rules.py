"""When money may be taken by a mandate, as functions of values: the days, the hours, the notice, how much.

    announced -> taken | cancelled | failed

The payer chose a day of the month. The channel lets us take up to three days early, so there are three tries: three
days before, the day before, and the day itself. He is told at least one full day before the first of them, the amount
is never above what he was told, and nobody's money is taken at night. No database, no HTTP, no clock; amounts in fen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType

from cloud.payments.channels.times import BEIJING
from common.errors import RefusalError, ensure

DAY_MAX = 28
LIMIT_FEN_MIN, LIMIT_FEN_MAX = 100, 1_000_000
USUAL_LIMIT_FEN = 10_000
TRY_DAYS_BEFORE = (3, 1, 0)
TOLD_DAYS_BEFORE_MAX = 5
TOLD_DAYS_BEFORE_MIN = 2
OPENS, TRY_AT, SHUTS = time(7), time(10), time(22)
SIGN_DAYS_MAX = 7
ensure(tuple(sorted(TRY_DAYS_BEFORE, reverse=True)) == TRY_DAYS_BEFORE, "tries go on, never back")
ensure(TOLD_DAYS_BEFORE_MIN >= 2, "a full day lies between the notice and the first try")  # noqa: PLR2004 - the rule
ensure(OPENS < TRY_AT < SHUTS, "tries lie in the open hours")


class MandateState(StrEnum):
    """Where a mandate stands; paused is our side only, the channel's agreement holds on."""

    ASKED = "asked"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class DebitState(StrEnum):
    """Where an announced amount stands."""

    ANNOUNCED = "announced"
    TAKEN = "taken"
    CANCELLED = "cancelled"
    FAILED = "failed"


TRANSITIONS: Mapping[MandateState, frozenset[MandateState]] = MappingProxyType(
    {
        MandateState.ASKED: frozenset({MandateState.ACTIVE, MandateState.ENDED}),
        MandateState.ACTIVE: frozenset({MandateState.PAUSED, MandateState.ENDED}),
        MandateState.PAUSED: frozenset({MandateState.ACTIVE, MandateState.ENDED}),
        MandateState.ENDED: frozenset(),
    }
)
ensure(set(TRANSITIONS) == set(MandateState), "every mandate state stands in the table")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The days of one cycle: the payer's day, the days of the tries, and when he may be told."""

    execute_on: date
    tries: tuple[date, ...]

    @property
    def first_on(self) -> date:
        """Return the day of the first try."""
        return self.tries[0]

    def may_tell(self, today: date) -> bool:
        """Return whether today is early enough for the notice, and not too early."""
        left = (self.first_on - today).days
        return TOLD_DAYS_BEFORE_MIN <= left <= TOLD_DAYS_BEFORE_MAX


def check_wish(limit_fen: int, day_of_month: int) -> None:
    """Refuse a limit or a day that cannot be agreed to.

    Raises:
        RefusalError: the limit is not from 1 yuan to the largest, or the day not from 1 to 28.
    """
    if not LIMIT_FEN_MIN <= limit_fen <= LIMIT_FEN_MAX:
        raise RefusalError(f"the most for one deduction is 1.00 to {LIMIT_FEN_MAX // 100} yuan; correct the limit")
    if not 1 <= day_of_month <= DAY_MAX:
        raise RefusalError(f"the day of the month is 1 to {DAY_MAX}, not {day_of_month}")


def plan_of(execute_on: date) -> Plan:
    """Return the days of a cycle."""
    return Plan(
        execute_on=execute_on,
        tries=tuple(execute_on - timedelta(days=before) for before in TRY_DAYS_BEFORE),
    )


def next_plan(day_of_month: int, today: date) -> Plan:
    """Return the first cycle whose notice can still be given in time."""
    execute_on = today.replace(day=day_of_month)
    while True:
        plan = plan_of(execute_on)
        if (plan.first_on - today).days >= TOLD_DAYS_BEFORE_MIN:
            return plan
        execute_on = (execute_on.replace(day=1) + timedelta(days=31)).replace(day=day_of_month)


def first_execution(day_of_month: int, today: date) -> date:
    """Return the day that a new agreement names as its first."""
    return next_plan(day_of_month, today).execute_on


def may_move(before: MandateState, after: MandateState) -> bool:
    """Return whether a mandate may go from one state to another."""
    return after in TRANSITIONS[before]


def is_open_hour(now: datetime) -> bool:
    """Return whether money may be taken now: by the clock of Beijing, not at night."""
    return OPENS <= now.astimezone(BEIJING).time() < SHUTS


def today_at_channel(now: datetime) -> date:
    """Return the channel's civil day."""
    return now.astimezone(BEIJING).date()


def try_instant(day: date) -> datetime:
    """Return when the try of a day is made."""
    return datetime.combine(day, TRY_AT, tzinfo=BEIJING).astimezone(UTC)


def amount_to_take(announced_fen: int, open_fen: Sequence[int]) -> int:
    """Return how much may be taken: what is still open of what was announced, never more than was announced."""
    return min(announced_fen, sum(open_fen))
