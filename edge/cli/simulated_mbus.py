"""The telegram of a simulated M-Bus meter: the records that its profile names, in units that the decoder knows."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from edge.cli.simulated_values import value_of
from edge.device.model import Point, Profile, RecordPlace
from edge.driver.outcome import DeviceConfig
from edge.driver.records import KWH_PER_UNIT
from edge.protocol.mbus import RSP_UD, LinkAddress, long_frame

# The value information of a record kind, and how many of its counts make one unit of the profile.
_CODES = {
    "energy": (b"\x04", 100),
    "volume": (b"\x13", 1000),
    "power": (b"\x2b", 1000),
    "flow": (b"\x3b", 1000),
    "flow_temperature": (b"\x59", 100),
    "return_temperature": (b"\x5d", 100),
    "external_temperature": (b"\x65", 100),
    "voltage": (b"\xfd\x48", 10),
    "current": (b"\xfd\x59", 1000),
}
_FUNCTIONS = {"instantaneous": 0, "maximum": 1, "minimum": 2, "error_state": 3}
_MEDIA = {"electricity": 0x02, "gas": 0x03, "heat": 0x04, "hot_water": 0x06, "water": 0x07}
_INTEGER_OF_FOUR = 0x04
_EXTENSION = 0x80
_VARIABLE_DATA = 0x72
_VERSION = 1
_LETTER_BITS = 5
_ANY_MAKER = "GHS"


def identity(device: DeviceConfig, profile: Profile, address: LinkAddress) -> bytes:
    """Return serial, maker, version and medium as they stand in a telegram."""
    if address.secondary:
        serial, rest = address.secondary[:4], address.secondary[4:]
        if rest != b"\xff" * 4:
            return address.secondary
    else:
        serial = bytes.fromhex(f"{int(device.address):08d}")[::-1]
    code = 0
    for letter in profile.maker or _ANY_MAKER:
        code = code << _LETTER_BITS | ord(letter) - ord("@")
    return serial + code.to_bytes(2, "little") + bytes([_VERSION, _MEDIA.get(profile.resource, 0)])


def telegram(device: DeviceConfig, profile: Profile, address: LinkAddress, now: datetime) -> bytes:
    """Return the meter's one telegram."""
    records = b"".join(
        _record(point, point.place, value_of(device, point, now))
        for point in profile.points
        if isinstance(point.place, RecordPlace)
    )
    header = bytes([_VARIABLE_DATA]) + identity(device, profile, address) + bytes(4)
    return long_frame(RSP_UD, address.primary % 256, header + records)


def _record(point: Point, place: RecordPlace, value: Fraction) -> bytes:
    code, counts = _CODES[place.record]
    digits = round(value * counts * KWH_PER_UNIT.get(point.unit, 1))
    if place.qualifiers:
        code = code[:-1] + bytes([code[-1] | _EXTENSION]) + place.qualifiers
    return _where(place) + code + digits.to_bytes(4, "little", signed=True)


def _where(place: RecordPlace) -> bytes:
    """Return what says function, storage, tariff and subunit: one byte, and as many behind it as are needed."""
    block = [_INTEGER_OF_FOUR | _FUNCTIONS[place.function] << 4 | (place.storage & 1) << 6]
    storage, tariff, subunit = place.storage >> 1, place.tariff, place.subunit
    while storage or tariff or subunit:
        block[-1] |= _EXTENSION
        block.append(storage & 0x0F | (tariff & 0x03) << 4 | (subunit & 1) << 6)
        storage, tariff, subunit = storage >> 4, tariff >> 2, subunit >> 1
    return bytes(block)
