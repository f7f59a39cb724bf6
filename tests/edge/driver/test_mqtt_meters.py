"""Meters behind a real broker: heard after a publish, honest while the broker is away, back when it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from common.reading.reading import Quantity
from edge.device.catalogue import Catalogue
from edge.driver.mqtt_meters import MqttMeterWire
from edge.driver.outcome import FailureKind, ListeningWire, ReadOutcome, WireKind, WireStats
from tests.edge.driver.builders import StandingClock, device, wire_config
from tests.edge.driver.message_models import PLUG, model
from tests.simulation.broker import mosquitto_program, start_broker
from tests.simulation.processes import Process

PLUGS = [device(n, "plug", f"plug-{n}", Quantity.ENERGY_FORWARD) for n in (1, 2)]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[Process, str]]:
    process, address = start_broker(tmp_path, program=mosquitto_program())
    yield process, address
    process.stop()


@asynccontextmanager
async def listening(address: str, folder: Path) -> AsyncIterator[MqttMeterWire]:
    config = wire_config(WireKind.MQTT, address)
    wire = MqttMeterWire(config, Catalogue({"plug": model("plug", PLUG)}), WireStats(), StandingClock(), folder)
    async with asyncio.TaskGroup() as tasks:
        ear = tasks.create_task(wire.listen(PLUGS))
        yield wire
        ear.cancel()


async def say(address: str, *messages: tuple[str, bytes]) -> None:
    host, _, port = address.rpartition(":")
    async with aiomqtt.Client(host, int(port)) as client:
        for topic, payload in messages:
            await client.publish(topic, payload, qos=1)


async def eventually(wire: MqttMeterWire, number: int, kind: FailureKind | None) -> ReadOutcome:
    """Read until the outcome is of the wanted kind; None means a value."""
    async with asyncio.timeout(10):
        while True:
            outcome = await wire.read(PLUGS[number])
            found = outcome.failures[0].kind if outcome.failures else None
            if found is kind:
                return outcome
            await asyncio.sleep(0.02)


async def test_what_a_meter_publishes_is_read(broker: tuple[Process, str], tmp_path: Path) -> None:
    _, address = broker
    async with listening(address, tmp_path / "heard") as wire:
        await eventually(wire, 0, FailureKind.TIMEOUT)
        await say(address, ("tele/plug-1/SENSOR", b'{"Time":"a","ENERGY":{"Total":7.25}}'))

        outcome = await eventually(wire, 0, None)

        assert outcome.points[0].value_milli == 7_250
        assert (await wire.read(PLUGS[1])).points == ()
        assert isinstance(wire, ListeningWire)
        await wire.close()


async def test_hostile_payloads_do_not_end_the_connection(broker: tuple[Process, str], tmp_path: Path) -> None:
    _, address = broker
    hostile = [b"", b"\xff" * 1000, b"{" * 50_000, b'{"ENERGY":{"Total":1e9999}}', b"x" * 1_000_000]
    async with listening(address, tmp_path / "heard") as wire:
        await eventually(wire, 0, FailureKind.TIMEOUT)
        await say(address, *(("tele/plug-1/SENSOR", payload) for payload in hostile))
        await say(address, ("tele/plug-2/SENSOR", b'{"Time":"a","ENERGY":{"Total":1}}'))

        await eventually(wire, 1, None)

        assert wire.stats.bad_values == len(hostile)
        assert (await wire.read(PLUGS[0])).failures[0].kind is FailureKind.BAD_VALUE


async def test_a_broker_that_is_not_there_is_said_and_asked_again(tmp_path: Path) -> None:
    async with listening("127.0.0.1:9", tmp_path) as wire:
        outcome = await eventually(wire, 0, FailureKind.LINK_LOST)

        assert "127.0.0.1:9 cannot be reached" in outcome.failures[0].detail


async def test_a_broker_that_restarts_is_heard_again_and_old_words_stay_valid(
    broker: tuple[Process, str], tmp_path: Path
) -> None:
    process, address = broker
    async with listening(address, tmp_path / "heard") as wire:
        await eventually(wire, 0, FailureKind.TIMEOUT)
        await say(address, ("tele/plug-1/SENSOR", b'{"Time":"a","ENERGY":{"Total":7}}'))
        await eventually(wire, 0, None)
        await asyncio.to_thread(process.stop)
        await eventually(wire, 1, FailureKind.LINK_LOST)
        assert (await wire.read(PLUGS[0])).points[0].value_milli == 7_000

        program, port = mosquitto_program(), int(address.rpartition(":")[2])
        again, _ = await asyncio.to_thread(start_broker, tmp_path, program=program, port=port)
        await eventually(wire, 1, FailureKind.TIMEOUT)
        await say(address, ("tele/plug-2/SENSOR", b'{"Time":"b","ENERGY":{"Total":3}}'))
        await eventually(wire, 1, None)
        await asyncio.to_thread(again.stop)

    assert wire.stats.reconnects >= 1


async def test_what_was_said_before_a_restart_is_still_read_after_it(
    broker: tuple[Process, str], tmp_path: Path
) -> None:
    _, address = broker
    async with listening(address, tmp_path / "heard") as wire:
        await eventually(wire, 0, FailureKind.TIMEOUT)
        await say(address, ("tele/plug-1/SENSOR", b'{"Time":"a","ENERGY":{"Total":7}}'))
        await eventually(wire, 0, None)
        await wire.close()

    async with listening("127.0.0.1:9", tmp_path / "heard") as again:
        outcome = await eventually(again, 0, None)

    assert outcome.points[0].value_milli == 7_000


async def test_a_damaged_memory_is_left_out_and_the_wire_listens_all_the_same(
    broker: tuple[Process, str], tmp_path: Path
) -> None:
    _, address = broker
    (tmp_path / "w1.json").write_bytes(b"\xff\xfe")
    async with listening(address, tmp_path) as wire:
        await eventually(wire, 0, FailureKind.TIMEOUT)
        await say(address, ("tele/plug-1/SENSOR", b'{"Time":"a","ENERGY":{"Total":7}}'))
        await eventually(wire, 0, None)
