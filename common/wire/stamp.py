"""When something was made, by the gateway's two clocks, and how far its date can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.clock import from_epoch_ms


class ClockSource(StrEnum):
    """Where a business time comes from, best first."""

    SYNCHRONISED = "synchronised"  # the kernel says its clock is disciplined
    RTC = "rtc"
    RECEIPT = "receipt"  # signed time in a cloud receipt
    METER = "meter"
    BOUNDED = "bounded"  # no trusted clock in this boot yet: order and durations hold, the date does not


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When something was made: boot number and boot-time milliseconds, then its business time with its uncertainty."""

    boot_no: int
    boot_ms: int
    at_ms: int
    source: ClockSource
    uncertainty_ms: int

    @property
    def at(self) -> datetime:
        """Return the business instant."""
        return from_epoch_ms(self.at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """One meeting of the boot-time clock with a business time."""

    boot_no: int
    boot_ms: int
    utc_ms: int
    source: ClockSource
    uncertainty_ms: int
