"""A business clock that a test sets."""

from __future__ import annotations

from datetime import datetime, timedelta

from common.clock import require_utc


class SettableClock:
    """A clock that stands still until told otherwise."""

    def __init__(self, start: datetime) -> None:
        self._now = require_utc(start)

    def now(self) -> datetime:
        """Return the instant last set."""
        return self._now

    def set(self, instant: datetime) -> None:
        """Jump to an instant, backwards too."""
        self._now = require_utc(instant)

    def advance(self, *, days: int = 0, hours: int = 0, minutes: int = 0, seconds: int = 0) -> None:
        """Move forward."""
        self._now += timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
