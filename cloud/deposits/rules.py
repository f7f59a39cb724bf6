"""Decisions about deposits as functions of values: which move follows, what is left, how it is divided to go back.

    due -> held -> released -> closed
     |
    cancelled

A deposit is a debt to its payer: never income, never in arrears, no wallet. No database, no clock; amounts in fen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from common.errors import RefusalError, ensure
from common.money.split import split_by_weight

INSTALMENTS_MAX = 24
OBJECTION_DAYS_MAX = 90
TEXT_LENGTH_MAX = 1_000


class DepositKind(StrEnum):
    """What a deposit is for."""

    RENOVATION = "renovation"
    CARD = "card"
    FACILITY = "facility"
    LEASE = "lease"
    KEY = "key"


class DepositState(StrEnum):
    """Where a deposit stands."""

    DUE = "due"
    CANCELLED = "cancelled"
    HELD = "held"
    RELEASED = "released"
    CLOSED = "closed"


class ConditionKind(StrEnum):
    """What must be so before a deposit goes back."""

    INSPECTION_PASSED = "inspection_passed"
    LEASE_ENDED = "lease_ended"
    CARD_RETURNED = "card_returned"
    KEY_RETURNED = "key_returned"
    FACILITY_RELEASED = "facility_released"


class DeductionState(StrEnum):
    """Where a deduction stands: the payer is told, may agree or object, and only then a person decides."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    DISPUTED = "disputed"
    APPLIED = "applied"
    WITHDRAWN = "withdrawn"


class ReturnState(StrEnum):
    """Where an instalment stands; between `asked` and the end, the refund of the same id knows more."""

    DUE = "due"
    ASKED = "asked"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    FAILED = "failed"
    REPLACED = "replaced"


class ReturnRoute(StrEnum):
    """How an instalment goes back: the way it came, or in cash."""

    ORIGINAL = "original"
    CASH = "cash"


TRANSITIONS: Mapping[DepositState, frozenset[DepositState]] = MappingProxyType(
    {
        DepositState.DUE: frozenset({DepositState.HELD, DepositState.CANCELLED}),
        DepositState.CANCELLED: frozenset(),
        DepositState.HELD: frozenset({DepositState.RELEASED}),
        DepositState.RELEASED: frozenset({DepositState.CLOSED}),
        DepositState.CLOSED: frozenset(),
    }
)
ensure(set(TRANSITIONS) == set(DepositState), "every deposit state stands in the table")

USUAL_CONDITION: Mapping[DepositKind, ConditionKind] = MappingProxyType(
    {
        DepositKind.RENOVATION: ConditionKind.INSPECTION_PASSED,
        DepositKind.CARD: ConditionKind.CARD_RETURNED,
        DepositKind.FACILITY: ConditionKind.FACILITY_RELEASED,
        DepositKind.LEASE: ConditionKind.LEASE_ENDED,
        DepositKind.KEY: ConditionKind.KEY_RETURNED,
    }
)
ensure(set(USUAL_CONDITION) == set(DepositKind), "every kind of deposit has a condition for going back")
PENDING_DEDUCTIONS = frozenset({DeductionState.PROPOSED, DeductionState.AGREED, DeductionState.DISPUTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """A part of what goes back: so many days after the release, with a weight among the parts."""

    days_after: int
    weight: int


AT_ONCE = (Instalment(days_after=0, weight=1),)


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePart:
    """An instalment as an amount on a day."""

    n: int
    due_on: date
    amount_fen: int


def may_move(before: DepositState, after: DepositState) -> bool:
    """Return whether a deposit may go from one state to another."""
    return after in TRANSITIONS[before]


def check_instalments(instalments: Sequence[Instalment]) -> tuple[Instalment, ...]:
    """Return instalments in the order of their days.

    Raises:
        RefusalError: there is none, too many, or one is negative or weighs nothing.
    """
    if not 0 < len(instalments) <= INSTALMENTS_MAX:
        raise RefusalError(f"a deposit goes back in 1 to {INSTALMENTS_MAX} instalments, not {len(instalments)}")
    if any(part.days_after < 0 or part.weight <= 0 for part in instalments):
        raise RefusalError("an instalment is on or after the release and has a weight above zero; correct the contract")
    return tuple(sorted(instalments, key=lambda part: part.days_after))


def divide(fen: int, instalments: Sequence[Instalment], released_on: date) -> tuple[DuePart, ...]:
    """Return what goes back when; the parts sum to the whole, and a part of nothing is left out."""
    shares = split_by_weight(fen, {n: part.weight for n, part in enumerate(instalments, 1)})
    return tuple(
        DuePart(n=n, due_on=released_on + timedelta(days=part.days_after), amount_fen=shares[n])
        for n, part in enumerate(instalments, 1)
        if shares[n] > 0
    )


def may_apply(state: DeductionState, objection_until: datetime, now: datetime) -> bool:
    """Return whether a deduction may be made: the payer agreed, or kept silent past the time to object."""
    return state is DeductionState.AGREED or (state is DeductionState.PROPOSED and now >= objection_until)
