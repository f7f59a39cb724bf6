"""A reading: what one point of one meter showed at one instant, as an integer with its quality."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag, StrEnum

from common.clock import require_utc
from common.ids import MeterId
from common.money.amount import check_int64


class Resource(StrEnum):
    """What flows through a meter. Hashed as the text it is: each reading of each meter looks many times into tables."""

    __hash__ = str.__hash__

    ELECTRICITY = "electricity"
    WATER = "water"
    HOT_WATER = "hot_water"
    GAS = "gas"
    HEAT = "heat"


class Quantity(StrEnum):
    """Which quantity of the meter a point shows. Cumulative ones are billed, instants are watched; hashed as text."""

    __hash__ = str.__hash__

    ENERGY_FORWARD = "energy_forward"
    ENERGY_REVERSE = "energy_reverse"
    ENERGY_T1 = "energy_t1"
    ENERGY_T2 = "energy_t2"
    ENERGY_T3 = "energy_t3"
    ENERGY_T4 = "energy_t4"
    VOLUME = "volume"
    HEAT_ENERGY = "heat_energy"
    POWER = "power"
    VOLTAGE = "voltage"
    CURRENT = "current"
    FLOW = "flow"
    TEMPERATURE = "temperature"


class Quality(IntFlag):
    """What is known against a reading; no flag means measured and plausible."""

    GOOD = 0
    SUSPECT = 1
    ESTIMATED = 2
    MANUAL = 4
    BACKWARDS = 8
    JUMP = 16
    CLOCK_BOUNDED = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A register of one meter at one instant.

    `value_milli` is in milli-units of the point's unit, before the meter's multiplier.
    """

    meter_id: MeterId
    quantity: Quantity
    read_at: datetime
    value_milli: int
    quality: Quality = Quality.GOOD

    def __post_init__(self) -> None:
        """Check the instant and the 64-bit range."""
        require_utc(self.read_at, "read_at")
        check_int64(self.value_milli, "reading")
