"""The gateway by itself: how soon it keeps its first reading, how soon the cloud has it, how still it is when idle."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from time import perf_counter

import aiomqtt

from tests.bench.edge.box import SLOT_MS, FastClock
from tests.bench.edge.figures import Figure
from tests.bench.edge.home import BARRIER, CAMERA, make_home, site
from tests.bench.edge.polling import PERIOD_MS, Bench, gateway, sink
from tests.bench.edge.probes import percentile, sync_ms
from tests.bench.edge.rig import counts, farm, metrics, module, rest, running, until
from tests.simulation.broker import mosquitto_program, start_broker
from tests.simulation.devices.description import Visit
from tests.simulation.devices.gate import plate_record
from tests.simulation.processes import free_port, wait_until

STARTS = 5
AWAY_S = 25.0
DRAIN_S_MAX = 20.0
IDLE_S = 12.0
EVENTS = 300
EVENT_GAP_S = 0.03
ANSWER_S_MAX = 5.0


def starts(bench: Bench) -> list[Figure]:
    """Start the shipped program with the cloud away, and wait for its first committed reading."""
    taken = []
    for _ in range(STARTS):
        home = bench.fresh("start")
        make_home(
            home,
            {"site": site(bench.first_port, daily_only=True)},
            settings=f"pages: {{port: {free_port()}}}\ncloud: {{url: 'http://127.0.0.1:{free_port()}'}}\n",
        )
        with farm(bench.first_port):
            started = perf_counter()
            words = module(bench.edge_python, "edge", "run", "--home", home)
            with running("gateway", words, bench.folder / "start.log", **bench.environment) as box:
                wait_until(
                    lambda home=home: _readings(home / "store.db") > 0,  # type: ignore[misc]  # bound now
                    what="the first commit",
                    seconds=30,
                    watched=[box.process],
                )
                taken.append(perf_counter() - started)
    return [Figure(name="exec to first committed reading, cloud away", values=taken, unit="s", most=2.0)]


def _readings(store: Path) -> int:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=1)) as connection:
        return int(connection.execute("SELECT count(*) FROM (SELECT 1 FROM reading LIMIT 1)").fetchone()[0])


def thaw(bench: Bench) -> list[Figure]:
    """Leave the cloud away for a while, bring it back, and watch the backlog go while polling goes on."""
    sink_port = free_port()
    broker, address = start_broker(bench.fresh_folder(), program=mosquitto_program())
    try:
        with farm(bench.first_port) as meters, gateway(bench, meters, address, sink_port=sink_port) as (box, pages, _):
            until(2_000, meters, box)
            rest(AWAY_S)
            before = meters.readings()
            back = perf_counter()
            with sink(bench, sink_port):
                listening = perf_counter()
                wait_until(
                    lambda: counts(sink_port)["first_s"] is not None,
                    what="a receipt",
                    seconds=30,
                    watched=[box.process],
                )
                first = float(str(counts(sink_port)["first_s"]))
                wait_until(
                    lambda: _settled(pages),
                    what="the backlog",
                    seconds=DRAIN_S_MAX,
                    watched=[box.process],
                )
                found = counts(sink_port)
                drained = float(str(found["last_s"]))
                rate = float(str(found["readings"])) / max(drained - first, 0.001)
                missed = metrics(pages)["gatehouse_gaps_said_total"]
                polled = (meters.readings() - before) / (perf_counter() - back)
    finally:
        broker.stop()
    return [
        Figure(name="cloud back to first receipt", values=[max(0.0, first - listening)], unit="s", most=3.0),
        Figure(name="backlog drains at, times the poll rate", values=[rate / polled], unit="times", least=20),
        Figure(name="slots missed meanwhile", values=[missed], unit="", most=0),
    ]


def _settled(pages: int) -> bool:
    found = metrics(pages)
    sealed, settled = (found[f'gatehouse_part_total{{part="uplink_{what}"}}'] for what in ("sealed", "settled"))
    return settled == sealed > 0


def idle(bench: Bench) -> list[Figure]:
    """Let nothing be due and count the commits."""
    broker, address = start_broker(bench.fresh_folder(), program=mosquitto_program())
    try:
        with farm(bench.first_port) as meters, sink(bench) as sink_port:
            slow = gateway(bench, meters, address, sink_port=sink_port, period_ms=SLOT_MS)
            with slow as (box, pages, _):
                until(2_000, meters, box)
                rest(8.0)
                before = _commits(pages)
                rest(IDLE_S)
                count = _commits(pages) - before
    finally:
        broker.stop()
    return [Figure(name="commits a second when nothing is due", values=[count / IDLE_S], unit="1/s", most=0)]


def _commits(pages: int) -> float:
    return metrics(pages)['gatehouse_store{figure="commits"}']


def barrier(bench: Bench) -> list[Figure]:
    """Let cars come while all meters are polled and a backlog drains; the decision is durable before it goes out."""
    sink_port = free_port()
    folder = bench.fresh_folder()
    broker, address = start_broker(folder, program=mosquitto_program())
    try:
        with farm(bench.first_port) as meters, gateway(bench, meters, address, sink_port=sink_port) as (box, _, _):
            until(2_000, meters, box)
            rest(AWAY_S / 2)
            with sink(bench, sink_port):
                taken, disk = asyncio.run(_cars(address, folder))
    finally:
        broker.stop()
    decided, synced = percentile(taken, 99), percentile(disk, 99)
    return [
        Figure(name="fdatasync of 4 KiB beside it, p99", values=[synced], unit="ms"),
        Figure(name="plate in to open command out, through a broker, p50", values=[percentile(taken, 50)], unit="ms"),
        Figure(name="plate in to open command out, p99", values=[decided], unit="ms", most=20),
        Figure(name="the same / fdatasync p99", values=[decided / synced], unit="times", most=5),
    ]


async def _cars(broker: str, folder: Path) -> tuple[list[float], list[float]]:
    """Publish plates as the camera does; return how long each open command took, and a sync after it, in milliseconds.

    The disk is asked in the same seconds: what it takes changes from one to the next.
    """
    host, _, port = broker.rpartition(":")
    clock = FastClock(SLOT_MS / PERIOD_MS)
    taken: list[float] = []
    disk: list[float] = []
    at_once = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    async with aiomqtt.Client(host, int(port), socket_options=at_once) as client:
        await client.subscribe(f"device/{BARRIER}/message/down/gpio_out", qos=1)
        messages = client.messages
        for number in range(EVENTS):
            car = Visit(camera=CAMERA, number=number, plate=f"京A{10_000 + number}", at=clock.now())
            record = plate_record(car)
            started = perf_counter()
            await client.publish(f"device/{CAMERA}/message/up/ivs_result", record, qos=0)
            async with asyncio.timeout(ANSWER_S_MAX):
                await anext(messages)
            taken.append((perf_counter() - started) * 1000)
            disk += sync_ms(folder, 1)
            await asyncio.sleep(EVENT_GAP_S)
    return taken, disk
