"""Which driver stands behind a camera model; what does not fit is refused with the remedy."""

from __future__ import annotations

import pytest

from common.errors import RefusalError
from edge.driver.camera_http import HttpGateWire
from edge.driver.gate_build import build_gate_wire
from edge.driver.gate_events import Post
from edge.driver.gate_mqtt import MqttGateWire
from edge.driver.outcome import WireKind
from tests.edge.driver.builders import StandingClock, catalogue, wire_config

POST = Post(camera="CAM-1", barrier="BAR-1")


def test_a_zhenshi_camera_on_a_broker_gets_the_mqtt_driver() -> None:
    wire = build_gate_wire(wire_config(WireKind.MQTT, "h:1"), catalogue(), "zhenshi-camera", (POST,), StandingClock())
    assert isinstance(wire, MqttGateWire)


def test_a_camera_that_pushes_gets_the_driver_with_a_port() -> None:
    config = wire_config(WireKind.CAMERA_HTTP, "127.0.0.1:0")
    wire = build_gate_wire(config, catalogue(), "dahua-itsapi", (POST,), StandingClock())
    assert isinstance(wire, HttpGateWire)


@pytest.mark.parametrize(
    ("kind", "model", "message"),
    [
        (WireKind.CAMERA_HTTP, "zhenshi-camera", "choose one of zhenshi-http"),
        (WireKind.MQTT, "eastron-sdm120", "no gate topics"),
        (WireKind.MODBUS_TCP, "zhenshi-camera", "put it on an mqtt wire"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(kind: WireKind, model: str, message: str) -> None:
    with pytest.raises(RefusalError, match=message):
        build_gate_wire(wire_config(kind, "h:1"), catalogue(), model, (POST,), StandingClock())
