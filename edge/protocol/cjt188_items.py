"""The metering answer of CJ/T 188: unit codes, and the layouts of water, gas and heat meters.

A unit code stands after its value in water and gas meters; heat meters are found with it on either side, so the side
is told by looking, and an answer where both or neither side holds a known code is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from edge.protocol.values import ValueRefusedError, bcd_low_first

VALUE_BYTES = 4
GROUP_BYTES = VALUE_BYTES + 1
TIME_BYTES = 7
STATUS_BYTES = 2
WATER_DATA_BYTES = 2 * GROUP_BYTES + TIME_BYTES + STATUS_BYTES
HEAT_GROUPS = 5
HEAT_DATA_BYTES = HEAT_GROUPS * GROUP_BYTES + 3 * 3 + TIME_BYTES + STATUS_BYTES
NOT_KEPT = b"\xff" * VALUE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCode:
    """What a unit code means: its name, what it measures, and how many base units (kWh, kW, m3, m3/h) it is."""

    name: str
    base: str
    factor: Fraction


_KWH_PER_JOULE = Fraction(1, 3_600_000)
UNIT_CODES = {
    0x02: UnitCode(name="Wh", base="kWh", factor=Fraction(1, 1000)),
    0x05: UnitCode(name="kWh", base="kWh", factor=Fraction(1)),
    0x08: UnitCode(name="MWh", base="kWh", factor=Fraction(1000)),
    0x0A: UnitCode(name="MWh x 100", base="kWh", factor=Fraction(100_000)),
    0x0B: UnitCode(name="kJ", base="kWh", factor=1000 * _KWH_PER_JOULE),
    0x0E: UnitCode(name="MJ", base="kWh", factor=10**6 * _KWH_PER_JOULE),
    0x11: UnitCode(name="GJ", base="kWh", factor=10**9 * _KWH_PER_JOULE),
    0x14: UnitCode(name="W", base="kW", factor=Fraction(1, 1000)),
    0x17: UnitCode(name="kW", base="kW", factor=Fraction(1)),
    0x1A: UnitCode(name="MW", base="kW", factor=Fraction(1000)),
    0x29: UnitCode(name="L", base="m3", factor=Fraction(1, 1000)),
    0x2C: UnitCode(name="m3", base="m3", factor=Fraction(1)),
    0x32: UnitCode(name="L/h", base="m3/h", factor=Fraction(1, 1000)),
    0x35: UnitCode(name="m3/h", base="m3/h", factor=Fraction(1)),
}


def unit_of(code: int) -> UnitCode:
    """Return the meaning of a unit code.

    Raises:
        ValueRefusedError: no source knows the code.
    """
    if code not in UNIT_CODES:
        raise ValueRefusedError(f"unit code {code:02x} is not known; the value is refused, the frame kept")
    return UNIT_CODES[code]


def split_group(group: bytes, *, unit_first: bool) -> tuple[bytes, UnitCode]:
    """Return the four value bytes of a group and its unit.

    Raises:
        ValueRefusedError: the group is short or its unit code is not known.
    """
    if len(group) != GROUP_BYTES:
        raise ValueRefusedError(f"a value with its unit needs {GROUP_BYTES} bytes, got {len(group)}")
    return (group[1:], unit_of(group[0])) if unit_first else (group[:VALUE_BYTES], unit_of(group[VALUE_BYTES]))


def heat_unit_stands_first(data: bytes) -> bool:
    """Return whether the unit codes of a heat meter's answer stand before their values.

    Raises:
        ValueRefusedError: the answer has another length, or both or neither reading fits.
    """
    if len(data) != HEAT_DATA_BYTES:
        raise ValueRefusedError(f"a heat meter's answer has {HEAT_DATA_BYTES} data bytes, got {len(data)}")
    groups = [data[n * GROUP_BYTES : (n + 1) * GROUP_BYTES] for n in range(HEAT_GROUPS)]
    first = all(group[0] in UNIT_CODES for group in groups)
    last = all(group[VALUE_BYTES] in UNIT_CODES for group in groups)
    if first == last:
        raise ValueRefusedError("the unit codes fit both before and after the values, or neither; nothing is taken")
    return first


def parse_time(raw: bytes) -> datetime | None:
    """Return the meter's own civil time (ss mm hh DD MM YYYY, low byte first), or None when it is none."""
    try:
        second, minute, hour, day, month = (bcd_low_first(raw[n : n + 1]) for n in range(5))
        year = bcd_low_first(raw[5:TIME_BYTES])
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the meter states no zone
    except (ValueRefusedError, ValueError):
        return None
