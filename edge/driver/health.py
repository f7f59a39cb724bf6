"""Back-off of dead meters: one that failed twice is left alone for a doubling time, so its slots go to the others.

Instants are seconds of the loop's clock, passed in; the business clock plays no part here.
"""

from __future__ import annotations

from dataclasses import dataclass

from common.errors import ensure
from common.ids import MeterId

FAILURES_BEFORE_BACK_OFF = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BackOff:
    """How long a dead meter is left alone: `first_s`, then doubled up to `most_s`."""

    first_s: float = 5.0
    most_s: float = 300.0

    def __post_init__(self) -> None:
        """Check the order of the bounds."""
        ensure(0 < self.first_s <= self.most_s, "a back-off grows from its first time to its longest")


@dataclass(slots=True)
class _Record:
    failures: int = 0
    due_at: float = 0.0


class DeviceHealth:
    """The failures of the meters of one wire."""

    def __init__(self, back_off: BackOff) -> None:
        self._back_off = back_off
        self._records: dict[MeterId, _Record] = {}

    def due(self, meter_id: MeterId, at: float) -> bool:
        """Return whether the meter may be asked now."""
        record = self._records.get(meter_id)
        return record is None or record.failures < FAILURES_BEFORE_BACK_OFF or at >= record.due_at

    def suspect(self, meter_id: MeterId) -> bool:
        """Return whether the meter failed when last asked; such a meter gets one short question and no retry."""
        return meter_id in self._records

    def answered(self, meter_id: MeterId) -> None:
        """Note that the meter lives."""
        self._records.pop(meter_id, None)

    def failed(self, meter_id: MeterId, at: float) -> None:
        """Note that the meter gave nothing."""
        record = self._records.setdefault(meter_id, _Record())
        record.failures += 1
        doublings = max(0, record.failures - FAILURES_BEFORE_BACK_OFF)
        record.due_at = at + min(self._back_off.first_s * 2 ** min(doublings, 30), self._back_off.most_s)
