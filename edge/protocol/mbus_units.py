"""The unit codes and media of M-Bus in words, as the widely used decoders print them (EN 13757-3, tables 10 to 14).

Only people read these words; values for bills are made in `mbus_records`, which knows no text.
"""

from __future__ import annotations

_PREFIXES = {
    0: "", -3: "m", -6: "my", 1: "10 ", 2: "100 ", 3: "k", 4: "10 k", 5: "100 k", 6: "M", 9: "G",
}  # fmt: skip
_MEDIA = {
    0x00: "Other", 0x01: "Oil", 0x02: "Electricity", 0x03: "Gas", 0x04: "Heat: Outlet", 0x05: "Steam",
    0x06: "Warm water (30-90degC)", 0x07: "Water", 0x08: "Heat Cost Allocator", 0x09: "Compressed Air",
    0x0A: "Cooling load meter: Outlet", 0x0B: "Cooling load meter: Inlet", 0x0C: "Heat: Inlet",
    0x0D: "Heat / Cooling load meter", 0x0E: "Bus/System", 0x0F: "Unknown Medium", 0x10: "Irrigation Water",
    0x11: "Water Logger", 0x12: "Gas Logger", 0x13: "Gas Converter", 0x14: "Calorific value",
    0x15: "Hot water (>90degC)", 0x16: "Cold water", 0x17: "Dual water", 0x18: "Pressure", 0x19: "A/D Converter",
    0x1A: "Smoke Detector", 0x1B: "Ambient Sensor", 0x1C: "Gas Detector", 0x20: "Breaker: Electricity",
    0x21: "Valve: Gas or Water", 0x25: "Customer Unit: Display Device", 0x28: "Waste Water", 0x29: "Garbage",
    0x30: "Service Unit", 0x36: "Radio Converter: System", 0x37: "Radio Converter: Meter",
}  # fmt: skip
_RESERVED_MEDIA_LEAST, _RESERVED_MEDIA_MOST = 0x22, 0x3F
_SPANS = ("seconds", "minutes", "hours", "days")
_LONG_SPANS = ("hour(s)", "day(s)", "month(s)", "year(s)")
# First code, words around the prefix, and the power of ten of the first code; eight codes each.
_EIGHTS = {
    0x00: ("Energy ({}Wh)", -3), 0x08: ("Energy ({}J)", 0), 0x10: ("Volume ({} m^3)", -6), 0x18: ("Mass ({}kg)", -3),
    0x28: ("Power ({}W)", -3), 0x30: ("Power ({}J/h)", 0), 0x38: ("Volume flow ({} m^3/h)", -6),
    0x40: ("Volume flow ({} m^3/min)", -7), 0x48: ("Volume flow ({} m^3/s)", -9), 0x50: ("Mass flow ({} kg/h)", -3),
}  # fmt: skip
# The same with four codes each, all beginning at a thousandth.
_FOURS = {
    0x58: "Flow temperature ({}deg C)", 0x5C: "Return temperature ({}deg C)",
    0x60: "Temperature Difference ({} deg C)", 0x64: "External temperature ({} deg C)", 0x68: "Pressure ({} bar)",
}  # fmt: skip
_TIMES = {0x20: "On time", 0x24: "Operating time", 0x70: "Averaging Duration", 0x74: "Actuality Duration"}
_SINGLES = {
    0x6C: "Time Point (date)", 0x6D: "Time Point (time & date)", 0x6E: "Units for H.C.A.", 0x6F: "Reserved",
    0x78: "Fabrication number", 0x7A: "Bus Address", 0x7C: "Custom VIF", 0x7F: "Manufacturer specific",
    0xFF: "Manufacturer specific",
}  # fmt: skip
_FIRST_EXTENSION = {
    0x00: "Energy (0.1 MWh)", 0x01: "Energy (MWh)", 0x08: "Energy (0.1 GJ)", 0x09: "Energy (GJ)",
    0x10: "Volume (100 m3)", 0x11: "Volume (km3)", 0x18: "Mass (100 t)", 0x19: "Mass (kt)",
    0x21: "Volume (0.1 feet^3)", 0x22: "Volume (0.1 american gallon)", 0x23: "Volume (american gallon)",
    0x24: "Volume flow (0.001 american gallon/min)", 0x25: "Volume flow (american gallon/min)",
    0x26: "Volume flow (american gallon/h)", 0x28: "Power (0.1 MW)", 0x29: "Power (MW)", 0x30: "Power (0.1 GJ/h)",
    0x31: "Power (GJ/h)",
}  # fmt: skip
_FIRST_FOURS = {
    0x58: "Flow Temperature ({} degree F)", 0x5C: "Return Temperature ({} degree F)",
    0x60: "Temperature Difference ({} degree F)", 0x64: "External Temperature ({} degree F)",
    0x70: "Cold / Warm Temperature Limit ({} degree F)", 0x74: "Cold / Warm Temperature Limit ({} degree C)",
}  # fmt: skip
_SECOND_EXTENSION = {
    0x08: "Access Number (transmission count)", 0x09: "Medium (as in fixed header)",
    0x0A: "Manufacturer (as in fixed header)", 0x0B: "Parameter set identification", 0x0C: "Model / Version",
    0x0D: "Hardware version", 0x0E: "Firmware version", 0x0F: "Software version", 0x10: "Customer location",
    0x11: "Customer", 0x12: "Access Code User", 0x13: "Access Code Operator", 0x14: "Access Code System Operator",
    0x15: "Access Code Developer", 0x16: "Password", 0x17: "Error flags", 0x18: "Error mask", 0x19: "Reserved",
    0x1A: "Digital output (binary)", 0x1B: "Digital input (binary)", 0x1C: "Baudrate", 0x1D: "response delay time",
    0x1E: "Retry", 0x1F: "Reserved", 0x20: "First storage # for cyclic storage",
    0x21: "Last storage # for cyclic storage", 0x22: "Size of storage block", 0x23: "Reserved",
    0x28: "Storage interval month(s)", 0x29: "Storage interval year(s)", 0x2A: "Reserved", 0x2B: "Reserved",
    0x30: "Start (date/time) of tariff", 0x38: "Period of tariff months(s)", 0x39: "Period of tariff year(s)",
    0x3A: "dimensionless / no VIF", 0x60: "Reset counter", 0x61: "Cumulation counter", 0x62: "Control signal",
    0x63: "Day of week", 0x64: "Week number", 0x65: "Time point of day change",
    0x66: "State of parameter activation", 0x67: "Special supplier information",
    0x70: "Date and time of battery change",
}  # fmt: skip
_SECOND_SPANS = {
    0x24: "Storage interval", 0x2C: "Duration since last readout", 0x30: "Duration of tariff",
    0x34: "Period of tariff",
}  # fmt: skip
_SECOND_LONG_SPANS = {0x68: "Duration since last cumulation", 0x6C: "Operating time battery"}
_SECOND_SIXTEENS = {0x40: ("V", 9), 0x50: ("A", 12)}
_CURRENCY = {0x00: "Credit", 0x04: "Debit"}
FIRST_EXTENSION, SECOND_EXTENSION = 0xFB, 0xFD
CUSTOM_UNIT, CUSTOM_SCALED_UNIT = 0x7C, 0xFC
_CODE = 0x7F


