"""The published frames with known answers, by id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# Names of meters, conditions and free words are the source's remarks about a frame, not in its bytes.
REMARKS = frozenset({"meaning", "meter", "register", "value", "unit_of_value", "quantity", "condition"})


def _read(name: str) -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return vectors


METER_VECTORS = _read("meter-vectors.json")
SITE_VECTORS = _read("site-vectors.json")


def vector(name: str) -> dict[str, Any]:
    """Return one vector."""
    return next(one for one in METER_VECTORS if one["id"] == name)


def vector_bytes(name: str) -> bytes:
    """Return the frame of one vector."""
    return bytes.fromhex(vector(name)["hex"])


def covers(found: object, expected: object) -> bool:
    """Return whether everything that a source states is found; a source may leave out keys and later entries."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            key in found and covers(found[key], value) for key, value in expected.items()
        )
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) < len(expected):
            return False
        return all(covers(one, two) for one, two in zip(found, expected, strict=False))
    return found == expected
