"""A plate in words, for a technician who types one in."""

from __future__ import annotations

from common.errors import RefusalError
from edge.protocol.plates import kind_of, normalise


def describe_plate(data: bytes) -> dict[str, object]:
    """Return the kind of a plate.

    Raises:
        RefusalError: the text is no plate, or a camera's word for a car without one.
    """
    plate = normalise(data.decode("utf-8", errors="replace"))
    if plate is None:
        raise RefusalError("no plate: a camera's word for a car without one")
    kind = kind_of(plate)
    if kind is None:
        raise RefusalError(f"{plate} has the form of no Chinese plate")
    return {"plate": plate, "kind": kind.value}
