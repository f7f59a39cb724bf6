"""Decisions about payments as functions of values: what settles which line, what an answer means, when to ask again.

No database, no HTTP, no clock. Amounts are fen. The laws kept here: the parts of a payment sum to the payment; no line
gets more than is open on it; money that truly arrived is booked whatever state the attempt was in; an answer that
differs from the attempt by one fen, one letter of the merchant or the currency books nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from cloud.ledger.journals import LineRef
from cloud.ledger.postings import Allocation
from cloud.payments.channel import Method
from cloud.payments.channels.provider import OrderView, TradeState
from common.errors import RefusalError, ensure
from common.ids import AccountId

CODE_QUESTIONS = 12
PAYMENT_FEN_MAX = 10_000_000_000
ASK_AFTER = (
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)


class AttemptState(StrEnum):
    """Where an attempt stands; `unknown` is never closed by a timer, only by a channel's answer.

    A failed attempt becomes sent when the channel's late acceptance arrives after it said that it knew of no order.
    """

    CREATED = "created"
    SENT = "sent"
    UNKNOWN = "unknown"
    PAID = "paid"
    CLOSED = "closed"
    FAILED = "failed"
    DISPUTED = "disputed"


_LATE = frozenset({AttemptState.PAID, AttemptState.DISPUTED})
TRANSITIONS: Mapping[AttemptState, frozenset[AttemptState]] = MappingProxyType(
    {
        AttemptState.CREATED: frozenset(AttemptState) - {AttemptState.CREATED},
        AttemptState.SENT: frozenset({AttemptState.CLOSED, AttemptState.FAILED}) | _LATE,
        AttemptState.UNKNOWN: frozenset({AttemptState.SENT, AttemptState.CLOSED, AttemptState.FAILED}) | _LATE,
        AttemptState.CLOSED: _LATE,
        AttemptState.FAILED: frozenset({AttemptState.SENT}) | _LATE,
        AttemptState.DISPUTED: frozenset({AttemptState.PAID}),
        AttemptState.PAID: frozenset(),
    }
)
ensure(set(TRANSITIONS) == set(AttemptState), "every attempt state stands in the table")
STANDING_STATES = frozenset({AttemptState.SENT}) | _LATE
OPEN_STATES = frozenset({AttemptState.CREATED, AttemptState.SENT, AttemptState.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """How a payment is divided: what settles open lines, and the rest that is paid ahead."""

    allocations: tuple[Allocation, ...]
    ahead_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an attempt asked for, against which a channel's answer is compared."""

    merchant_number: str
    app_id: str
    number: str
    amount_fen: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One way in which an answer differs from the attempt."""

    what: str
    asked: str
    answered: str


def check_amount(amount_fen: int) -> int:
    """Return an amount a payer may pay.

    Raises:
        RefusalError: it is not positive, or above the largest single payment.
    """
    if not 0 < amount_fen <= PAYMENT_FEN_MAX:
        raise RefusalError(f"a payment is from 1 to {PAYMENT_FEN_MAX} fen, not {amount_fen}; correct the amount")
    return amount_fen


def divide(amount_fen: int, payer: AccountId, settled: Sequence[tuple[LineRef, int]]) -> Division:
    """Divide a payment over what it settles, in the order decided; what is left over is paid ahead."""
    ahead_fen = check_amount(amount_fen) - sum(fen for _, fen in settled)
    ensure(ahead_fen >= 0, "a payment settles at most what was paid")
    allocations = tuple(Allocation(account_id=payer, line=line, fen=fen) for line, fen in settled)
    return Division(allocations=allocations, ahead_fen=ahead_fen)


def differences(expected: Expected, view: OrderView) -> tuple[Difference, ...]:
    """Return every way in which a paid order differs from what we asked; empty when it is ours to the fen."""
    compared = (
        ("merchant", expected.merchant_number, view.merchant_number),
        ("application", expected.app_id, view.app_id),
        ("order", expected.number, view.number),
        ("currency", expected.currency, str(view.currency)),
        ("amount", str(expected.amount_fen), str(view.total_fen)),
    )
    return tuple(
        Difference(what=what, asked=asked, answered=answered) for what, asked, answered in compared if asked != answered
    )


def is_paid(view: OrderView) -> bool:
    """Return whether the payer's money arrived, be it refunded since or not."""
    return view.state in {TradeState.PAID, TradeState.REFUNDED}


def may_move(before: AttemptState, after: AttemptState) -> bool:
    """Return whether an attempt may go from one state to another."""
    return after in TRANSITIONS[before]


def next_question(asked: int, now: datetime, method: Method | None = None) -> datetime:
    """Return when to ask the channel again after so many questions without news; a shown code is asked about often."""
    if method is Method.CODE and asked < CODE_QUESTIONS:
        return now + ASK_AFTER[0]
    return now + ASK_AFTER[min(asked, len(ASK_AFTER) - 1)]
