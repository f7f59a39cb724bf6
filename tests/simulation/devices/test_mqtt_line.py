"""The gateway's MQTT wire against simulated sub-meters and a real broker: what is read is what was said."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

from common.reading.reading import Quantity
from edge.driver.mqtt_meters import MqttMeterWire
from edge.driver.outcome import ReadOutcome, WireKind, WireStats
from tests.edge.driver.builders import NOON, StandingClock, catalogue, device, wire_config
from tests.simulation.broker import mosquitto_program, start_broker
from tests.simulation.devices.description import FaultEntry, Line, Meter, Site
from tests.simulation.devices.house import serve_site

PLUG = device(1, "tasmota-energy", "plug-1", Quantity.ENERGY_FORWARD, Quantity.POWER)
RADIO = device(2, "chirpstack-litres-u32", "0102030405060708", Quantity.VOLUME)
EPOCH = NOON.replace(month=1, day=1, hour=16) - timedelta(days=1)


def site(broker: str, *faults: FaultEntry) -> Site:
    return Site(
        seed=5,
        epoch=EPOCH,
        lines=(Line(line="air", kind="mqtt", listen=broker, answer_ms=50),),
        meters=(
            Meter(serial="P1", model=PLUG.profile, line="air", address=PLUG.address, start_milli=7_000_000),
            Meter(serial="R1", model=RADIO.profile, line="air", address=RADIO.address, daily_milli=400),
        ),
        faults=faults,
    )


async def read_both(broker: str, folder: Path, *faults: FaultEntry) -> list[ReadOutcome]:
    """Listen until both meters have said everything asked of them."""
    clock = StandingClock()
    wire = MqttMeterWire(wire_config(WireKind.MQTT, broker), catalogue(), WireStats(), clock, folder / "messages")
    async with serve_site(site(broker, *faults), clock, folder), asyncio.TaskGroup() as tasks:
        ear = tasks.create_task(wire.listen([PLUG, RADIO]))
        outcomes: list[ReadOutcome] = []
        for _ in range(400):
            outcomes = [await wire.read(one) for one in (PLUG, RADIO)]
            if not any(outcome.failures for outcome in outcomes):
                break
            await asyncio.sleep(0.02)
        ear.cancel()
    return outcomes


def logged(folder: Path, serial: str) -> list[dict[str, object]]:
    lines = (folder / "exchanges-air.jsonl").read_text(encoding="utf-8").splitlines()
    return [entry for entry in map(json.loads, lines) if entry["meter"] == serial]


async def test_what_sub_meters_publish_is_what_the_gateway_reads(tmp_path: Path) -> None:
    process, broker = await asyncio.to_thread(start_broker, tmp_path, program=mosquitto_program())
    try:
        plug, radio = await read_both(broker, tmp_path, FaultEntry(kind="doubled", line="air"))
    finally:
        await asyncio.to_thread(process.stop)

    for outcome, serial in ((plug, "P1"), (radio, "R1")):
        said = [entry["values"] for entry in logged(tmp_path, serial)]
        assert {str(point.quantity): point.value_milli for point in outcome.points} in said, serial
    assert plug.points[0].value_milli > 7_000_000
