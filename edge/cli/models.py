"""`gatehouse edge models`: the device models on board, and what stands behind each: whose frames were replayed.

A frame made from the register list proves the decoding and not the meter, so such models are listed and not counted.
"""

from __future__ import annotations

from collections.abc import Iterable

from edge.device.model import Mark, Profile

_STRENGTH = (Mark.CAPTURED, Mark.DOCUMENTED, Mark.TEST_SUITE, Mark.DERIVED)


def strongest_mark(profile: Profile) -> Mark:
    """Return the best that stands behind the values of a model."""
    marks = {recording.mark for recording in profile.recordings if recording.values}
    return next((mark for mark in _STRENGTH if mark in marks), Mark.DERIVED)


def models_table(profiles: Iterable[Profile]) -> str:
    """Return the models as a table with counts below."""
    ordered = sorted(profiles, key=lambda profile: (profile.resource, profile.model))
    rows = [("model", "resource", "protocol", "stands on", "recordings")]
    rows += [(one.model, one.resource, one.protocol, strongest_mark(one), str(len(one.recordings))) for one in ordered]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    meters = [one for one in ordered if one.points]
    proven = [one for one in meters if strongest_mark(one) is not Mark.DERIVED]
    printed = sum(strongest_mark(one) in (Mark.CAPTURED, Mark.DOCUMENTED) for one in meters)
    counts = (
        f"{len(ordered)} models, {len(meters)} of them meters: {len(proven)} stand on frames that a meter, a manual or "
        f"another project gave ({printed} on captured or documented ones), {len(meters) - len(proven)} on frames made "
        "from their register list"
    )
    return "\n".join([*lines, "", counts, ""])
