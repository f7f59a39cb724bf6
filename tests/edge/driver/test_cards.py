"""Cards: in force from an instant to another, revoked at once, for their own doors only; no money fits in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from common.errors import FaultsError
from edge.driver.cards import CardState, card_sha, parse_cards
from tests.edge.builders import START


def permit(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "card": "10058400",
        "doors": ["gate-1"],
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_to": "2026-02-01T00:00:00Z",
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "days", "state"),
    [
        ({}, 0, CardState.ADMITTED),
        ({}, 31, CardState.EXPIRED),
        ({}, -1, CardState.NOT_YET),
        ({"revoked": True}, 0, CardState.REVOKED),
        ({"doors": ["gate-2"]}, 0, CardState.ELSEWHERE),
        ({"card": "77"}, 0, CardState.UNKNOWN),
        ({"card": None, "card_sha": card_sha("10058400")}, 0, CardState.ADMITTED),
        ({"card": "0010058400"}, 0, CardState.ADMITTED),
    ],
)
def test_what_a_card_is_worth(changes: dict[str, Any], days: int, state: CardState) -> None:
    book = parse_cards({"permits": [permit(**changes)]})
    assert book.at_door("10058400", "gate-1", START + timedelta(days=days)) is state


def test_one_permit_in_force_is_enough() -> None:
    book = parse_cards({"permits": [permit(revoked=True), permit()]})
    assert book.at_door("10058400", "gate-1", START) is CardState.ADMITTED


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"card": None}, "exactly one"),
        ({"card_sha": "ab"}, "exactly one"),
        ({"card": "x" * 65}, "length"),
        ({"valid_to": "2025-01-01T00:00:00Z"}, "ends before"),
        ({"valid_from": "2026-01-01T00:00:00"}, "zone"),
        ({"open_fen": 12_00}, "open_fen"),
        ({"arrears": True}, "arrears"),
    ],
)
def test_a_broken_permit_and_one_that_speaks_of_money_is_refused_whole(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FaultsError, match=message) as caught:
        parse_cards({"permits": [permit(), permit(**changes)]})
    assert "10058400" not in str(caught.value)
