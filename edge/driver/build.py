"""Builds the wire owners of a site: which asker stands behind which kind of wire. Opens nothing yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from common.clock import Clock
from edge.device.catalogue import Catalogue
from edge.driver.asking import Asker
from edge.driver.exchanger import LinePace
from edge.driver.gate_mqtt import split_address
from edge.driver.health import BackOff
from edge.driver.line_asker import LineAsker
from edge.driver.meter_wire import MeterWire
from edge.driver.modbus_tcp_asker import ModbusTcpAsker
from edge.driver.mqtt_meters import MqttMeterWire
from edge.driver.outcome import Wire, WireConfig, WireKind, WireStats
from edge.driver.pulse_wire import PulseWire
from edge.driver.recorded import RecordedWire
from edge.transport.line import serial_line, tcp_line
from edge.transport.pulse_input import open_pulse_lines

PULSE_FOLDER = "pulses"
MESSAGE_FOLDER = "messages"


def build_wires(
    configs: Iterable[WireConfig], catalogue: Catalogue, clock: Clock, *, folder: Path, back_off: BackOff
) -> Mapping[str, Wire]:
    """Return the meter wires of a site by name; wires of cameras and barriers are built elsewhere.

    `folder` is where relative paths of recorded series start, and pulse counts and messages are kept.
    """
    wires: dict[str, Wire] = {}
    for config in configs:
        if config.kind is WireKind.RECORDED:
            wires[config.wire] = RecordedWire(config, folder / config.address, clock)
        elif config.kind is WireKind.MQTT:
            wires[config.wire] = MqttMeterWire(config, catalogue, WireStats(), clock, folder / MESSAGE_FOLDER)
        elif config.kind is WireKind.PULSE:
            counts = folder / PULSE_FOLDER
            wires[config.wire] = PulseWire(config, catalogue, WireStats(), counts, open_pulse_lines)
        else:
            stats = WireStats()
            wires[config.wire] = MeterWire(config, catalogue, _asker(config, stats), stats, clock, back_off)
    return wires


def _asker(config: WireConfig, stats: WireStats) -> Asker:
    if config.kind is WireKind.MODBUS_TCP:
        return ModbusTcpAsker(*split_address(config.address), stats)
    line = (
        serial_line(config.address, config.baud, config.parity)
        if config.kind is WireKind.SERIAL
        else tcp_line(*split_address(config.address))
    )
    return LineAsker(line, LinePace.of_baud(config.baud), stats, echo=config.echo)
