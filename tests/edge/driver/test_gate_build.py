"""Which driver stands behind a camera model; what does not fit is refused with the remedy."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from edge.driver.gate_build import build_gate_wire
from edge.driver.gate_events import Post
from edge.driver.gate_mqtt import MqttGateWire
from edge.driver.outcome import WireKind
from tests.edge.driver.builders import StandingClock, catalogue, wire_config

POST = Post(camera="CAM-1", barrier="BAR-1")


def test_a_zhenshi_camera_on_a_broker_gets_the_mqtt_driver() -> None:
    wire = build_gate_wire(wire_config(WireKind.MQTT, "h:1"), catalogue(), "zhenshi-camera", (POST,), StandingClock())
    assert isinstance(wire, MqttGateWire)


@pytest.mark.parametrize(
    ("kind", "model", "message"),
    [
        (WireKind.MQTT, "eastron-sdm120", "no gate topics"),
        (WireKind.MODBUS_TCP, "zhenshi-camera", "put it on an mqtt wire"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(kind: WireKind, model: str, message: str) -> None:
    with pytest.raises(RefusalError, match=message):
        build_gate_wire(wire_config(kind, "h:1"), catalogue(), model, (POST,), StandingClock())
