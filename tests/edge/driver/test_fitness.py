"""A site against the device models: every misfit is told at once, naming device and remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.errors import FaultsError
from common.reading.reading import Quantity
from edge.driver.fitness import check_site
from edge.driver.outcome import DeviceConfig, WireConfig, WireKind
from tests.edge.driver.builders import catalogue, device, wire_config

LINE = wire_config(WireKind.SERIAL, "/dev/ttyUSB0")
TCP = wire_config(WireKind.MODBUS_TCP, "192.0.2.7:502", wire="w2")
SERIES = wire_config(WireKind.RECORDED, "series.csv", wire="w3")
GOOD = (
    device(1, "eastron-sdm120", "1"),
    device(2, "dlt645-2007-single-phase", "000000000161"),
    device(3, "eastron-sdm120", "1", wire="w2"),
    device(4, "not-a-model", "-", wire="w3"),
)


def faults_of(*devices: DeviceConfig, wires: tuple[WireConfig, ...] = (LINE, TCP, SERIES)) -> list[str]:
    with pytest.raises(FaultsError) as refusal:
        check_site(wires, devices, catalogue())
    return [str(fault) for fault in refusal.value.faults]


def test_a_sound_site_passes() -> None:
    check_site((LINE, TCP, SERIES), GOOD, catalogue())


@pytest.mark.parametrize(
    ("odd", "what"),
    [
        (device(9, "eastron-sdm120", "1"), "shares address 1 on wire w1 with S1"),
        (device(9, "eastron-sdm120", "300"), "not a unit id of 1..247"),
        (device(9, "dlt645-2007-single-phase", "161"), "is not 12 digits"),
        (device(9, "cjt188-water", "161", Quantity.VOLUME), "is not 14 digits"),
        (device(9, "eastron-sdm999", "9"), "no device model is called"),
        (device(9, "eastron-sdm120", "9", Quantity.VOLUME), "has no volume"),
        (device(9, "eastron-sdm120", "9", wire="w9"), "no wire is called"),
        (device(9, "dlt645-2007-single-phase", "000000000009", wire="w2"), "does not run over a modbus-tcp wire"),
        (replace(device(9, "eastron-sdm120", "9"), parameters={"ct": "40"}), "has no parameter ct"),
    ],
)
def test_a_misfit_names_the_device_and_a_remedy(odd: DeviceConfig, what: str) -> None:
    found = faults_of(*GOOD, odd)

    assert len(found) == 1
    assert found[0].startswith("device S9: ")
    assert what in found[0]


def test_all_misfits_are_told_at_once() -> None:
    odd = (device(8, "eastron-sdm999", "1"), device(9, "eastron-sdm120", "0"))

    assert len(faults_of(*GOOD, *odd, wires=(LINE, replace(TCP, address="nowhere"), SERIES))) == 3