def medium_name(medium: int) -> str:
    """Return the name of a medium."""
    if medium in _MEDIA:
        return _MEDIA[medium]
    reserved = _RESERVED_MEDIA_LEAST <= medium <= _RESERVED_MEDIA_MOST
    return "Reserved" if reserved else f"Unknown medium (0x{medium:02x})"


def unit_name(vib: bytes, custom: bytes) -> str:
    """Return what a value information block says, in words; `custom` is the unit's text as sent, last letter first."""
    return " ".join(_words(vib, custom).split())


def _words(vib: bytes, custom: bytes) -> str:
    first = vib[0]
    if first in {FIRST_EXTENSION, SECOND_EXTENSION}:
        if len(vib) == 1:
            return "Missing VIF extension"
        return (_first if first == FIRST_EXTENSION else _second)(vib[1] & _CODE, vib[1])
    if first == CUSTOM_UNIT:
        return _text(custom)
    if first == CUSTOM_SCALED_UNIT and len(vib) > 1 and vib[1] & 0x78 == 0x70:  # noqa: PLR2004 - code 1110 nnn
        return f"{_prefix((vib[1] & 0x07) - 6)} {_text(custom)}"
    return _SINGLES.get(first) or _primary(first & _CODE, first)


def _text(reversed_text: bytes) -> str:
    return reversed_text[::-1].decode("latin-1")


def _prefix(exponent: int) -> str:
    return _PREFIXES.get(exponent, f"1e{exponent} ")


def _primary(code: int, sent: int) -> str:
    if code & ~7 in _EIGHTS:
        words, power = _EIGHTS[code & ~7]
        return words.format(_prefix(power + (code & 7)))
    if code & ~3 in _FOURS:
        return _FOURS[code & ~3].format(_prefix((code & 3) - 3))
    if code & ~3 in _TIMES:
        return f"{_TIMES[code & ~3]} ({_SPANS[code & 3]})"
    return _SINGLES.get(code, f"Unknown (VIF=0x{sent:02X})")


def _first(code: int, sent: int) -> str:
    if code & ~3 in _FIRST_FOURS:
        return _FIRST_FOURS[code & ~3].format(_prefix((code & 3) - 3))
    if code & ~7 == 0x78:  # noqa: PLR2004 - the last eight codes
        return f"cumul. count max power ({_prefix((code & 7) - 3)} W)"
    return _FIRST_EXTENSION.get(code, f"Reserved (0x{sent:02x})")


def _second(code: int, _: int) -> str:
    if code & ~3 in _CURRENCY:
        return f"{_CURRENCY[code & ~3]} of {_prefix((code & 3) - 3)} of the nominal local legal currency units"
    if code in _SECOND_EXTENSION:
        return _SECOND_EXTENSION[code]
    if code & ~3 in _SECOND_SPANS:
        return f"{_SECOND_SPANS[code & ~3]} {_SPANS[code & 3][:-1]}(s)"
    if code & ~3 in _SECOND_LONG_SPANS:
        return f"{_SECOND_LONG_SPANS[code & ~3]} {_LONG_SPANS[code & 3]}"
    if code & ~15 in _SECOND_SIXTEENS:
        unit, power = _SECOND_SIXTEENS[code & ~15]
        return f"{_prefix((code & 15) - power)} {unit}"
    return "Reserved VIF extension" if code & ~15 == 0x70 else "Reserved"  # noqa: PLR2004 - the last sixteen
