"""Stays: told by their acts in any order, and who pays for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.parking.kinds import Act, Settlement, StayState
from cloud.parking.rules import Seen, introducing, stay_of
from common.errors import InvariantError

ENTERED = datetime(2026, 3, 3, 1, tzinfo=UTC)
CAR, OTHER_CAR = UUID(int=1), UUID(int=2)


def act(number: int, what: Act, hours: int, **facts: object) -> Seen:
    base = Seen(
        event_id=UUID(int=number),
        act=what,
        at=ENTERED + timedelta(hours=hours),
        entered_at=ENTERED,
        vehicle=CAR,
        vehicle_class="temporary",
        reason="temporary",
        quote_fen=None,
    )
    return replace(base, **facts)  # type: ignore[arg-type]


IN = act(1, Act.ENTRY, 0)
OUT = act(2, Act.EXIT, 3, reason="to_account", quote_fen=15_00)


def test_a_car_that_entered_stands_inside() -> None:
    stay = stay_of([IN])
    assert (stay.state, stay.settlement, stay.left_at) == (StayState.INSIDE, Settlement.OPEN, None)


@pytest.mark.parametrize(
    ("reason", "settlement"),
    [
        ("to_account", Settlement.ACCOUNT),
        ("offline_record", Settlement.ACCOUNT),
        ("paid", Settlement.AT_GATE),
        ("free", Settlement.NOTHING),
        ("permit", Settlement.NOTHING),
        ("unpaid_let_go", Settlement.UNPAID),
    ],
)
def test_the_reason_of_the_exit_says_who_pays(reason: str, settlement: Settlement) -> None:
    stay = stay_of([IN, replace(OUT, reason=reason)])
    assert (stay.state, stay.settlement, stay.left_at) == (StayState.LEFT, settlement, OUT.at)


def test_what_was_paid_inside_is_not_charged_to_the_household_again() -> None:
    paid = act(3, Act.SETTLED, 2, quote_fen=15_00)
    stay = stay_of([IN, paid, OUT])
    assert (stay.settlement, stay.paid_fen) == (Settlement.AT_GATE, 15_00)


def test_a_corrected_plate_is_the_vehicle_of_the_stay() -> None:
    corrected = act(3, Act.CORRECTED, 1, vehicle=OTHER_CAR)
    acts = [IN, corrected, replace(OUT, vehicle=OTHER_CAR)]
    assert stay_of(acts).vehicle == OTHER_CAR
    assert introducing(acts, OTHER_CAR) is corrected
    assert introducing(acts, CAR) is IN


def test_a_void_stay_costs_nothing_unless_the_car_left_after_all() -> None:
    void = act(3, Act.VOID, 5)
    assert stay_of([IN, void]).settlement is Settlement.NOTHING
    assert stay_of([IN, OUT, void]).state is StayState.LEFT


@given(st.permutations([IN, OUT, act(3, Act.SETTLED, 2, quote_fen=5), act(4, Act.CORRECTED, 1, vehicle=OTHER_CAR)]))
def test_the_order_of_arrival_does_not_change_a_stay(acts: list[Seen]) -> None:
    assert stay_of(acts) == stay_of(sorted(acts, key=lambda one: one.event_id))


def test_no_act_tells_no_stay() -> None:
    with pytest.raises(InvariantError):
        stay_of([])
    with pytest.raises(InvariantError):
        introducing([IN], OTHER_CAR)
