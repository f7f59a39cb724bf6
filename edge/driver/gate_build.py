"""Builds the wire of a site's cameras: which driver stands behind which kind of wire and model. Opens nothing yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from common.clock import Clock
from common.errors import RefusalError
from edge.device.catalogue import Catalogue
from edge.driver.camera_http import CameraFamily, HttpGateWire
from edge.driver.gate_events import GateWire, Post
from edge.driver.gate_many import GateWires
from edge.driver.gate_mqtt import MqttGateWire
from edge.driver.outcome import WireConfig, WireKind, WireStats


def build_gate(
    cameras: Mapping[tuple[str, str], Sequence[Post]],
    wires: Mapping[str, WireConfig],
    catalogue: Catalogue,
    clock: Clock,
) -> GateWires:
    """Return the wires of all cameras as one; `cameras` are grouped by wire and model. Building opens nothing.

    Raises:
        RefusalError: a wire is unknown, or a model does not fit its wire.
    """
    built: dict[GateWire, Sequence[Post]] = {}
    for (wire, model), posts in cameras.items():
        if wire not in wires:
            raise RefusalError(f"gate: wire {wire!r} is unknown; name one of {sorted(wires)}")
        built[build_gate_wire(wires[wire], catalogue, model, posts, clock)] = posts
    return GateWires(built)


def build_gate_wire(
    config: WireConfig, catalogue: Catalogue, model: str, posts: Collection[Post], clock: Clock
) -> GateWire:
    """Return the gate wire of some cameras of one model.

    Raises:
        RefusalError: the model is no camera, or does not speak over this kind of wire.
    """
    if config.kind is WireKind.CAMERA_HTTP:
        if model not in set(CameraFamily):
            raise RefusalError(f"camera model {model!r} pushes nothing; choose one of {', '.join(CameraFamily)}")
        return HttpGateWire(config, CameraFamily(model), posts, clock)
    topics = catalogue.profile(model).gate
    if topics is None:
        raise RefusalError(f"device model {model!r} has no gate topics; choose a camera model")
    if config.kind is not WireKind.MQTT:
        raise RefusalError(f"camera model {model!r} does not run over a {config.kind} wire; put it on an mqtt wire")
    return MqttGateWire(config, topics, posts, WireStats(), clock)
