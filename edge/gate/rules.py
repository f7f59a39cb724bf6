"""What the gate decides, from values to a decision. Pure.

Order in which reasons win: a record the camera stored while cut off never opens; a repeat of the car just let
through opens again without a new act; a car without a readable plate enters on a ticket code where the lot issues
them and is a person's matter otherwise. Then at an entry: blacklisted, full, else open. At an exit nobody with a
permit or a paid or free stay is held; an unpriced or unpaid stay is held or let go as the lot says. Debt for anything
but this stay plays no part: nobody is locked in or out for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from common.clock import to_epoch_ms
from common.tariff.revision import RevisionRef
from edge.gate.plan import Direction, Lot, NoPlate, Permit, UnpaidExit, VehicleClass

REPEAT_SPAN = timedelta(seconds=60)
_MINUTE_MS = 60_000


class Act(StrEnum):
    """What happened at the lot; the words of the wire format."""

    ENTRY = "entry"
    EXIT = "exit"
    REFUSED = "refused"


class Decision(StrEnum):
    """What the barrier is told."""

    OPEN = "open"
    HOLD = "hold"


class Reason(StrEnum):
    """Why."""

    PERMIT = "permit"
    TEMPORARY = "temporary"
    TICKET = "ticket"
    FREE = "free"
    PAID = "paid"
    TO_ACCOUNT = "to_account"
    UNPAID_LET_GO = "unpaid_let_go"
    REPEATED = "repeated"
    OFFLINE_RECORD = "offline_record"
    NO_PLATE = "no_plate"
    BLACKLISTED = "blacklisted"
    FULL = "full"
    PAYMENT_DUE = "payment_due"
    NO_PRICE = "no_price"
    NO_ENTRY = "no_entry"
    BY_HAND = "by_hand"
    MISREAD = "misread"
    LOST_EXIT = "lost_exit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A car inside: `vehicle` names the personal item that holds its plate; `paid_ms` is when it last paid.

    A permit that covered the car at its entry covers it until `covered_until_ms`, in the place of `space`.
    `granted_minutes` are those of a visitor's coupon.
    """

    session_id: UUID
    lot: str
    plate: str
    vehicle: UUID
    vehicle_class: VehicleClass
    entered_ms: int
    paid_ms: int | None = None
    paid_fen: int = 0
    covered_until_ms: int | None = None
    space: str | None = None
    granted_minutes: int = 0

    def charged_from_ms(self, now_ms: int) -> int:
        """Return the instant from which the stay is charged: its entry, or the lapse of the permit that covered it."""
        return max(self.entered_ms, min(self.covered_until_ms or 0, now_ms))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a stay costs until an instant, in fen, and by which revision."""

    amount_fen: int
    revision: RevisionRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A car at a lane with all that the decision needs. `plate` is a ticket code for a car without a plate."""

    lot: Lot
    direction: Direction
    plate: str | None
    seen_at: datetime
    offline: bool
    permit: Permit | None
    stay: Stay | None
    quote: Quote | None
    occupied: int
    just_passed: bool = False
    misread: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The decision on a sight. `act` is None for a repeat, which makes no new record."""

    act: Act | None
    decision: Decision
    reason: Reason


def decide(sight: Sight) -> Ruling:
    """Return the ruling on a sight."""
    if sight.just_passed and not sight.offline:
        return Ruling(act=None, decision=Decision.OPEN, reason=Reason.REPEATED)
    if sight.plate is None:
        return _without_plate(sight)
    entering = sight.direction is Direction.ENTRY or (sight.direction is Direction.BOTH and sight.stay is None)
    if sight.offline:
        act = Act.ENTRY if entering else Act.EXIT
        return Ruling(act=act, decision=Decision.HOLD, reason=Reason.OFFLINE_RECORD)
    return _entry(sight) if entering else _exit(sight)


def vehicle_class(permit: Permit | None) -> VehicleClass:
    """Return how the vehicle is charged."""
    return VehicleClass.TEMPORARY if permit is None else permit.vehicle_class


def _without_plate(sight: Sight) -> Ruling:
    """A lane that lets cars both in and out cannot know which this one wants, so a person decides there."""
    issues = sight.lot.no_plate is NoPlate.TICKET and sight.direction is Direction.ENTRY and not sight.offline
    if not issues:
        return Ruling(act=Act.REFUSED, decision=Decision.HOLD, reason=Reason.NO_PLATE)
    if _full(sight):
        return Ruling(act=Act.REFUSED, decision=Decision.HOLD, reason=Reason.FULL)
    return Ruling(act=Act.ENTRY, decision=Decision.OPEN, reason=Reason.TICKET)


def _entry(sight: Sight) -> Ruling:
    permit = sight.permit
    if permit is not None and permit.vehicle_class is VehicleClass.BLACKLISTED:
        return Ruling(act=Act.REFUSED, decision=Decision.HOLD, reason=Reason.BLACKLISTED)
    if permit is not None:
        return Ruling(act=Act.ENTRY, decision=Decision.OPEN, reason=Reason.PERMIT)
    if _full(sight):
        return Ruling(act=Act.REFUSED, decision=Decision.HOLD, reason=Reason.FULL)
    return Ruling(act=Act.ENTRY, decision=Decision.OPEN, reason=Reason.TEMPORARY)


def _full(sight: Sight) -> bool:
    return sight.lot.spaces is not None and sight.occupied >= sight.lot.spaces


def _exit(sight: Sight) -> Ruling:
    reason = _reason_to_leave(sight)
    if reason in {Reason.PAYMENT_DUE, Reason.NO_PRICE, Reason.NO_ENTRY}:
        if sight.lot.unpaid_exit is UnpaidExit.OPEN:
            return Ruling(act=Act.EXIT, decision=Decision.OPEN, reason=Reason.UNPAID_LET_GO)
        return Ruling(act=Act.REFUSED, decision=Decision.HOLD, reason=reason)
    return Ruling(act=Act.EXIT, decision=Decision.OPEN, reason=reason)


def _reason_to_leave(sight: Sight) -> Reason:
    permit, stay = sight.permit, sight.stay
    if permit is not None and permit.charge_to_account:
        return Reason.TO_ACCOUNT
    if permit is not None and permit.covers:
        return Reason.PERMIT
    if stay is None:
        return Reason.NO_ENTRY
    if sight.quote is None:
        return Reason.NO_PRICE
    if sight.quote.amount_fen == 0:
        return Reason.FREE
    return Reason.PAID if _paid(sight.lot, stay, sight.quote, sight.seen_at) else Reason.PAYMENT_DUE


def _paid(lot: Lot, stay: Stay, quote: Quote, seen_at: datetime) -> bool:
    """Return whether the stay is paid in full, or was paid within the grace that lets a car reach the exit."""
    if stay.paid_ms is None:
        return False
    since_paid_ms = to_epoch_ms(seen_at) - stay.paid_ms
    return stay.paid_fen >= quote.amount_fen or 0 <= since_paid_ms <= lot.exit_grace_minutes * _MINUTE_MS
