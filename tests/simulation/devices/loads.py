"""What a simulated meter shows at a business instant: a pure function of seed, serial and time.

A day's use varies around the meter's mean; inside the day it follows the shape of its kind. Registers move in whole
steps of the dial (a hundredth of the unit), so an auditor can compare to the digit. Tariff registers split the day by
hour and always add up to the total.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

STEP_MILLI = 10
QUARTERS = 96
_QUARTER = timedelta(minutes=15)
_DAY = timedelta(days=1)
_DAY_FACTOR_LEAST = 500
_DAY_FACTOR_SPAN = 1000
_THOUSAND = 1000
# Weight of each hour of the day; each shape is spread over its four quarters.
SHAPES = {
    "household": (2, 1, 1, 1, 1, 2, 6, 8, 5, 3, 3, 4, 5, 4, 3, 3, 4, 7, 9, 10, 9, 7, 5, 3),
    "shop": (0, 0, 0, 0, 0, 0, 1, 3, 6, 9, 10, 10, 9, 9, 10, 10, 9, 9, 8, 7, 5, 2, 0, 0),
    "public": (4, 4, 4, 4, 4, 4, 4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 3, 4, 5, 5, 5, 5, 4, 4),
}
# Tariff register of each hour: 1 sharp, 2 peak, 3 flat, 4 valley.
TARIFF_OF_HOUR = (4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 2, 2, 3, 3, 3, 3, 3, 3, 2, 1, 1, 2, 3, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The load behind one meter. `start_milli` is the dial at `epoch` (a local midnight, in UTC)."""

    seed: int
    serial: str
    epoch: datetime
    start_milli: int
    daily_milli: int
    shape: str = "household"
    _days: dict[int, int] = field(default_factory=dict, repr=False, compare=False)

    def total_milli(self, at: datetime) -> int:
        """Return the dial of the total register."""
        return sum(self.tariff_milli(at, tariff) for tariff in (1, 2, 3, 4))

    def tariff_milli(self, at: datetime, tariff: int) -> int:
        """Return the dial of one tariff register; the start stands in the flat one."""
        day, rest = divmod(max(at - self.epoch, timedelta(0)), _DAY)
        used = sum(self._day_milli(n) for n in range(day)) * self._tariff_weight(tariff, QUARTERS) // self._weights()
        used += self._day_milli(day) * self._tariff_weight(tariff, rest // _QUARTER) // self._weights()
        start = self.start_milli if tariff == 3 else 0
        return (start + used) // STEP_MILLI * STEP_MILLI

    def power_watt(self, at: datetime) -> int:
        """Return the mean power of the quarter hour, for meters that count kilowatt hours."""
        hour = (at - self.epoch) % _DAY // timedelta(hours=1)
        day = max(at - self.epoch, timedelta(0)) // _DAY
        return self._day_milli(day) * SHAPES[self.shape][hour] // sum(SHAPES[self.shape])

    def wobble(self, at: datetime, what: str, least: int, most: int) -> int:
        """Return an instant value that changes each quarter hour within bounds."""
        quarter = (at - self.epoch) // _QUARTER
        return least + _hash(self.seed, self.serial, f"{what}:{quarter}") % (most - least + 1)

    def _day_milli(self, day: int) -> int:
        if day not in self._days:
            factor = _DAY_FACTOR_LEAST + _hash(self.seed, self.serial, f"day:{day}") % (_DAY_FACTOR_SPAN + 1)
            self._days[day] = self.daily_milli * factor // _THOUSAND
        return self._days[day]

    def _tariff_weight(self, tariff: int, quarters: int) -> int:
        hours, rest = divmod(quarters, 4)
        shape = SHAPES[self.shape]
        whole = sum(4 * shape[hour] for hour in range(hours) if TARIFF_OF_HOUR[hour] == tariff)
        return whole + (rest * shape[hours] if rest and TARIFF_OF_HOUR[hours] == tariff else 0)

    def _weights(self) -> int:
        return 4 * sum(SHAPES[self.shape])


def _hash(seed: int, serial: str, what: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{serial}:{what}".encode(), digest_size=8).digest())
