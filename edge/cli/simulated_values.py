"""What a simulated meter shows, and how its model's registers say it: values in, bytes out.

A counter is a straight line in time that starts from the meter's own number, so it never runs backwards, not over a
restart either, and two meters differ. The encoding follows the profile, therefore it proves nothing about the profile.
"""

from __future__ import annotations

import struct
import zlib
from datetime import UTC, datetime
from fractions import Fraction

from common.reading.reading import Quantity
from edge.device.model import ItemPlace, Point, PointKind, Profile, UnitCodes
from edge.driver.outcome import DeviceConfig

COUNTED_FROM = datetime(2026, 1, 1, tzinfo=UTC)
_HUNDREDTHS = 100
_SECONDS_PER_HOUR = 3600
_GJ_PER_KWH = Fraction(3600, 10**6)
_PER_HOUR = {
    Quantity.ENERGY_FORWARD: Fraction(6, 10),
    Quantity.ENERGY_REVERSE: Fraction(1, 100),
    Quantity.VOLUME: Fraction(2, 100),
    Quantity.HEAT_ENERGY: Fraction(15, 10),
}
_STANDING = {
    Quantity.POWER: Fraction(6, 10),
    Quantity.VOLTAGE: Fraction(2304, 10),
    Quantity.CURRENT: Fraction(26, 10),
    Quantity.FLOW: Fraction(2, 100),
    Quantity.TEMPERATURE: Fraction(55),
}
_TARIFF_SHARES = {Quantity.ENERGY_T1: 10, Quantity.ENERGY_T2: 30, Quantity.ENERGY_T3: 40}
_RETURN_TEMPERATURE = Fraction(40)
_UNIT_CODES = {"kWh": 0x05, "GJ": 0x11, "m3": 0x2C, "kW": 0x17, "m3/h": 0x35}
_UNIT_BYTES = 1
_FLOATS = {"f32": ">f", "f64": ">d"}
_SIGN_BIT = 0x80


def value_of(device: DeviceConfig, point: Point, now: datetime) -> Fraction:
    """Return what the meter shows of a point, in the point's unit; counters in whole hundredths."""
    quantity = point.quantity
    if point.kind is PointKind.INSTANT:
        returning = quantity is Quantity.TEMPERATURE and "return" in point.id
        return _RETURN_TEMPERATURE if returning else _STANDING.get(quantity, Fraction(1))
    if quantity in _TARIFF_SHARES or quantity is Quantity.ENERGY_T4:
        return Fraction(_tariff_hundredths(_counted(device, Quantity.ENERGY_FORWARD, now), quantity), _HUNDREDTHS)
    counted = Fraction(_counted(device, quantity, now), _HUNDREDTHS)
    return counted * _GJ_PER_KWH if point.unit == "GJ" else counted


def count_of(device: DeviceConfig, profile: Profile, point: Point, now: datetime) -> Fraction:
    """Return the number that the model sends for a point: before its scale, and without what parameters do to it."""
    value = value_of(device, point, now)
    for name in point.add:
        value -= _parameter(device, profile, name)
    for name in point.multiply_by:
        value /= _parameter(device, profile, name) or 1
    if point.wrap is not None:
        value %= point.wrap
    return value / point.scale


def register_bytes(device: DeviceConfig, profile: Profile, point: Point, now: datetime) -> bytes:
    """Return the bytes of a point as its model sends them, `point.size` of them."""
    count = count_of(device, profile, point, now)
    if point.unit_codes is not UnitCodes.NONE:
        digits = _low_first(round(count), point.size - _UNIT_BYTES)
        return digits + bytes([_UNIT_CODES[point.unit]])
    return _packed(count, point)


def item_bytes(device: DeviceConfig, profile: Profile, identifier: str, now: datetime) -> bytes | None:
    """Return the data of a DL/T 645 or CJ/T 188 identifier; None for one that the model does not answer."""
    item = next((one for one in profile.items if one.identifier == identifier), None)
    if item is None:
        return None
    data = bytearray(item.data_bytes)
    for point in profile.points:
        if isinstance(point.place, ItemPlace) and point.place.identifier == identifier:
            raw = register_bytes(device, profile, point, now)
            data[point.place.offset : point.place.offset + len(raw)] = raw
            if point.unit_codes is UnitCodes.DETECT:  # a heat meter's first group is kept energy: its unit, no digits
                data[point.size - _UNIT_BYTES] = _UNIT_CODES["kWh"]
    return bytes(data)


def _counted(device: DeviceConfig, quantity: Quantity, now: datetime) -> int:
    start = zlib.crc32(f"{device.serial} {quantity}".encode()) % 100_000
    seconds = max(0, int((now - COUNTED_FROM).total_seconds()))
    rate = _PER_HOUR.get(quantity, Fraction(1))
    return start + int(rate * _HUNDREDTHS * seconds / _SECONDS_PER_HOUR)


def _tariff_hundredths(total: int, quantity: Quantity) -> int:
    shares = {one: total * percent // 100 for one, percent in _TARIFF_SHARES.items()}
    return shares[quantity] if quantity in shares else total - sum(shares.values())


def _parameter(device: DeviceConfig, profile: Profile, name: str) -> Fraction:
    return Fraction(device.parameters.get(name, profile.parameters[name].default))


def _packed(count: Fraction, point: Point) -> bytes:
    if point.type in _FLOATS:
        return _ordered(struct.pack(_FLOATS[point.type], float(count)), point.order)
    whole = round(count)
    if point.type == "bcd_low_first_signed":
        digits = bytearray(_low_first(abs(whole), point.size))
        digits[-1] |= _SIGN_BIT * (whole < 0)
        return bytes(digits)
    if point.type == "bcd_low_first":
        return _low_first(whole, point.size)
    if point.type == "bcd":
        return _ordered(_low_first(whole, point.size)[::-1], point.order)
    bits = 8 * point.size - point.type.startswith("s")
    return _ordered((whole % (1 << bits)).to_bytes(point.size), point.order)


def _low_first(number: int, size: int) -> bytes:
    return bytes.fromhex(f"{number % 10 ** (2 * size):0{2 * size}d}")[::-1]


def _ordered(high_first: bytes, order: str) -> bytes:
    words = [high_first[n : n + 2] for n in range(0, len(high_first), 2)]
    if order in {"CDAB", "DCBA"}:
        words.reverse()
    return b"".join(word[::-1] if order in {"BADC", "DCBA"} else word for word in words)
