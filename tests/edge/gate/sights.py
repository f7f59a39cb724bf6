"""Small builders of what a camera saw."""

from __future__ import annotations

from typing import Any

from edge.driver.gate_events import PlateColour, PlateSeen
from tests.edge.builders import START


def sight_at(camera: str, plate: str | None = "苏A12345", **changes: Any) -> PlateSeen:
    """Return a car at a camera."""
    facts: dict[str, Any] = {
        "event_key": f"{camera}:1",
        "colour": PlateColour.BLUE,
        "confidence": 97,
        "seen_at": START,
        "stored_offline": False,
        "raw": b"",
    }
    return PlateSeen(camera=camera, plate=plate, **(facts | changes))
