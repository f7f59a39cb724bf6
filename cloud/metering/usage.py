"""Usage: differences of register values at civil midnights, never stored twice and never guessed.

The register of a meter at a midnight depends on the midnight and on what is known alone, so neighbouring segments share
their boundary and tile time: no gap, no overlap, and their sum is the last register minus the first plus rollovers.
A register that is absent or held yields `MissingUsage`, never zero. Pure values and functions; no database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from common.civil import Period
from common.ids import MeterId
from common.reading.reading import Quality, Quantity


class MissingKind(StrEnum):
    """Why a usage is not known."""

    NO_READING = "no_reading"
    HELD_READING = "held_reading"
    BACKWARDS = "backwards"


class SegmentKind(StrEnum):
    """How a usage came to be known."""

    MEASURED = "measured"
    ESTIMATED = "estimated"
    ROLLOVER = "rollover"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRef:
    """A register value and where it is kept, so that it can be traced to its signed batch.

    `value_milli` is before the multiplier. `block_day` and `block_rev` name the block that holds it;
    `revision` is set instead when a corrected or hand-read value stands over the block.
    """

    meter_id: MeterId
    quantity: Quantity
    read_at: datetime
    value_milli: int
    quality: Quality
    block_day: date | None = None
    block_rev: int | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSegment:
    """What one meter counted over a span of civil days, in milli-units after the multiplier."""

    meter_id: MeterId
    period: Period
    from_register: RegisterRef
    to_register: RegisterRef
    quantity_milli: int
    kind: SegmentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingUsage:
    """A usage that is not known, and the midnight whose register is at fault."""

    meter_id: MeterId
    period: Period
    kind: MissingKind
    day: date
