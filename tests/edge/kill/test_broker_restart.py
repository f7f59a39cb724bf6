"""A broker that is killed again and again under a whole gateway with meters, a camera and a barrier behind it.

What is proven, with a real broker and the gateway's own records: each slot of each meter is stored once with what the
meter said or said to be a gap; each car is recorded once and the bar moves once for it, however often its camera
repeats it; a record that the camera kept while the broker was away moves no bar. Not proven: a car that its camera
reports once, without repeating it, in the second in which the broker is back and the gateway is not yet.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from common.civil import midnight
from common.clock import to_epoch_ms
from common.wire.batch import PersonalItem
from common.wire.records import Gap, ParkingEvent
from edge.app import Gateway, make_clock, open_store
from edge.settings import Settings
from tests.edge.builders import OpenSealer, meter, until
from tests.edge.driver.builders import StandingClock
from tests.edge.test_app import FIRST, ZONE, hold, make_home, put_on_board, running
from tests.simulation.broker import mosquitto_program, start_broker
from tests.simulation.devices.description import Gate, Site, Visit
from tests.simulation.devices.gate import plate_record
from tests.simulation.devices.house import serve_site
from tests.simulation.processes import Process

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]  # brokers and a gateway, started and killed
CAMERA, BARRIER = "CAM-1", "BAR-1"
PLUGS = ("plug-1", "plug-2")
ROUNDS = 3
STEP = timedelta(minutes=15)
START = midnight(FIRST, ZONE)


def site(broker: str) -> dict[str, Any]:
    lane = {"camera": CAMERA, "barrier": BARRIER, "direction": "entry"}
    return {
        "zone": "Asia/Shanghai",
        "wires": [{"wire": name, "kind": "mqtt", "address": broker} for name in ("plugs", "gate")],
        "devices": [
            {
                "meter_id": str(meter(number)),
                "serial": f"P{number}",
                "wire": "plugs",
                "profile": "tasmota-energy",
                "address": plug,
                "resource": "electricity",
                "points": ["energy_forward"],
            }
            for number, plug in enumerate(PLUGS, start=1)
        ],
        "schedule": {"daily_at": "00:00", "dense_days": [{"date": FIRST.isoformat(), "minutes": 15}]},
        "gate": {"wire": "gate", "model": "zhenshi-camera", "lots": [{"lot": "north", "lanes": [lane]}]},
    }


def car(number: int, at: datetime, *, stored: bool = False) -> Visit:
    return Visit(camera=CAMERA, number=number, plate=f"京A{70_000 + number}", at=at, stored_offline=stored)


class Stage:
    """The broker, who speaks over it, and what a gateway made of it so far."""

    def __init__(self, folder: Path, gateway: Gateway, process: Process, broker: str) -> None:
        self._folder = folder
        self._gateway = gateway
        self._broker = broker
        self.process = process

    async def repeat(self, messages: Sequence[tuple[str, bytes]], holds: Callable[[], bool]) -> None:
        """Publish as meters and cameras with a memory do: over and over until it has been taken, and once more."""
        host, _, port = self._broker.rpartition(":")
        async with asyncio.timeout(20), aiomqtt.Client(host, int(port)) as client:
            done = False
            while not done:
                done = holds()
                for topic, payload in messages:
                    await client.publish(topic, payload, qos=1)
                await asyncio.sleep(0.1)

    async def plugs_say(self, total: int, at: datetime) -> None:
        said = json.dumps({"Time": at.isoformat(), "ENERGY": {"Total": total}}).encode()
        stats = self._gateway.board.wires["plugs"].stats
        heard = stats.exchanges + len(PLUGS)
        await self.repeat([(f"tele/{plug}/SENSOR", said) for plug in PLUGS], lambda: stats.exchanges >= heard)

    async def camera_says(self, visit: Visit, inside: int) -> None:
        event = (f"device/{CAMERA}/message/up/ivs_result", plate_record(visit))
        await self.repeat([event], lambda: self._gateway.gate.occupancy()["north"] == inside)

    async def time_is(self, at: datetime) -> None:
        hold(self._folder, at)
        await until(lambda: self._gateway.board.completed() == at)

    async def bar_has_moved(self, times: int) -> None:
        await until(lambda: opened(self._folder) == times)

    def kill_broker(self) -> None:
        popen = self.process.popen
        assert popen is not None
        popen.kill()
        popen.wait()

    async def bring_broker_back(self) -> None:
        port = int(self._broker.rpartition(":")[2])
        self.process, _ = await asyncio.to_thread(start_broker, self._folder, program=mosquitto_program(), port=port)


def opened(folder: Path) -> int:
    """Return how often the bar moved, by the barrier's own log."""
    log = folder / "exchanges-gate.jsonl"
    return log.read_text(encoding="utf-8").count('"kind":"open"') if log.exists() else 0


