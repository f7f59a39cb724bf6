"""Which driver owns a network with door boards."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from edge.driver.door_build import build_door_wire
from edge.driver.door_fcard import FcardWire
from edge.driver.door_uhppote import UhppoteWire
from edge.driver.outcome import WireConfig, WireKind

WIRES = {
    kind.value: WireConfig(wire=kind.value, kind=kind, address="127.0.0.1:0")
    for kind in (WireKind.DOOR_UDP, WireKind.DOOR_TCP, WireKind.MQTT)
}


def test_each_kind_has_its_driver_and_others_a_refusal_with_its_remedy() -> None:
    assert isinstance(build_door_wire(WIRES, "door-udp", ()), UhppoteWire)
    assert isinstance(build_door_wire(WIRES, "door-tcp", ()), FcardWire)
    with pytest.raises(RefusalError, match="make it a door-udp"):
        build_door_wire(WIRES, "mqtt", ())
    with pytest.raises(RefusalError, match="'else' is unknown"):
        build_door_wire(WIRES, "else", ())
