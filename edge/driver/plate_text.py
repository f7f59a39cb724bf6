"""The plate in a camera's message: bounded and normalised, or None for a car without one."""

from __future__ import annotations

from common.errors import RefusalError
from edge.protocol.plates import CHARACTERS_MOST, normalise


def checked_plate(text: str) -> str | None:
    """Return the plate of a camera's text.

    Raises:
        RefusalError: the text is too long to be one.
    """
    if len(text) > 2 * CHARACTERS_MOST:
        raise RefusalError(f"a plate of {len(text)} characters is none; check what sends as this camera")
    plate = normalise(text)
    if plate is not None and len(plate) > CHARACTERS_MOST:
        raise RefusalError(f"a plate of {len(plate)} characters is none; check what sends as this camera")
    return plate
