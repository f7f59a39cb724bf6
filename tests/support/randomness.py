"""Randomness that is the same in every run."""

from __future__ import annotations

from collections.abc import Callable
from random import Random as Random  # noqa: PLC0414 - re-exported for annotations


def seeded_bytes(seed: int) -> Callable[[int], bytes]:
    """Return a source of bytes that depends on its seed alone."""
    return Random(seed).randbytes  # noqa: S311 - tests want the same ids each time


def seeded(seed: int) -> Random:
    """Return a generator that depends on its seed alone."""
    return Random(seed)  # noqa: S311 - tests want the same draws each time
