"""Device models of the simulated meters: the product's own, with the timing of meters that answer at once.

A gateway leaves the longest answer time between two equal questions, so that a late copy can never pass for a new
answer. Real meters are asked every quarter of an hour and never notice; in the demo a day passes in less than the two
and a half seconds that the models of real meters state.
"""

from __future__ import annotations

import re
from pathlib import Path

PROFILES = Path(__file__).resolve().parents[2] / "firmware-config" / "profiles"
ANSWER_MS = 450
_TIMING = re.compile(r"answer_ms: \d+, longest_ms: \d+")


def quick_models(folder: Path) -> Path:
    """Write the product's device models with quick timing into a folder and return it."""
    for model in PROFILES.rglob("*.yaml"):
        copy = folder / model.relative_to(PROFILES)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = model.read_text(encoding="utf-8")
        copy.write_text(_TIMING.sub(f"answer_ms: {ANSWER_MS}, longest_ms: {ANSWER_MS}", text), encoding="utf-8")
    return folder
