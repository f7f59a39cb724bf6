"""What is written up: a plate in the personal lane only, every event by reference, codes that no car inside has."""

from __future__ import annotations

from dataclasses import asdict, replace

from common.ids import TimeOrderedIds
from common.wire.batch import PersonalItem
from common.wire.records import ParkingEvent
from edge.gate.acts import Clerk
from edge.gate.plan import Direction, GateLane
from edge.gate.rules import decide
from edge.gate.stays import StayBook
from tests.edge.builders import HandClock
from tests.edge.gate.bench import counting
from tests.edge.gate.sights import sight_at
from tests.edge.gate.test_rules import ENTERING, TICKETS, UNREAD, leaving

LANE = GateLane(lot="north", camera="IN", barrier="BAR", direction=Direction.ENTRY)


def clerk(book: StayBook) -> Clerk:
    clock = HandClock()
    return Clerk(book, clock, TimeOrderedIds(clock.now, counting()))


def test_an_entry_writes_the_plate_once_and_refers_to_it() -> None:
    book = StayBook()
    deed = clerk(book).deed(LANE, sight_at("IN"), ENTERING, decide(ENTERING))
    item, event = deed.records
    assert isinstance(item, PersonalItem)
    assert isinstance(event, ParkingEvent)
    assert (item.value, event.vehicle) == ("苏A12345", item.item_id)
    assert "苏A12345" not in str(asdict(event))
    assert [stay.plate for stay in book.stays.values()] == ["苏A12345"]


def test_a_refusal_moves_no_session() -> None:
    book = StayBook()
    sight = leaving(700)
    deed = clerk(book).deed(LANE, sight_at("IN"), sight, decide(sight))
    assert deed.states == []
    assert not book.stays


def test_tickets_given_out_differ() -> None:
    book = StayBook()
    sight = replace(UNREAD, lot=TICKETS)
    writes = clerk(book)
    codes = {writes.deed(LANE, sight_at("IN", None), sight, decide(sight)).ticket for _ in range(50)}
    assert len(codes) == 50
    assert {stay.plate for stay in book.stays.values()} == codes
