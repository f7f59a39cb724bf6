"""Decisions about refunds as functions of values: who must approve, from where the money is taken, which move follows.

    requested -> approved -> reserved -> submitted -> accepted -> arrived
        |            |           |            |           |
     rejected      failed     failed,      failed,     failed
                              arrived      arrived
                              (cash)

Accepted is the channel's word that it will pay, arrived its word that it has. No database, no HTTP, no clock; amounts
in fen. What is not known to be allowed by the policy goes to persons; without a policy everything goes to two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from cloud.ledger.journals import LineRef
from cloud.payments.channel import Channel
from common.errors import ensure

# UnionPay's and Alipay's days are those of the usual contract.
WINDOWS: Mapping[Channel, timedelta] = MappingProxyType(
    {
        Channel.WECHAT: timedelta(days=365),
        Channel.ALIPAY: timedelta(days=365),
        Channel.UNIONPAY: timedelta(days=330),
    }
)
REFUNDS_PER_PAYMENT_MAX = 50
REASON_LENGTH_MAX = 80
SIGNATURE_LENGTH_MAX = 200
PERSONS_MAX = 2


class RefundState(StrEnum):
    """Where a refund stands."""

    REQUESTED = "requested"
    REJECTED = "rejected"
    APPROVED = "approved"
    RESERVED = "reserved"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    FAILED = "failed"


TRANSITIONS: Mapping[RefundState, frozenset[RefundState]] = MappingProxyType(
    {
        RefundState.REQUESTED: frozenset({RefundState.APPROVED, RefundState.REJECTED}),
        RefundState.APPROVED: frozenset({RefundState.RESERVED, RefundState.FAILED}),
        RefundState.RESERVED: frozenset({RefundState.SUBMITTED, RefundState.ARRIVED, RefundState.FAILED}),
        RefundState.SUBMITTED: frozenset({RefundState.ACCEPTED, RefundState.ARRIVED, RefundState.FAILED}),
        RefundState.ACCEPTED: frozenset({RefundState.ARRIVED, RefundState.FAILED}),
        RefundState.REJECTED: frozenset(),
        RefundState.ARRIVED: frozenset(),
        RefundState.FAILED: frozenset(),
    }
)
ensure(set(TRANSITIONS) == set(RefundState), "every refund state stands in the table")
ASKED_STATES = frozenset({RefundState.SUBMITTED, RefundState.ACCEPTED})
GIVEN_UP_STATES = frozenset({RefundState.REJECTED, RefundState.FAILED})


class RefundRoute(StrEnum):
    """How the money goes back: the way it came, in cash over the counter, or from our bank account to the payer's."""

    ORIGINAL = "original"
    CASH = "cash"
    BANK = "bank"


class RefundSource(StrEnum):
    """What the money is taken from: a billing account's balance paid ahead, or a deposit."""

    AHEAD = "ahead"
    DEPOSIT = "deposit"


class Doubt(StrEnum):
    """Why a refund is not approved by rule alone."""

    NO_POLICY = "no_policy"
    ABOVE_LIMIT = "above_limit"
    ABOVE_DAY_LIMIT = "above_day_limit"
    TOO_OLD = "too_old"
    OTHER_ROUTE = "other_route"
    BILL_OPENS_AGAIN = "bill_opens_again"
    ARREARS = "arrears"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The limits of a community, in fen and days.

    `automatic_fen` is the largest refund and `automatic_day_fen` the largest sum of an account on one day approved by
    rule, of a payment of at most `automatic_age_days`. From `two_persons_fen` on two persons approve. Deposits have a
    limit of their own.
    """

    automatic_fen: int
    automatic_day_fen: int
    automatic_age_days: int
    two_persons_fen: int
    deposit_automatic_fen: int

    def limit_fen(self, source: RefundSource) -> int:
        """Return the largest refund out of a source that is approved by rule."""
        return self.automatic_fen if source is RefundSource.AHEAD else self.deposit_automatic_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the decision about one refund rests on; `refunded_today_fen` is without this one."""

    amount_fen: int
    source: RefundSource
    route_is_original: bool
    paid_ago: timedelta
    refunded_today_fen: int
    reopened_fen: int
    overdue_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How many persons must approve, and why it is not approved by rule."""

    persons: int
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledPart:
    """What a payment settled of one line and could be taken back from it."""

    line: LineRef
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a refund is taken from: a part paid ahead, and lines that become open again."""

    ahead_fen: int
    reopened: tuple[SettledPart, ...]

    @property
    def reopened_fen(self) -> int:
        """Return how much becomes open again."""
        return sum(part.fen for part in self.reopened)


def may_move(before: RefundState, after: RefundState) -> bool:
    """Return whether a refund may go from one state to another."""
    return after in TRANSITIONS[before]


def decide(policy: Policy | None, facts: Facts) -> Decision:
    """Return how many persons must approve a refund, with every reason why."""
    if policy is None:
        return Decision(persons=PERSONS_MAX, doubts=(Doubt.NO_POLICY,))
    is_ahead = facts.source is RefundSource.AHEAD
    day_fen = facts.refunded_today_fen + facts.amount_fen
    checks = (
        (Doubt.ABOVE_LIMIT, facts.amount_fen > policy.limit_fen(facts.source)),
        (Doubt.ABOVE_DAY_LIMIT, is_ahead and day_fen > policy.automatic_day_fen),
        (Doubt.TOO_OLD, is_ahead and facts.paid_ago > timedelta(days=policy.automatic_age_days)),
        (Doubt.OTHER_ROUTE, not facts.route_is_original),
        (Doubt.BILL_OPENS_AGAIN, facts.reopened_fen > 0),
        (Doubt.ARREARS, facts.overdue_fen > 0),
    )
    doubts = tuple(doubt for doubt, holds in checks if holds)
    if not doubts:
        return Decision(persons=0, doubts=())
    large = facts.amount_fen >= policy.two_persons_fen or not facts.route_is_original
    return Decision(persons=PERSONS_MAX if large else 1, doubts=doubts)


def in_window(channel: Channel, paid_at: datetime, now: datetime) -> bool:
    """Return whether the channel still takes a refund of a payment; cash has no window."""
    window = WINDOWS.get(channel)
    return window is None or now < paid_at + window


def take(amount_fen: int, *, unsettled_fen: int, ahead_fen: int, settled: Sequence[SettledPart]) -> Origin | None:
    """Return where a refund is taken from, or None when there is not enough.

    What the payment did not settle is taken first, as far as it still lies ahead; then its lines open again, the last
    settled first; then whatever else lies ahead.

    Args:
        amount_fen: what is to go back.
        unsettled_fen: what of the payment settles no line and did not go back yet.
        ahead_fen: what lies ahead on the account.
        settled: what could be taken back from lines, the first settled at the front.
    """
    ensure(amount_fen > 0, "a refund is positive")
    from_ahead = min(amount_fen, max(unsettled_fen, 0), max(ahead_fen, 0))
    rest = amount_fen - from_ahead
    reopened = []
    for part in reversed(settled):
        fen = min(rest, part.fen)
        if fen > 0:
            reopened.append(SettledPart(line=part.line, fen=fen))
            rest -= fen
    if rest > ahead_fen - from_ahead:
        return None
    return Origin(ahead_fen=from_ahead + rest, reopened=tuple(reopened))
