"""A charge from plug to seal, as values. Pure.

    start ──► charging ──stop──► idling ──unplugged──► sealed
                 │                  └──(a day)───────► sealed with the idle minutes so far
                 └──pile gone, connector free or busy with another──► sealed as interrupted, at its last register

A charge is sealed once. An end that comes after that is told apart (`late`), never added up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from common.rating.charge import Charge, idle_minutes, thinned
from common.wire.limits import SAMPLES_MAX

INTERRUPTED_WAIT_MS = timedelta(hours=1) // timedelta(milliseconds=1)
IDLE_MOST_MS = timedelta(days=1) // timedelta(milliseconds=1)
AHEAD_MOST_MS = timedelta(minutes=10) // timedelta(milliseconds=1)
_SAMPLES_KEPT = SAMPLES_MAX


class End(StrEnum):
    """How a charge was sealed; the words of the wire format."""

    ENDED = "ended"
    INTERRUPTED = "interrupted"
    LATE = "late"  # an end of a charge that was sealed before
    UNKNOWN = "unknown"  # an end of a charge that nobody began


@dataclass(frozen=True, slots=True, kw_only=True)
class Charging:
    """A charge under way or idling; `lost_ms` is since when its pile or plug says that it is not there."""

    session_id: UUID
    transaction: int
    pile: str
    connector: int
    card: str
    started_ms: int
    samples: tuple[tuple[int, int], ...]
    ended_ms: int | None = None
    reason: str = ""
    full_ms: int | None = None
    lost_ms: int | None = None

    @property
    def last_wh(self) -> int:
        """Return the newest register."""
        return self.samples[-1][1]

    def is_start_of(self, card: str, meter_wh: int, at_ms: int) -> bool:
        """Return whether a pile that tells of this start tells it again."""
        return (self.card, self.samples[0][1], self.started_ms) == (card, meter_wh, at_ms)


def believed_ms(told_ms: int, now_ms: int) -> int:
    """Return the time a pile tells, unless it lies ahead of ours by more than clocks drift."""
    return now_ms if told_ms > now_ms + AHEAD_MOST_MS else told_ms


def with_sample(charge: Charging, at_ms: int, meter_wh: int) -> Charging:
    """Return a charge with one register more; one from the past, or one that falls, changes nothing."""
    last_ms, last_wh = charge.samples[-1]
    if at_ms < last_ms or meter_wh < last_wh or (at_ms, meter_wh) == (last_ms, last_wh):
        return charge
    samples = (*charge.samples, (at_ms, meter_wh))
    if len(samples) > _SAMPLES_KEPT:
        samples = thinned(samples, _SAMPLES_KEPT // 2)
    return replace(charge, samples=samples, lost_ms=None)


def with_end(charge: Charging, at_ms: int, meter_wh: int, reason: str) -> Charging:
    """Return a charge that has ended; a last register below the newest one known is not believed."""
    at_ms = max(at_ms, charge.samples[-1][0])
    ended = with_sample(charge, at_ms, max(meter_wh, charge.last_wh))
    return replace(ended, ended_ms=at_ms, reason=reason, lost_ms=None, full_ms=charge.full_ms)


def is_due(charge: Charging, now_ms: int) -> bool:
    """Return whether a charge is to be sealed without waiting for its pile any longer."""
    if charge.ended_ms is not None:
        return now_ms - charge.ended_ms >= IDLE_MOST_MS
    return charge.lost_ms is not None and now_ms - charge.lost_ms >= INTERRUPTED_WAIT_MS


def to_rate(charge: Charging, unplugged_ms: int | None) -> Charge:
    """Return what a tariff prices."""
    return Charge(samples=charge.samples, idle_minutes=idle_minutes(idle_from(charge), unplugged_ms))


def idle_from(charge: Charging) -> int | None:
    """Return since when the car only stands there: when it was full, else when the charge ended."""
    return charge.full_ms if charge.full_ms is not None else charge.ended_ms
