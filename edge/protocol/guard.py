"""The late-answer guard of a line: which question may be asked when, as pure arithmetic on instants.

A Modbus RTU answer names its unit, function and length, but not its registers; a late answer to one question
therefore passes for the answer to the next one of the same shape (measured: 12 of 12 with every library tried). Two
rules make that impossible for any answer that comes within the profile's longest answer time:

1. after a time-out of a protocol whose answers do not name their question, the line stays silent until the longest
   answer time since the question has passed;
2. two questions of one shape are never asked within one longest answer time, so a doubled or late answer to the first
   cannot meet the second.

Instants are seconds of any monotonic clock, passed in.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from common.errors import ensure

SHAPES_MOST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a profile says about a device's pace, in seconds."""

    answer_s: float
    longest_s: float
    gap_s: float

    def __post_init__(self) -> None:
        """Check that the longest answer time covers the time-out."""
        ensure(0 < self.answer_s <= self.longest_s, "the longest answer time is at least the time-out")
        ensure(self.gap_s >= 0, "a gap is no negative time")


class LineGuard:
    """The memory of one line: until when it must be silent, and until when each shape is taken."""

    def __init__(self) -> None:
        self._silent_until = float("-inf")
        self._taken_until: dict[Hashable, float] = {}

    def ready_at(self, shape: Hashable) -> float:
        """Return the earliest instant at which a question of the shape may be asked."""
        return max(self._silent_until, self._taken_until.get(shape, float("-inf")))

    def asked(self, shape: Hashable, at: float, timing: Timing) -> None:
        """Note that a question of the shape went out."""
        if len(self._taken_until) >= SHAPES_MOST:
            self._taken_until = {key: until for key, until in self._taken_until.items() if until > at}
        self._taken_until[shape] = at + timing.longest_s

    def ended(self, at: float, timing: Timing) -> None:
        """Note that an exchange ended with an answer; the line rests for the gap."""
        self._silent_until = max(self._silent_until, at + timing.gap_s)

    def timed_out(self, asked_at: float, at: float, timing: Timing, *, self_identifying: bool) -> None:
        """Note that a question went unanswered."""
        self.ended(at, timing)
        if not self_identifying:
            self._silent_until = max(self._silent_until, asked_at + timing.longest_s)
