"""Every answer of a door board has words on the page that opens it by hand."""

from __future__ import annotations

from pathlib import Path

import edge.kiosk
from edge.driver.door_events import DoorAnswer


def test_every_answer_has_words() -> None:
    page = (Path(edge.kiosk.__file__).parent / "templates" / "message.html").read_text(encoding="utf-8")
    assert all(f'"door_{answer.value}":' in page for answer in DoorAnswer)
