"""Ids for the cloud's composition roots: time-ordered, random tails from the operating system."""

from __future__ import annotations

import secrets

from common.clock import Clock
from common.ids import TimeOrderedIds


def system_ids(clock: Clock) -> TimeOrderedIds:
    """Return an id source on the business clock and the operating system's randomness."""
    return TimeOrderedIds(clock.now, secrets.token_bytes)
