"""Every verdict is told to an OCPP pile in a word of its protocol, every answer of a pile to people in words."""

from __future__ import annotations

from pathlib import Path

import edge.kiosk
from edge.driver import ocpp_server
from edge.driver.pile_events import StopAnswer, Verdict


def test_every_verdict_has_a_word_of_the_protocol() -> None:
    assert set(ocpp_server._STATUS) == set(Verdict)


def test_every_answer_has_words() -> None:
    page = (Path(edge.kiosk.__file__).parent / "templates" / "message.html").read_text(encoding="utf-8")
    assert all(f'"pile_{answer.value}":' in page for answer in StopAnswer)
