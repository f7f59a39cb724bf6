"""What became of a stay, from the acts known of it. Pure decisions; no database.

Acts may arrive in any order and more than once: a stay is worked out from all of them each time, so the result does not
depend on the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cloud.parking.kinds import Act, Settlement, StayState
from common.errors import ensure

# An exit that a camera stored while cut off was decided by nobody; the household's permit may still say who pays.
_TO_ACCOUNT = frozenset({"to_account", "offline_record"})
_LET_GO = "unpaid_let_go"
_PAID = "paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One act of a stay. `quote_fen` is the gateway's estimate at an exit, the total paid at a settlement."""

    event_id: UUID
    act: Act
    at: datetime
    entered_at: datetime | None
    vehicle: UUID | None
    vehicle_class: str
    reason: str
    quote_fen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A stay as its acts tell it; `vehicle` names the personal item that holds the plate."""

    state: StayState
    settlement: Settlement
    vehicle: UUID | None
    vehicle_class: str
    entered_at: datetime | None
    left_at: datetime | None
    quote_fen: int | None
    paid_fen: int


def stay_of(acts: Iterable[Seen]) -> Stay:
    """Return the stay that some acts tell.

    Raises:
        InvariantError: there is no act.
    """
    ordered = sorted(acts, key=lambda act: (act.at, act.event_id))
    ensure(len(ordered) > 0, "a stay is told by at least one act")
    exits = [act for act in ordered if act.act is Act.EXIT]
    left = exits[-1] if exits else None
    void = any(act.act is Act.VOID for act in ordered)
    named = [act.vehicle for act in ordered if act.vehicle is not None]
    entered = [act.entered_at for act in ordered if act.entered_at is not None]
    paid = max((act.quote_fen or 0 for act in ordered if act.act is Act.SETTLED), default=0)
    state = StayState.LEFT if left is not None else StayState.VOID if void else StayState.INSIDE
    return Stay(
        state=state,
        settlement=_settlement(state, left, paid),
        vehicle=named[-1] if named else None,
        vehicle_class=ordered[-1].vehicle_class,
        entered_at=min(entered, default=None),
        left_at=None if left is None else left.at,
        quote_fen=None if left is None else left.quote_fen,
        paid_fen=paid,
    )


def introducing(acts: Sequence[Seen], vehicle: UUID) -> Seen:
    """Return the act in whose batch a personal item came: the first that names it.

    Raises:
        InvariantError: no act names it.
    """
    naming = sorted((act for act in acts if act.vehicle == vehicle), key=lambda act: (act.at, act.event_id))
    ensure(len(naming) > 0, "a vehicle of a stay is named by one of its acts")
    return naming[0]


def _settlement(state: StayState, left: Seen | None, paid_fen: int) -> Settlement:
    if left is None:
        return Settlement.NOTHING if state is StayState.VOID else Settlement.OPEN
    if paid_fen > 0 or left.reason == _PAID:
        return Settlement.AT_GATE
    if left.reason in _TO_ACCOUNT:
        return Settlement.ACCOUNT
    return Settlement.UNPAID if left.reason == _LET_GO else Settlement.NOTHING
