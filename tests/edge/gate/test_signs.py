"""What a driver reads: plate, the owed amount and the time stayed; nothing for a car that is not there any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from edge.gate.rules import Act, Decision, Reason, Ruling, decide
from edge.gate.signs import duration_text, sign_of
from tests.edge.builders import START
from tests.edge.gate.test_rules import ENTERING, UNREAD, leaving


def test_a_car_that_owes_reads_how_long_it_stayed_and_what_it_owes() -> None:
    sight = leaving(1200)
    sign = sign_of(sight, decide(sight))
    assert sign is not None
    assert sign.lines == ("苏A12345", "停3小时0分", "请缴费12.00元")


def test_a_ticket_is_shown_and_spoken() -> None:
    ruling = Ruling(act=Act.ENTRY, decision=Decision.OPEN, reason=Reason.TICKET)
    sign = sign_of(UNREAD, ruling, "482913")
    assert sign is not None
    assert "482913" in sign.lines[0]
    assert "482913" in sign.voice


def test_every_reason_to_hold_has_words_that_a_board_can_show() -> None:
    for reason in Reason:
        sign = sign_of(ENTERING, Ruling(act=Act.REFUSED, decision=Decision.HOLD, reason=reason))
        assert sign is not None
        assert all(line.encode("gbk") for line in sign.lines)


def test_a_record_from_the_past_shows_nothing() -> None:
    past = replace(ENTERING, offline=True)
    assert sign_of(past, decide(past)) is None


@pytest.mark.parametrize(("minutes", "text"), [(0, "0分钟"), (59, "59分钟"), (60, "1小时0分"), (1510, "25小时10分")])
def test_durations_are_hours_and_minutes(minutes: int, text: str) -> None:
    assert duration_text(START, START + timedelta(minutes=minutes)) == text
