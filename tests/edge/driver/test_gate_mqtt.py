"""Cameras and barriers over a real broker: events arrive, open commands are answered, a lost broker comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiomqtt
import pytest

from common.errors import RefusalError
from edge.driver.gate_build import build_gate_wire
from edge.driver.gate_events import BarrierAnswer, PlateSeen, Post
from edge.driver.gate_mqtt import MqttGateWire, split_address
from edge.driver.outcome import WireKind
from edge.driver.signs import BoardFamily, Sign
from tests.edge.builders import until
from tests.edge.driver.builders import NOON, StandingClock, catalogue, wire_config
from tests.simulation.broker import mosquitto_program, start_broker
from tests.simulation.devices.description import Gate, Site, Visit
from tests.simulation.devices.house import serve_site

CAMERA, BARRIER = "CAM-1", "BAR-1"


def visit(number: int, **changes: object) -> Visit:
    facts: dict[str, object] = {"plate": f"京A1234{number}", "at": NOON + timedelta(minutes=number), **changes}
    return Visit(camera=CAMERA, number=number, **facts)  # type: ignore[arg-type]


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[str]:
    process, address = await asyncio.to_thread(start_broker, tmp_path, program=mosquitto_program())
    yield address
    await asyncio.to_thread(process.stop)


def gate_wire(address: str, clock: StandingClock) -> MqttGateWire:
    config = wire_config(WireKind.MQTT, address)
    post = Post(camera=CAMERA, barrier=BARRIER, board=BoardFamily.LED_64)
    wire = build_gate_wire(config, catalogue(), "zhenshi-camera", (post,), clock)
    assert isinstance(wire, MqttGateWire)
    return wire


@asynccontextmanager
async def running(wire: MqttGateWire) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(wire.run())
        async with asyncio.timeout(10):
            await wire.connected()
        yield
        task.cancel()


async def first_events(wire: MqttGateWire, count: int) -> list[PlateSeen]:
    events: list[PlateSeen] = []
    async with asyncio.timeout(10):
        async for event in wire.events():
            events.append(event)
            if len(events) == count:
                break
    return events


def site(broker: str, *visits: Visit) -> Site:
    gate = Gate(broker=broker, cameras=(CAMERA,), barriers=(BARRIER,), visits=visits)
    return Site(seed=1, epoch=NOON, gates=(gate,))


async def test_cars_are_seen_when_their_time_has_come_and_repeats_keep_their_key(broker: str, tmp_path: Path) -> None:
    clock = StandingClock()
    visits = (visit(1), visit(2, repeat=2), visit(3, plate=""))
    wire = gate_wire(broker, clock)
    async with running(wire), serve_site(site(broker, *visits), clock, tmp_path):
        clock.at += timedelta(minutes=5)
        events = await first_events(wire, 4)

    assert [event.plate for event in events] == ["京A12341", "京A12342", "京A12342", None]
    assert events[1].event_key == events[2].event_key
    assert events[0].seen_at == NOON + timedelta(minutes=1)


async def test_an_open_command_moves_the_bar_and_is_acknowledged(broker: str, tmp_path: Path) -> None:
    clock = StandingClock()
    wire = gate_wire(broker, clock)
    async with running(wire), serve_site(site(broker), clock, tmp_path):
        await asyncio.sleep(0.3)
        answer = await wire.open_barrier(BARRIER, "key-1")

    moved = json.loads((tmp_path / "exchanges-gate.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert answer is BarrierAnswer.ACCEPTED
    assert (moved["kind"], moved["barrier"], moved["command"]) == ("open", BARRIER, "key-1")


async def test_a_sign_reaches_the_board_as_frames_it_understands(broker: str, tmp_path: Path) -> None:
    clock = StandingClock()
    wire = gate_wire(broker, clock)
    async with running(wire), serve_site(site(broker, visit(1)), clock, tmp_path):
        clock.at += timedelta(minutes=2)
        (seen,) = await first_events(wire, 1)
        await wire.answer(seen, Sign(lines=("京A12341", "欢迎光临"), voice="京A12341,欢迎光临"))
        log = tmp_path / "exchanges-gate.jsonl"
        await until(lambda: log.read_text(encoding="utf-8").count('"board"') == 2)

    shown = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    texts = [entry["text"] for entry in shown if entry["kind"] == "board"]
    assert texts == ["京A12341 欢迎光临", "京A12341,欢迎光临"]


async def test_a_barrier_that_does_not_answer_is_unknown_and_one_without_a_broker_unreachable(broker: str) -> None:
    wire = gate_wire(broker, StandingClock())

    assert await wire.open_barrier(BARRIER, "key-0") is BarrierAnswer.UNREACHABLE
    async with running(wire):
        assert await wire.open_barrier(BARRIER, "key-1") is BarrierAnswer.UNKNOWN


async def test_a_message_that_cannot_be_understood_does_not_stop_the_next(broker: str, tmp_path: Path) -> None:
    clock = StandingClock()
    wire = gate_wire(broker, clock)
    host, port = split_address(broker)
    async with running(wire):
        async with aiomqtt.Client(host, port) as hostile:
            await hostile.publish(f"device/{CAMERA}/message/up/ivs_result", b"\xff{", qos=1)
        async with serve_site(site(broker, visit(1)), clock, tmp_path):
            clock.at += timedelta(minutes=2)
            events = await first_events(wire, 1)

    assert events[0].plate == "京A12341"
    assert wire.stats.bad_values == 1


async def test_a_broker_that_comes_later_is_met(tmp_path: Path) -> None:
    process, address = await asyncio.to_thread(start_broker, tmp_path, program=mosquitto_program())
    port = int(address.rpartition(":")[2])
    await asyncio.to_thread(process.stop)
    wire = gate_wire(address, StandingClock())
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(wire.run())
        await asyncio.sleep(0.2)
        process, _ = await asyncio.to_thread(start_broker, tmp_path, program=mosquitto_program(), port=port)
        async with asyncio.timeout(10):
            await wire.connected()
        task.cancel()
    await asyncio.to_thread(process.stop)

    assert wire.stats.reconnects >= 1


@pytest.mark.parametrize("address", ["broker", ":1883", "broker:", "broker:99999", "broker:18x3"])
def test_an_address_that_is_not_host_and_port_is_refused(address: str) -> None:
    with pytest.raises(RefusalError, match="host:port"):
        split_address(address)


def test_a_model_without_gate_topics_is_no_camera() -> None:
    with pytest.raises(RefusalError, match="no gate topics"):
        build_gate_wire(wire_config(WireKind.MQTT, "h:1"), catalogue(), "eastron-sdm120", (), StandingClock())