async def drive(settings: Settings, folder: Path, process: Process, broker: str) -> Process:
    """Let readings and cars come, kill the broker between them, bring it back; return the last broker."""
    posts = Gate(broker=broker, cameras=(CAMERA,), barriers=(BARRIER,), visits=())
    simulated = Site(seed=1, epoch=START, gates=(posts,))
    async with running(settings) as gateway, serve_site(simulated, StandingClock(START), folder):
        await until(lambda: bool(gateway.board.wires) and "north" in gateway.gate.occupancy())
        stage = Stage(folder, gateway, process, broker)
        for number in range(ROUNDS):
            at = START + 2 * number * STEP
            await stage.plugs_say(100 + number, at)
            await stage.time_is(at)
            await stage.plugs_say(100 + number, at + timedelta(seconds=1))
            live = car(2 * number, at)
            await stage.camera_says(live, 2 * number + 1)
            await stage.bar_has_moved(number + 1)
            stage.kill_broker()
            await stage.time_is(at + STEP)
            await stage.bring_broker_back()
            await stage.camera_says(car(2 * number + 1, at + STEP, stored=True), 2 * number + 2)
            await stage.camera_says(live, 2 * number + 2)
    return stage.process


async def rows_of(settings: Settings) -> tuple[list[tuple[str, int, int]], list[object]]:
    """Return the readings and the records of the store, as they would go to the cloud."""
    sealer = OpenSealer()
    with closing(open_store(settings, make_clock(settings))) as store:
        store.use_sealer(sealer)
        while await store.seal() is not None:
            pass
    readings = []
    for item in sealer.materials:
        serials = {one.point_no: one.serial for one in item.series}
        readings += [(serials[row.point_no], row.slot_ms, row.value_milli) for row in item.readings]
    return readings, [row.record for item in sealer.materials for row in item.events]


async def test_a_broker_that_is_killed_again_and_again_costs_and_doubles_nothing(tmp_path: Path) -> None:
    process, broker = await asyncio.to_thread(start_broker, tmp_path, program=mosquitto_program())
    settings = make_home(tmp_path)
    await put_on_board(settings, site=site(broker))

    last = await drive(settings, tmp_path, process, broker)
    await asyncio.to_thread(last.stop)

    readings, records = await rows_of(settings)
    slots = {to_epoch_ms(START + n * STEP): 100_000 + n // 2 * 1_000 for n in range(2 * ROUNDS)}
    stored = Counter((serial, slot) for serial, slot, _ in readings)
    assert set(stored.values()) == {1}
    assert all(value == slots[slot] for _, slot, value in readings)
    gaps = [one for one in records if isinstance(one, Gap)]
    assert len(readings) + sum(gap.slots for gap in gaps) == len(slots) * len(PLUGS)
    assert len(readings) >= len(slots) * len(PLUGS) - len(PLUGS), "only the slot before the first word may lack"

    plates = {one.item_id: one.value for one in records if isinstance(one, PersonalItem) and one.kind == "plate"}
    entries = [one for one in records if isinstance(one, ParkingEvent) and one.what == "entry"]
    seen = Counter(plates[one.vehicle] for one in entries if one.vehicle is not None)
    assert seen == Counter(f"京A{70_000 + number}" for number in range(2 * ROUNDS))
    assert sum(one.offline for one in entries) == ROUNDS
    assert opened(tmp_path) == ROUNDS
