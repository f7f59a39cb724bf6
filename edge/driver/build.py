"""Builds the wire owners of a site: which asker stands behind which kind of wire. Opens nothing yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from common.clock import Clock
from common.errors import RefusalError
from edge.device.catalogue import Catalogue
from edge.driver.asking import Asker
from edge.driver.gate_mqtt import MqttGateWire, split_address
from edge.driver.health import BackOff
from edge.driver.line_asker import LineAsker, LinePace
from edge.driver.meter_wire import MeterWire
from edge.driver.modbus_tcp_asker import ModbusTcpAsker
from edge.driver.outcome import Wire, WireConfig, WireKind, WireStats
from edge.driver.recorded import RecordedWire
from edge.transport.line import serial_line, tcp_line


def build_wires(
    configs: Iterable[WireConfig], catalogue: Catalogue, clock: Clock, *, folder: Path, back_off: BackOff
) -> Mapping[str, Wire]:
    """Return the meter wires of a site by name; gate wires (MQTT) are built by `build_gate_wire`.

    `folder` is where relative paths of recorded series start.
    """
    wires: dict[str, Wire] = {}
    for config in configs:
        if config.kind is WireKind.RECORDED:
            wires[config.wire] = RecordedWire(config, folder / config.address, clock)
        elif config.kind is not WireKind.MQTT:
            stats = WireStats()
            wires[config.wire] = MeterWire(config, catalogue, _asker(config, stats), stats, clock, back_off)
    return wires


def build_gate_wire(
    config: WireConfig, catalogue: Catalogue, model: str, serials: Collection[str], clock: Clock
) -> MqttGateWire:
    """Return the gate wire of a site; `serials` are those of its cameras and barriers.

    Raises:
        RefusalError: the model is not a camera that speaks MQTT.
    """
    topics = catalogue.profile(model).gate
    if topics is None:
        raise RefusalError(f"device model {model!r} has no gate topics; choose a camera model")
    return MqttGateWire(config, topics, serials, WireStats(), clock)


def _asker(config: WireConfig, stats: WireStats) -> Asker:
    if config.kind is WireKind.MODBUS_TCP:
        return ModbusTcpAsker(*split_address(config.address), stats)
    line = (
        serial_line(config.address, config.baud, config.parity)
        if config.kind is WireKind.SERIAL
        else tcp_line(*split_address(config.address))
    )
    return LineAsker(line, LinePace.of_baud(config.baud), stats, echo=config.echo)
