"""The book of stays: who is inside, who left lately, and no more of that than a price may need."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from edge.gate.rules import Stay
from edge.gate.stays import VISITS_MOST, VISITS_REACH, StayBook
from tests.edge.builders import START
from tests.edge.gate.test_rules import STAY

LEFT = START + timedelta(hours=2)


def book(*stays: Stay) -> StayBook:
    made = StayBook()
    for stay in stays:
        made.keep(stay)
    return made


def test_what_is_kept_is_found_again_after_loading() -> None:
    kept = StayBook().keep(STAY)
    assert kept.body is not None
    again = StayBook()
    again.load({kept.name: kept.body}, {})
    assert again.stays == {STAY.session_id: STAY}


def test_a_likely_plate_is_found_only_when_asked_for() -> None:
    made = book(STAY)
    assert made.find("north", "苏A1234S", likely=False).stay is None
    found = made.find("north", "苏A1234S", likely=True)
    assert (found.stay, found.misread) == (STAY, "苏A1234S")
    assert made.find("south", STAY.plate, likely=True).stay is None


def test_an_ended_visit_counts_for_three_days_and_under_a_hash() -> None:
    made = book(STAY)
    states = made.end(STAY, LEFT)
    assert all(STAY.plate.encode() not in (state.body or b"") for state in states)
    soon = replace(STAY, entered_ms=STAY.entered_ms + 3 * 3_600_000)
    assert made.visits(soon, LEFT + timedelta(hours=2))[0].exit == LEFT
    later = replace(STAY, entered_ms=STAY.entered_ms + 4 * 86_400_000)
    assert len(made.visits(later, START + VISITS_REACH * 2)) == 1
    assert made.left_after("north", STAY.plate, START)
    assert not made.left_after("north", STAY.plate, LEFT)


def test_the_oldest_ended_visits_are_forgotten() -> None:
    made = StayBook()
    made.load({}, {})
    gone = []
    for number in range(VISITS_MOST + 3):
        stay = replace(STAY, session_id=type(STAY.session_id)(int=number + 10))
        made.keep(stay)
        gone += [state for state in made.end(stay, LEFT) if state.owner == "gate-visit" and state.body is None]
    assert len(gone) == 3
