"""CJ/T 188 frames in words: meter, identifier, and the metering answer of water, gas and heat meters."""

from __future__ import annotations

from edge.protocol import cjt188
from edge.protocol.cjt188 import Frame
from edge.protocol.cjt188_items import (
    GROUP_BYTES,
    HEAT_DATA_BYTES,
    NOT_KEPT,
    STATUS_BYTES,
    TIME_BYTES,
    WATER_DATA_BYTES,
    heat_unit_stands_first,
    parse_time,
    split_group,
)
from edge.protocol.summed_frame import ERROR_FLAG
from edge.protocol.values import bcd_low_first, decimal_text

_ECHO_BYTES = cjt188.IDENTIFIER_BYTES + 1
_WRITE = 0x04
_VALVE_IDENTIFIERS = frozenset({"a017", "17a0"})
_METERING_IDENTIFIERS = frozenset({"901f", "1f90"})
_HEAT_VALUES = (
    ("settlement_heat", 2),
    ("current_heat", 2),
    ("heat_power", 2),
    ("flow", 4),
    ("cumulative_volume", 2),
)
_TEMPERATURE_BYTES = 3
_HEAT_TEMPERATURES = ("supply_temp", "return_temp")


def describe_cjt188(frame: Frame) -> dict[str, object]:
    """Return what a sound frame says.

    Raises:
        ValueRefusedError: a value is not BCD, or a unit code is not known.
    """
    described: dict[str, object] = {
        "meter_type": f"{frame.meter_type:02x}",
        "address": frame.address,
        "control": f"{frame.control:02x}",
        "length": len(frame.payload),
    }
    if frame.control & ERROR_FLAG or len(frame.payload) < _ECHO_BYTES:
        return described | {"data": frame.payload.hex()}
    identifier = frame.payload[: cjt188.IDENTIFIER_BYTES].hex()
    described |= {"di_wire": identifier, "ser": f"{frame.payload[cjt188.IDENTIFIER_BYTES]:02x}"}
    data = frame.payload[_ECHO_BYTES:]
    if identifier in _VALVE_IDENTIFIERS and frame.control == _WRITE and len(data) == 1:
        return described | {"meaning": "valve control", "valve": data.hex()}
    if identifier in _METERING_IDENTIFIERS and len(data) == WATER_DATA_BYTES:
        return described | _water(data)
    if identifier in _METERING_IDENTIFIERS and len(data) == HEAT_DATA_BYTES:
        return described | _heat(data)
    return described | ({"data": data.hex()} if data else {})


def _water(data: bytes) -> dict[str, object]:
    settlement = data[GROUP_BYTES : 2 * GROUP_BYTES]
    settled_raw, settled_unit = split_group(settlement, unit_first=False)
    kept = None if settled_raw == NOT_KEPT else decimal_text(bcd_low_first(settled_raw), 2)
    return {
        "cumulative": _group(data[:GROUP_BYTES], 2, unit_first=False),
        "settlement_or_month": {"value": kept, "unit": settled_unit.name, "raw": settled_raw.hex()},
        **_tail(data[2 * GROUP_BYTES :]),
    }


def _heat(data: bytes) -> dict[str, object]:
    unit_first = heat_unit_stands_first(data)
    side = "BEFORE" if unit_first else "AFTER"
    described: dict[str, object] = {"layout": f"unit byte {side} each 4-byte value"}
    for n, (name, decimals) in enumerate(_HEAT_VALUES):
        group = data[n * GROUP_BYTES : (n + 1) * GROUP_BYTES]
        raw, _ = split_group(group, unit_first=unit_first)
        described[name] = {**_group(group, decimals, unit_first=unit_first), "raw": raw.hex()}
    rest = data[len(_HEAT_VALUES) * GROUP_BYTES :]
    for name in _HEAT_TEMPERATURES:
        digits = bcd_low_first(rest[:_TEMPERATURE_BYTES])
        described[name] = {"unit": "degC", "value": decimal_text(digits, 2)}
        rest = rest[_TEMPERATURE_BYTES:]
    described["working_hours"] = {"unit": "h", "value": str(bcd_low_first(rest[:_TEMPERATURE_BYTES]))}
    return described | _tail(rest[_TEMPERATURE_BYTES:])


def _group(group: bytes, decimals: int, *, unit_first: bool) -> dict[str, object]:
    raw, unit = split_group(group, unit_first=unit_first)
    return {"value": decimal_text(bcd_low_first(raw), decimals), "unit": unit.name}


def _tail(rest: bytes) -> dict[str, object]:
    """Return time and status; a time that is none takes nothing from the reading."""
    raw_time = rest[:TIME_BYTES]
    moment = parse_time(raw_time)
    return {
        "time_raw": raw_time.hex(),
        "status": rest[TIME_BYTES : TIME_BYTES + STATUS_BYTES].hex(),
        "time": moment.isoformat() if moment else None,
    }
