"""Unit codes and media of M-Bus in words."""

from __future__ import annotations

import pytest

from edge.protocol.mbus_units import medium_name, unit_name


@pytest.mark.parametrize(
    ("vib", "words"),
    [
        ("00", "Energy (mWh)"),
        ("06", "Energy (kWh)"),
        ("86", "Energy (kWh)"),
        ("0e", "Energy (MJ)"),
        ("13", "Volume (m m^3)"),
        ("15", "Volume (1e-1 m^3)"),
        ("16", "Volume ( m^3)"),
        ("22", "On time (hours)"),
        ("2d", "Power (100 W)"),
        ("59", "Flow temperature (1e-2 deg C)"),
        ("6c", "Time Point (date)"),
        ("6d", "Time Point (time & date)"),
        ("78", "Fabrication number"),
        ("7b", "Unknown (VIF=0x7B)"),
        ("ff", "Manufacturer specific"),
        ("fb", "Missing VIF extension"),
        ("fb01", "Energy (MWh)"),
        ("fb5b", "Flow Temperature ( degree F)"),
        ("fb7f", "cumul. count max power (10 k W)"),
        ("fb40", "Reserved (0x40)"),
        ("fd0c", "Model / Version"),
        ("fd17", "Error flags"),
        ("fd49", "V"),
        ("fd5c", "A"),
        ("fd02", "Credit of 1e-1 of the nominal local legal currency units"),
        ("fd26", "Storage interval hour(s)"),
        ("fd6e", "Operating time battery month(s)"),
        ("fd71", "Reserved VIF extension"),
    ],
)
def test_a_unit_code_has_its_words(vib: str, words: str) -> None:
    assert unit_name(bytes.fromhex(vib), b"") == words


def test_a_makers_own_unit_is_the_text_it_sends_last_letter_first() -> None:
    assert unit_name(b"\x7c", b"emit .tab") == "bat. time"
    assert unit_name(bytes.fromhex("fc73"), b"X") == "m X"


@pytest.mark.parametrize(
    ("medium", "name"),
    [
        (0x04, "Heat: Outlet"),
        (0x07, "Water"),
        (0x16, "Cold water"),
        (0x3F, "Reserved"),
        (0x40, "Unknown medium (0x40)"),
    ],
)
def test_a_medium_has_its_name(medium: int, name: str) -> None:
    assert medium_name(medium) == name
