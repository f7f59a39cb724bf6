"""Dues are found by room and code together, as of the snapshot's date, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from common.errors import FaultsError
from edge.kiosk.dues import DueBill, DuesBook, lookup_sha, parse_dues


def body(**changes: Any) -> dict[str, Any]:
    line = {"name": {"zh": "电费", "en": "Electricity"}, "amount_fen": 7_625}
    bill = {"number": "B1", "period": "2026-01", "total_fen": 7_625, "open_fen": 7_625, "lines": [line]}
    room = {"room": "1-2-301", "lookup_sha": lookup_sha("1-2-301", "4711"), "bills": [bill]}
    return {"as_of": "2026-02-01T00:00:00Z", "rooms": [room]} | changes


def test_room_and_code_together_find_the_dues() -> None:
    found = parse_dues(body()).find(" 1-2-301 ", "4711")
    assert found is not None
    assert (found.room, found.open_fen) == ("1-2-301", 7_625)


@pytest.mark.parametrize(
    ("period", "span"),
    [("2026-01-01..2026-02-01", "2026-01-01 – 2026-01-31"), ("2026-01", "2026-01"), ("2026-01-01..", "2026-01-01..")],
)
def test_a_bill_says_the_first_and_the_last_day_of_its_period(period: str, span: str) -> None:
    assert DueBill(number="B1", period=period, total_fen=1, open_fen=1).span == span


@pytest.mark.parametrize(("room", "code"), [("1-2-301", "4712"), ("1-2-302", "4711"), ("", "")])
def test_a_wrong_pair_finds_nothing(room: str, code: str) -> None:
    assert parse_dues(body()).find(room, code) is None


def test_an_empty_book_finds_nothing() -> None:
    assert DuesBook().find("1-2-301", "4711") is None


def test_the_hash_names_the_same_room_however_it_is_typed() -> None:
    assert lookup_sha("a-1-101", "1") == lookup_sha(" A-1-101", "1 ")
    assert lookup_sha("A-1-101", "1") != lookup_sha("A-1-10", "11")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"as_of": "yesterday"}, "as_of"),
        ({"as_of": "2026-02-01T00:00:00"}, "zone"),
        ({"rooms": [{"room": "1"}]}, "lookup_sha"),
    ],
)
def test_a_faulty_snapshot_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FaultsError, match=message):
        parse_dues(body(**changes))
