"""The rules of a session: a stay in a car park, priced by time. Data only; minutes are whole, prices micro amounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from common.tariff.model import Days, TimeSpan, Words


class Cut(StrEnum):
    """Where a stay is cut into parts that are priced and capped on their own.

    `DAY_FROM_FIRST_ENTRY` counts 24 hours from the first of several visits: visits inside share the cap, and the next
    24 hours begin with the first minute parked after them.
    """

    NEVER = "never"
    CALENDAR_DAY = "calendar_day"
    DAY_FROM_ENTRY = "day_from_entry"
    DAY_FROM_FIRST_ENTRY = "day_from_first_entry"


class Gather(StrEnum):
    """Which minutes are added up before they are rounded to units.

    `RUN` is one contiguous stretch at one price, `WINDOW` all minutes of one window, `PART` everything in a part.
    """

    RUN = "run"
    WINDOW = "window"
    PART = "part"


class UnitRounding(StrEnum):
    """How a unit that was begun and not completed counts."""

    STARTED = "started"
    COMPLETED = "completed"
    EXACT = "exact"


class FreeLimit(StrEnum):
    """Whether a stay of exactly the free minutes is still free."""

    UP_TO = "up_to"
    UNDER = "under"


class Visits(StrEnum):
    """Whether several visits of one vehicle in one day (or 24 hours) are priced one by one or as one."""

    SEPARATE = "separate"
    TOGETHER = "together"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stretch of charged time: `minutes` long (None: the rest), priced per unit of `every` minutes."""

    minutes: int | None
    every: int
    price_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionWindow:
    """A time window with its prices.

    `once_micro` is due when the window is touched at all; `cap_micro` bounds each occurrence; of every `most_of`
    minutes of an occurrence at most `most_minutes` are charged.
    """

    name: str
    label: Words
    spans: tuple[TimeSpan, ...]
    days: Days
    blocks: tuple[Block, ...]
    once_micro: int | None = None
    cap_micro: int | None = None
    most_minutes: int = 0
    most_of: int = 0

    @property
    def bound_by_occurrence(self) -> bool:
        """Return whether the window has a rule that holds for each of its occurrences."""
        return self.once_micro is not None or self.cap_micro is not None or self.most_of > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeTime:
    """Minutes without charge; `deducted` ones stay free when the stay is longer, others are then charged too."""

    minutes: int
    limit: FreeLimit
    deducted: bool
    each_part: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRule:
    """How a stay is priced.

    `part_caps_micro` rise by day: the n-th part has the n-th cap, later ones the last. `rolling_cap_micro` is the most
    that any 24 hours cost, wherever they begin and over all visits. A vehicle that is back within `rejoin_minutes` goes
    on with its stay, as if it had not left.
    """

    windows: tuple[SessionWindow, ...]
    cut: Cut
    gather: Gather
    rounding: UnitRounding
    free: FreeTime | None
    visits: Visits
    count_seconds: bool
    restart_blocks: bool
    allowance_minutes: int = 0
    tail_minutes: int = 0
    short_stay_minutes: int = 0
    full_part_micro: int | None = None
    part_caps_micro: tuple[int, ...] = ()
    rolling_cap_micro: int | None = None
    rejoin_minutes: int = 0
    missing_exit: time | None = None
    exit_grace_minutes: int = 0
